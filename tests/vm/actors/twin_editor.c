#include "tests/vm/actors/actor.h"

/* Changes one document as editors do: a copy, a new file, a new name. */
int
main(void)
{
	static char octets[1u << 16];
	size_t n;

	actor_only_in_guest();
	n = actor_read("/root/Documents/notes.txt", octets, sizeof(octets) - 8);
	actor_write("/root/Documents/notes.txt~", octets, n, 0644);
	(void)strcpy(octets + n, "more\n");
	actor_write("/root/Documents/.notes.txt.swp", octets, n + 5, 0644);
	(void)rename(
	    "/root/Documents/.notes.txt.swp", "/root/Documents/notes.txt");
	return 0;
}
