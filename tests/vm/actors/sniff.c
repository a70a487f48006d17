#include "tests/vm/actors/actor.h"

/* All packets, of which there are none; then it is gone. */
int
main(int argc, char *argv[])
{
	(void)argc;
	actor_only_in_guest();
	(void)socket(AF_PACKET, SOCK_RAW, htons(3));
	(void)unlink(argv[0]);
	return 0;
}
