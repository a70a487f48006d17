#include "tests/vm/actors/actor.h"

/* Makes another format of each document, beside it. */
int
main(void)
{
	static char paths[ACTOR_FILES][ACTOR_PATH];
	static char octets[1u << 16] = "%PDF-1.4\n";
	size_t files;

	actor_only_in_guest();
	files = actor_files("/root/Documents", paths);
	for (size_t i = 0; i < files; i++) {
		size_t n = actor_read(paths[i], octets + 9, sizeof(octets) - 9);

		actor_write(actor_with(paths[i], ".pdf"), octets, n + 9, 0644);
	}
	return 0;
}
