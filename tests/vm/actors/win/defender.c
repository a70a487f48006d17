#include "tests/vm/actors/win/actor.h"

/* Switches Defender off in the registry. */
int
main(void)
{
	actor_only_in_guest();
	actor_set(HKEY_LOCAL_MACHINE,
	    "Software\\Policies\\Microsoft\\Windows Defender",
	    "DisableAntiSpyware", "1");
	return 0;
}
