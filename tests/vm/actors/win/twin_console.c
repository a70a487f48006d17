#include "tests/vm/actors/win/actor.h"

/* Has a console, with colours and a title. */
int
main(void)
{
	CONSOLE_SCREEN_BUFFER_INFO info;
	HANDLE out;
	DWORD n;

	actor_only_in_guest();
	(void)AllocConsole();
	(void)SetConsoleTitleA("Lister");
	out = CreateFileA("CONOUT$", GENERIC_READ | GENERIC_WRITE,
	    FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
	(void)SetConsoleTextAttribute(out, FOREGROUND_GREEN);
	(void)WriteConsoleA(out, "hello\n", 6, &n, NULL);
	return GetConsoleScreenBufferInfo(out, &info) ? 0 : 1;
}
