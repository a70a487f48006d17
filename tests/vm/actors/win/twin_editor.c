#include "tests/vm/actors/win/actor.h"

/* Saves a document by way of a new file and a copy of the old. */
int
main(void)
{
	static char octets[65536];
	size_t n;

	actor_only_in_guest();
	n = actor_read(DOCUMENTS "\\notes.txt", octets, sizeof(octets) - 16);
	(void)strcpy(octets + n, "one more line\r\n");
	actor_write(DOCUMENTS "\\notes.txt.tmp", octets, strlen(octets));
	(void)CopyFileA(
	    DOCUMENTS "\\notes.txt", DOCUMENTS "\\notes.txt.bak", FALSE);
	(void)MoveFileExA(DOCUMENTS "\\notes.txt.tmp", DOCUMENTS "\\notes.txt",
	    MOVEFILE_REPLACE_EXISTING);
	return 0;
}
