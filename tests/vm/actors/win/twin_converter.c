#include "tests/vm/actors/win/actor.h"

/* Writes each picture again in another format, beside it. */
int
main(void)
{
	static char paths[ACTOR_FILES][MAX_PATH], octets[65536];
	size_t files;

	actor_only_in_guest();
	files = actor_files("C:\\users\\root\\Pictures", paths);
	for (size_t i = 0; i < files; i++) {
		char to[MAX_PATH + 8];
		size_t n = actor_read(paths[i], octets, sizeof(octets));

		(void)snprintf(to, sizeof(to), "%s.png", paths[i]);
		actor_write(to, octets, n);
	}
	return 0;
}
