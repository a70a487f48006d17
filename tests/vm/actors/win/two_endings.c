#include "tests/vm/actors/win/actor.h"

#define COPY "C:\\users\\Public\\invoice.pdf.exe"

/* Puts a program somewhere under a name that looks like a document's. */
int
main(void)
{
	actor_only_in_guest();
	if (strstr(actor_self(), "invoice.pdf.exe"))
		return 0;
	(void)CopyFileA(actor_self(), COPY, FALSE);
	(void)actor_run(COPY, 0, NULL);
	return 0;
}
