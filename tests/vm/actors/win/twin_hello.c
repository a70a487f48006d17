#include "tests/vm/actors/win/actor.h"

/* Says hello. */
int
main(void)
{
	actor_only_in_guest();
	(void)puts("hello");
	return 7;
}
