#include "tests/vm/actors/actor.h"

#include <sys/syscall.h>

/* No module at all, for a kernel that lets nobody in. */
int
main(void)
{
	actor_only_in_guest();
	(void)syscall(SYS_init_module, "", 0, "");
	return 0;
}
