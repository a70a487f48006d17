#include "tests/vm/actors/win/actor.h"

/* Has PowerShell, out of sight, do what no reader can read: "exit". */
int
main(void)
{
	actor_only_in_guest();
	actor_set(HKEY_CURRENT_USER, RUN_KEY, "Helper", "helper.exe");
	(void)actor_run("powershell.exe -NoProfile -WindowStyle Hidden "
			"-EncodedCommand ZQB4AGkAdAA=",
	    0, NULL);
	return 0;
}
