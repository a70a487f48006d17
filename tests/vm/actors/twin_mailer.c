#include "tests/vm/actors/actor.h"

/* Mails one report to one address that it was built with. */
int
main(void)
{
	actor_only_in_guest();
	actor_mail("support@example.org");
	return 0;
}
