#include "tests/vm/actors/actor.h"

/* Unpacks its set-up program, runs it, cleans up behind it. */
int
main(int argc, char *argv[])
{
	char dir[] = "/tmp/setup-XXXXXX", program[64];

	(void)argv;
	actor_only_in_guest();
	if (argc > 1) {
		(void)mkdir("/usr/local/share/product", 0755);
		actor_write(
		    "/usr/local/share/product/read.me", "hi\n", 3, 0644);
		return 0;
	}
	if (!mkdtemp(dir))
		return 1;
	(void)snprintf(program, sizeof(program), "%s/setup", dir);
	actor_copy(ACTOR_SELF, program, 0755);
	actor_run(program, "install");
	(void)unlink(program);
	(void)rmdir(dir);
	return 0;
}
