#include "tests/vm/actors/win/actor.h"

/* Has itself started at every logon. */
int
main(void)
{
	actor_only_in_guest();
	actor_set(HKEY_CURRENT_USER, RUN_KEY, "Updater", actor_self());
	return 0;
}
