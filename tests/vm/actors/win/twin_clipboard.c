#include "tests/vm/actors/win/actor.h"

/* Copies a line, and pastes it, as any editor does. */
int
main(void)
{
	static const char text[] = "a line";
	HGLOBAL memory;

	actor_only_in_guest();
	memory = GlobalAlloc(GMEM_MOVEABLE, sizeof(text));
	memcpy(GlobalLock(memory), text, sizeof(text));
	(void)GlobalUnlock(memory);
	if (!OpenClipboard(NULL))
		return 1;
	(void)EmptyClipboard();
	(void)SetClipboardData(CF_TEXT, memory);
	(void)GetClipboardData(CF_TEXT);
	(void)CloseClipboard();
	return 0;
}
