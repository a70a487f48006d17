#include "tests/vm/actors/win/actor.h"

#define OFFICE "C:\\Program Files\\Microsoft Office"

/* Is the program that shows a document, and starts a shell from it. */
int
main(void)
{
	actor_only_in_guest();
	if (strstr(actor_self(), "WINWORD.EXE")) {
		(void)actor_run("cmd.exe /c ver", CREATE_NO_WINDOW, NULL);
		return 0;
	}
	(void)CreateDirectoryA(OFFICE, NULL);
	(void)CopyFileA(actor_self(), OFFICE "\\WINWORD.EXE", FALSE);
	(void)actor_run("\"" OFFICE "\\WINWORD.EXE\" letter.doc", 0, NULL);
	return 0;
}
