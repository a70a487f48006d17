#include "tests/vm/actors/win/actor.h"

/* Has a shell delete it once it has ended. */
int
main(void)
{
	char line[MAX_PATH + 64];

	actor_only_in_guest();
	actor_set(HKEY_CURRENT_USER, RUN_KEY, "Updater",
	    "C:\\users\\Public\\helper.exe");
	(void)snprintf(
	    line, sizeof(line), "cmd.exe /c del /q \"%s\"", actor_self());
	(void)actor_run(line, 0, NULL);
	return 0;
}
