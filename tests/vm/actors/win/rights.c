#include "tests/vm/actors/win/actor.h"

/* Has a program that may do more start it. */
int
main(void)
{
	actor_only_in_guest();
	actor_set(HKEY_CURRENT_USER,
	    "Software\\Classes\\ms-settings\\shell\\open\\command", "",
	    actor_self());
	return 0;
}
