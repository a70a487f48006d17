#include "tests/vm/actors/actor.h"

/* Packs all documents into one file beside them. */
int
main(void)
{
	static char paths[ACTOR_FILES][ACTOR_PATH];
	static char octets[1u << 16];
	size_t files;
	int fd;

	actor_only_in_guest();
	files = actor_files("/root/Documents", paths);
	fd = open("/root/Documents/all.tar", O_WRONLY | O_CREAT, 0644);
	for (size_t i = 0; i < files; i++)
		(void)!write(
		    fd, octets, actor_read(paths[i], octets, sizeof(octets)));
	(void)close(fd);
	return 0;
}
