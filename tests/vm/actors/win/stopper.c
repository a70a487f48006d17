#include "tests/vm/actors/win/actor.h"

/* Stops services that protect, of which a guest has none. */
int
main(void)
{
	actor_only_in_guest();
	(void)actor_run("net.exe stop WinDefend", 0, NULL);
	(void)actor_run("taskkill.exe /f /im MsMpEng.exe", 0, NULL);
	return 0;
}
