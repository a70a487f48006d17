#include "tests/vm/actors/win/actor.h"

/* Mails to whom the address book has. */
int
main(void)
{
	static char book[65536];
	const char *at = book;
	char line[512], *end;
	SOCKET s;

	actor_only_in_guest();
	(void)actor_read(DOCUMENTS "\\contacts.vcf", book, sizeof(book));
	while ((at = strstr(at, "INTERNET:"))) {
		at += strlen("INTERNET:");
		s = actor_connect("198.51.100.25", 25);
		if (s == INVALID_SOCKET)
			return 1;
		(void)recv(s, line, sizeof(line), 0);
		actor_say(s, "EHLO guest\r\n");
		actor_say(s, "MAIL FROM:<user@example.net>\r\n");
		(void)snprintf(line, sizeof(line), "RCPT TO:<%.200s", at);
		end = line + strcspn(line, "\r\n");
		(void)strcpy(end, ">\r\n");
		actor_say(s, line);
		actor_say(s, "DATA\r\n");
		actor_say(s, "Subject: for you\r\n\r\nhello\r\n.\r\n");
		actor_say(s, "QUIT\r\n");
		(void)closesocket(s);
	}
	return 0;
}
