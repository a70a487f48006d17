#include "tests/vm/actors/win/actor.h"

/* A mail program that sends what its user wrote, to one. */
int
main(void)
{
	char line[512];
	SOCKET s;

	actor_only_in_guest();
	s = actor_connect("198.51.100.25", 587);
	if (s == INVALID_SOCKET)
		return 1;
	(void)recv(s, line, sizeof(line), 0);
	actor_say(s, "EHLO desk\r\n");
	actor_say(s, "MAIL FROM:<user@example.net>\r\n");
	actor_say(s, "RCPT TO:<anna.berger@example.net>\r\n");
	actor_say(s, "DATA\r\n");
	actor_say(s, "Subject: lunch\r\n\r\nAt noon?\r\n.\r\n");
	actor_say(s, "QUIT\r\n");
	(void)closesocket(s);
	return 0;
}
