#include "tests/vm/actors/win/actor.h"

/* Packs the documents into one file. */
int
main(void)
{
	static char paths[ACTOR_FILES][MAX_PATH], octets[65536];
	size_t files;
	FILE *to;

	actor_only_in_guest();
	files = actor_files(DOCUMENTS, paths);
	to = fopen(DOCUMENTS "\\documents.zip", "wb");
	for (size_t i = 0; to && i < files; i++) {
		size_t n = actor_read(paths[i], octets, sizeof(octets));

		(void)fwrite("PK\3\4", 1, 4, to);
		(void)fwrite(octets, 1, n, to);
	}
	return to ? fclose(to) : 1;
}
