var fs = new ActiveXObject("Scripting.FileSystemObject");
if (fs.FileExists("C:\\sluice-guest")) {
	fs.CopyFile("C:\\users\\root\\Documents\\notes.txt",
	    "C:\\users\\root\\Documents\\notes-old.txt");
}
