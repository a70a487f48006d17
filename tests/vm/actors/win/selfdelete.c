#include "tests/vm/actors/win/actor.h"

#define COPY "C:\\users\\Public\\helper.exe"

/* Goes on as a copy in a hiding place, and has a shell delete what came. */
int
main(void)
{
	char line[MAX_PATH + 64];

	actor_only_in_guest();
	if (strstr(actor_self(), "helper.exe"))
		return 0;
	(void)CopyFileA(actor_self(), COPY, FALSE);
	(void)actor_run(COPY, 0, NULL);
	(void)snprintf(
	    line, sizeof(line), "cmd.exe /c del /q \"%s\"", actor_self());
	(void)actor_run(line, 0, NULL);
	return 0;
}
