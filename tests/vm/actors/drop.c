#include "tests/vm/actors/actor.h"

/* A copy of itself in a hiding place is run and calls home. */
int
main(int argc, char *argv[])
{
	(void)argv;
	actor_only_in_guest();
	if (argc > 1) {
		actor_send("198.51.100.9", 443, "here I am", 9);
		return 0;
	}
	actor_copy(ACTOR_SELF, "/tmp/.X11-cache", 0755);
	actor_run("/tmp/.X11-cache", "again");
	actor_run("/tmp/.X11-cache", "again");
	actor_run("/tmp/.X11-cache", "again");
	actor_run("/tmp/.X11-cache", "again");
	actor_run("/tmp/.X11-cache", "again");
	return 0;
}
