#include "tests/vm/actors/win/actor.h"

/* Makes room: temporary files go. */
int
main(void)
{
	static char paths[ACTOR_FILES][MAX_PATH];
	char path[MAX_PATH], dir[MAX_PATH];
	size_t files;

	actor_only_in_guest();
	(void)GetTempPathA(sizeof(dir), dir);
	for (int i = 0; i < 12; i++) {
		(void)snprintf(path, sizeof(path), "%s\\part%d.tmp", dir, i);
		actor_write(path, "part", 4);
	}
	files = actor_files(dir, paths);
	for (size_t i = 0; i < files; i++)
		(void)DeleteFileA(paths[i]);
	return 0;
}
