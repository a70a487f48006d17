#include "tests/vm/actors/actor.h"

#include <poll.h>

/* Serves a page for a moment. */
int
main(void)
{
	struct sockaddr_in any = {
	    .sin_family = AF_INET, .sin_port = htons(8080)};
	struct pollfd one = {.events = POLLIN};

	actor_only_in_guest();
	one.fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)bind(one.fd, (struct sockaddr *)&any, sizeof(any));
	(void)listen(one.fd, 8);
	(void)poll(&one, 1, 500);
	return 0;
}
