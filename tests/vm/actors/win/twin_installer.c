#include "tests/vm/actors/win/actor.h"

/* Installs a program as installers do. */
int
main(void)
{
	static const char *const key =
	    "Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Editor";
	static const char text[] = "Thank you for using Editor.\r\n";

	actor_only_in_guest();
	(void)CreateDirectoryA("C:\\Program Files\\Editor", NULL);
	(void)CopyFileA(
	    actor_self(), "C:\\Program Files\\Editor\\editor.exe", FALSE);
	actor_write(
	    "C:\\Program Files\\Editor\\readme.txt", text, sizeof(text) - 1);
	actor_set(HKEY_LOCAL_MACHINE, key, "DisplayName", "Editor");
	actor_set(HKEY_LOCAL_MACHINE, key, "UninstallString",
	    "C:\\Program Files\\Editor\\editor.exe /remove");
	actor_set(HKEY_LOCAL_MACHINE, "Software\\Editor", "Version", "1.2");
	actor_write("C:\\users\\root\\AppData\\Roaming\\Microsoft\\Windows"
		    "\\Start Menu\\Programs\\Editor.lnk",
	    "L", 1);
	return 0;
}
