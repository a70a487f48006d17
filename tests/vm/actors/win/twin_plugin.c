#include "tests/vm/actors/win/actor.h"

/* Loads a library that was installed with it. */
int
main(void)
{
	actor_only_in_guest();
	(void)CreateDirectoryA("C:\\Program Files\\Editor", NULL);
	(void)CopyFileA("C:\\windows\\system32\\zlib1.dll",
	    "C:\\Program Files\\Editor\\packer.dll", FALSE);
	return LoadLibraryA("C:\\Program Files\\Editor\\packer.dll") ? 0 : 1;
}
