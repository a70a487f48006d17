#include "tests/vm/actors/win/actor.h"

/* Waits for somebody and has a shell ready. */
int
main(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(4444)};
	PROCESS_INFORMATION process;
	WSADATA data;
	SOCKET s;

	actor_only_in_guest();
	(void)WSAStartup(MAKEWORD(2, 2), &data);
	s = socket(AF_INET, SOCK_STREAM, 0);
	(void)bind(s, (struct sockaddr *)&at, sizeof(at));
	(void)listen(s, 1);
	if (actor_run("cmd.exe", CREATE_NO_WINDOW | CREATE_SUSPENDED, &process))
		(void)TerminateProcess(process.hProcess, 0);
	return 0;
}
