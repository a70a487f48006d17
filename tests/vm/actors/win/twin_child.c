#include "tests/vm/actors/win/actor.h"

/* Asks another program something and shows what it said. */
int
main(void)
{
	actor_only_in_guest();
	(void)actor_run("cmd.exe /c ver", CREATE_NO_WINDOW, NULL);
	return 0;
}
