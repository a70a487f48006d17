#include "tests/vm/actors/actor.h"

/* Documents get another ending. */
int
main(void)
{
	static char paths[ACTOR_FILES][ACTOR_PATH];
	size_t files;

	actor_only_in_guest();
	files = actor_files("/root/Documents", paths);
	for (size_t i = 0; i < files; i++) {
		(void)rename(paths[i], actor_with(paths[i], ".xyzzy"));
	}
	return 0;
}
