Set fs = CreateObject("Scripting.FileSystemObject")
If fs.FileExists("C:\sluice-guest") Then
	Set folder = fs.GetFolder("C:\users\root\Documents")
	Set out = fs.CreateTextFile("C:\users\root\Documents\count.txt", True)
	out.WriteLine folder.Files.Count
	out.Close
End If
