#include "tests/vm/actors/win/actor.h"

/* Registers the kind of files that it edits. */
int
main(void)
{
	actor_only_in_guest();
	actor_set(HKEY_CURRENT_USER, "Software\\Classes\\.edt", "",
	    "Editor.Document");
	actor_set(HKEY_CURRENT_USER,
	    "Software\\Classes\\Editor.Document\\shell\\open\\command", "",
	    "\"C:\\Program Files\\Editor\\editor.exe\" \"%1\"");
	return 0;
}
