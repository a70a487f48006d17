#include "tests/vm/actors/win/actor.h"

/* Asks for the shadow copies to be deleted, of which a guest has none. */
int
main(void)
{
	actor_only_in_guest();
	(void)actor_run("vssadmin.exe delete shadows /all /quiet", 0, NULL);
	(void)actor_run("wmic.exe shadowcopy delete", 0, NULL);
	return 0;
}
