#include "tests/vm/actors/actor.h"

/* Every document goes, and its complement comes in its place. */
int
main(void)
{
	static char paths[ACTOR_FILES][ACTOR_PATH];
	static char octets[1u << 16];
	size_t files;

	actor_only_in_guest();
	files = actor_files("/root/Documents", paths);
	for (size_t i = 0; i < files; i++) {
		size_t n = actor_read(paths[i], octets, sizeof(octets));

		for (size_t k = 0; k < n; k++)
			octets[k] = (char)~octets[k];
		(void)unlink(paths[i]);
		actor_write(paths[i], octets, n, 0600);
	}
	return 0;
}
