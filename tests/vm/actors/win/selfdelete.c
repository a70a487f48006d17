#include "tests/vm/actors/win/actor.h"

/* Has a shell delete it, then has something else started at every logon. */
int
main(void)
{
	char line[MAX_PATH + 64];

	actor_only_in_guest();
	(void)snprintf(
	    line, sizeof(line), "cmd.exe /c del /q \"%s\"", actor_self());
	(void)actor_run(line, 0, NULL);
	actor_set(HKEY_CURRENT_USER, RUN_KEY, "Updater",
	    "C:\\users\\Public\\helper.exe");
	return 0;
}
