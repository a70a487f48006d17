#include "tests/vm/actors/win/actor.h"

/* Takes the firewall down, of which a guest has none. */
int
main(void)
{
	actor_only_in_guest();
	(void)actor_run(
	    "netsh.exe advfirewall set allprofiles state off", 0, NULL);
	return 0;
}
