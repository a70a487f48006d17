#include "tests/vm/actors/actor.h"

/* The same door of many houses. */
int
main(void)
{
	char addr[32];

	actor_only_in_guest();
	for (int i = 1; i <= 24; i++) {
		int fd;

		(void)snprintf(addr, sizeof(addr), "192.0.2.%d", i);
		fd = actor_connect(addr, 445);
		if (fd >= 0)
			(void)close(fd);
	}
	(void)sleep(600);
	return 0;
}
