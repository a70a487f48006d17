#include "tests/vm/actors/win/actor.h"

/* Nobody is there to press the button. */
static DWORD WINAPI
press(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		HWND box = FindWindowA(NULL, "Calculator");

		if (box) {
			(void)PostMessageA(box, WM_COMMAND, IDOK, 0);
			return 0;
		}
		Sleep(100);
	}
	return 0;
}

/* Shows a sum in a box. */
int
main(void)
{
	actor_only_in_guest();
	(void)CreateThread(NULL, 0, press, NULL, 0, NULL);
	return MessageBoxA(NULL, "6 * 7 = 42", "Calculator", MB_OK) == IDOK ? 0
									    : 1;
}
