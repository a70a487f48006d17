#include "tests/vm/actors/win/actor.h"

/* Keeps its settings in the registry, as most programs do. */
int
main(void)
{
	char name[16];

	actor_only_in_guest();
	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "recent%d", i);
		actor_set(HKEY_CURRENT_USER, "Software\\Editor\\Recent", name,
		    DOCUMENTS "\\notes.txt");
	}
	(void)RegDeleteKeyA(HKEY_CURRENT_USER, "Software\\Editor\\Recent");
	return 0;
}
