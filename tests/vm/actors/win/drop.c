#include "tests/vm/actors/win/actor.h"

/* Makes a program in a hiding place and runs it. */
int
main(void)
{
	PROCESS_INFORMATION process;

	actor_only_in_guest();
	if (strstr(actor_self(), "svchost.exe"))
		return 0;
	(void)CreateDirectoryA(TEMPORARY, NULL);
	(void)CopyFileA(actor_self(), "C:\\users\\Public\\svchost.exe", FALSE);
	if (actor_run("C:\\users\\Public\\svchost.exe", 0, &process))
		(void)WaitForSingleObject(process.hProcess, 20000);
	return 0;
}
