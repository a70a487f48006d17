#include "tests/vm/actors/win/actor.h"

/* Puts itself in the place of the shell that a logon starts. */
int
main(void)
{
	actor_only_in_guest();
	actor_set(HKEY_CURRENT_USER,
	    "Software\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon",
	    "Shell", actor_self());
	return 0;
}
