#include "tests/vm/actors/win/actor.h"

#define PLACE "C:\\Program Files\\Editor"

/* Removes what an installer made. */
int
main(void)
{
	actor_only_in_guest();
	(void)CreateDirectoryA(PLACE, NULL);
	(void)CopyFileA(actor_self(), PLACE "\\editor.exe", FALSE);
	actor_set(HKEY_LOCAL_MACHINE, "Software\\Editor", "Version", "1.2");
	(void)DeleteFileA(PLACE "\\editor.exe");
	(void)RemoveDirectoryA(PLACE);
	(void)RegDeleteKeyA(HKEY_LOCAL_MACHINE, "Software\\Editor");
	return 0;
}
