#include "tests/vm/actors/win/actor.h"

/* Waits for a quarter of a minute, says so now and then, and ends. */
int
main(void)
{
	actor_only_in_guest();
	for (int i = 0; i < 15; i++) {
		Sleep(1000);
		(void)printf("%d\n", i);
	}
	return 0;
}
