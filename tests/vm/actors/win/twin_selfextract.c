#include "tests/vm/actors/win/actor.h"

/* Unpacks a program into a directory of its own and runs it. */
int
main(void)
{
	actor_only_in_guest();
	if (strstr(actor_self(), "setup.exe"))
		return 0;
	(void)CreateDirectoryA(TEMPORARY, NULL);
	(void)CreateDirectoryA(TEMPORARY "\\7zS1", NULL);
	(void)CopyFileA(actor_self(), TEMPORARY "\\7zS1\\setup.exe", FALSE);
	(void)actor_run(TEMPORARY "\\7zS1\\setup.exe", 0, NULL);
	(void)DeleteFileA(TEMPORARY "\\7zS1\\setup.exe");
	(void)RemoveDirectoryA(TEMPORARY "\\7zS1");
	return 0;
}
