#include "tests/vm/actors/win/actor.h"

/* Saves a picture of the screen for the user, who asked for it. */
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
	(void)BitBlt(copy, 0, 0, 64, 64, screen, 0, 0, SRCCOPY);
	(void)GetBitmapBits(map, sizeof(picture), picture);
	actor_write(
	    "C:\\users\\root\\Pictures\\screen.bmp", picture, sizeof(picture));
	return 0;
}
