#include "tests/vm/actors/actor.h"

/* A library, which is none, for every program. */
int
main(void)
{
	static const char line[] = "/usr/lib/libnothing.so\n";

	actor_only_in_guest();
	actor_write("/etc/ld.so.preload", line, sizeof(line) - 1, 0644);
	(void)unlink("/etc/ld.so.preload");
	return 0;
}
