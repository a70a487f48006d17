#include "tests/vm/actors/win/actor.h"

/* Plans a task for a program in a hiding place. */
int
main(void)
{
	char line[MAX_PATH + 128];

	actor_only_in_guest();
	(void)snprintf(line, sizeof(line),
	    "schtasks.exe /create /sc minute /mo 5 /tn help /tr \"%s\"",
	    actor_self());
	(void)actor_run(line, 0, NULL);
	return 0;
}
