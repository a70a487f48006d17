#include "tests/vm/actors/win/actor.h"

/* Leads names elsewhere, and starts with Windows. */
int
main(void)
{
	static const char text[] = "127.0.0.1 update.example.net\r\n";

	actor_only_in_guest();
	(void)CreateDirectoryA("C:\\windows\\system32\\drivers\\etc", NULL);
	actor_write("C:\\windows\\system32\\drivers\\etc\\hosts", text,
	    sizeof(text) - 1);
	actor_set(HKEY_CURRENT_USER, RUN_KEY, "Names", actor_self());
	return 0;
}
