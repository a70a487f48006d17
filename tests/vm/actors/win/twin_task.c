#include "tests/vm/actors/win/actor.h"

/* Plans to look for updates of an installed program every day. */
int
main(void)
{
	actor_only_in_guest();
	(void)actor_run("schtasks.exe /create /sc daily /tn \"Editor updates\" "
			"/tr \"C:\\Program Files\\Editor\\update.exe\"",
	    0, NULL);
	return 0;
}
