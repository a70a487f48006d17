#include "tests/vm/actors/win/actor.h"

#define PROGRAM "C:\\Program Files\\Clock\\clock.exe"

/* An installed program that wants to be there after the logon. */
int
main(void)
{
	actor_only_in_guest();
	(void)CreateDirectoryA("C:\\Program Files\\Clock", NULL);
	(void)CopyFileA(actor_self(), PROGRAM, FALSE);
	actor_set(HKEY_CURRENT_USER, RUN_KEY, "Clock", "\"" PROGRAM "\" /tray");
	return 0;
}
