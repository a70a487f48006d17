#include "tests/vm/actors/win/actor.h"

#define OFFICE "C:\\Program Files\\Microsoft Office"

/* Is the program that shows a document, and starts what that brought. */
int
main(void)
{
	actor_only_in_guest();
	if (strstr(actor_self(), "update.exe"))
		return 0;
	if (strstr(actor_self(), "EXCEL.EXE")) {
		(void)CopyFileA(
		    actor_self(), "C:\\users\\Public\\update.exe", FALSE);
		(void)actor_run("C:\\users\\Public\\update.exe", 0, NULL);
		return 0;
	}
	(void)CreateDirectoryA(OFFICE, NULL);
	(void)CopyFileA(actor_self(), OFFICE "\\EXCEL.EXE", FALSE);
	(void)actor_run("\"" OFFICE "\\EXCEL.EXE\" list.xls", 0, NULL);
	return 0;
}
