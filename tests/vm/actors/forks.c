#include "tests/vm/actors/actor.h"

/* Children of children, as many as it gets. */
int
main(void)
{
	actor_only_in_guest();
	for (int i = 0; i < 1000; i++)
		if (fork() == 0)
			(void)setsid();
	return 0;
}
