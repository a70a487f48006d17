#include "tests/vm/actors/win/actor.h"

/* Sleeps, calls the same place on a chat server's port, again and again. */
int
main(void)
{
	actor_only_in_guest();
	for (int i = 0; i < 8; i++) {
		Sleep(300000);
		(void)actor_send(
		    "198.51.100.66", 6667, "NICK guest\r\n", 12, NULL, 0);
	}
	return 0;
}
