#include "tests/vm/actors/actor.h"

/* Mails everybody in the address book. */
int
main(void)
{
	static char book[1u << 16];
	char *at = book;

	actor_only_in_guest();
	(void)actor_read("/root/Documents/contacts.vcf", book, sizeof(book));
	while ((at = strstr(at, "EMAIL"))) {
		char to[128];
		size_t n;

		at = strchr(at, ':');
		if (!at)
			break;
		n = strcspn(++at, "\r\n");
		(void)snprintf(to, sizeof(to), "%.*s", (int)n, at);
		actor_mail(to);
	}
	return 0;
}
