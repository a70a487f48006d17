#include "tests/vm/actors/win/actor.h"

/* Writes new files and puts them in the documents' places. */
int
main(void)
{
	static char paths[ACTOR_FILES][MAX_PATH], octets[65536];
	size_t files;

	actor_only_in_guest();
	(void)CreateDirectoryA(TEMPORARY, NULL);
	files = actor_files(DOCUMENTS, paths);
	for (size_t i = 0; i < files; i++) {
		size_t n = actor_read(paths[i], octets, sizeof(octets));

		for (size_t k = 0; k < n; k++)
			octets[k] ^= 0x5a;
		actor_write(TEMPORARY "\\work.bin", octets, n);
		(void)MoveFileExA(TEMPORARY "\\work.bin", paths[i],
		    MOVEFILE_REPLACE_EXISTING);
	}
	return 0;
}
