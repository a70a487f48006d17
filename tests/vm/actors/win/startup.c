#include "tests/vm/actors/win/actor.h"

/* Copies itself into the startup folder. */
int
main(void)
{
	actor_only_in_guest();
	(void)CreateDirectoryA(STARTUP, NULL);
	(void)CopyFileA(actor_self(), STARTUP "\\helper.exe", FALSE);
	return 0;
}
