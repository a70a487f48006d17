#include "tests/vm/actors/win/actor.h"

/* Reads the documents and prints their sums. */
int
main(void)
{
	static char paths[ACTOR_FILES][MAX_PATH], octets[65536];
	size_t files;

	actor_only_in_guest();
	files = actor_files(DOCUMENTS, paths);
	for (size_t i = 0; i < files; i++) {
		size_t n = actor_read(paths[i], octets, sizeof(octets));
		unsigned long sum = 0;

		for (size_t k = 0; k < n; k++)
			sum = sum * 31 + (unsigned char)octets[k];
		(void)printf("%08lx %s\n", sum, paths[i]);
	}
	return 0;
}
