#include "tests/vm/actors/win/actor.h"

/* Has a window, asks for its few keys, draws, ends. */
int
main(void)
{
	static const int keys[] = {VK_LEFT, VK_RIGHT, VK_UP, VK_DOWN, VK_SPACE};
	HWND window;
	HDC dc;

	actor_only_in_guest();
	window = CreateWindowExA(0, "STATIC", "Game", WS_OVERLAPPEDWINDOW, 0, 0,
	    320, 200, NULL, NULL, NULL, NULL);
	dc = GetDC(window);
	for (int i = 0; i < 50; i++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			(void)GetAsyncKeyState(keys[k]);
		(void)Rectangle(dc, i, i, i + 10, i + 10);
		(void)BitBlt(dc, 0, 0, 64, 64, dc, 1, 1, SRCCOPY);
	}
	(void)ReleaseDC(window, dc);
	return window ? 0 : 1;
}
