#include "tests/vm/actors/win/actor.h"

#define PLACE "C:\\users\\Public"

/* Puts a program somewhere, and a library beside it which that loads. */
int
main(void)
{
	actor_only_in_guest();
	if (strstr(actor_self(), "viewer.exe"))
		return LoadLibraryA("helper.dll") ? 0 : 1;
	(void)CopyFileA(
	    "C:\\windows\\system32\\zlib1.dll", PLACE "\\helper.dll", FALSE);
	(void)CopyFileA(actor_self(), PLACE "\\viewer.exe", FALSE);
	(void)actor_run(PLACE "\\viewer.exe", 0, NULL);
	return 0;
}
