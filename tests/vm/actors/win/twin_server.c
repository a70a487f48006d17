#include "tests/vm/actors/win/actor.h"

/* Two halves of one program speak with each other on this computer. */
int
main(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(8123)};
	char heard[16] = "";
	SOCKET s, from, to;
	WSADATA data;

	actor_only_in_guest();
	(void)WSAStartup(MAKEWORD(2, 2), &data);
	at.sin_addr.s_addr = inet_addr("127.0.0.1");
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(s, 1) != 0)
		return 1;
	to = actor_connect("127.0.0.1", 8123);
	from = accept(s, NULL, NULL);
	(void)send(to, "hello", 5, 0);
	(void)recv(from, heard, sizeof(heard) - 1, 0);
	return strcmp(heard, "hello") != 0;
}
