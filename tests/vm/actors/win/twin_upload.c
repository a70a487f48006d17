#include "tests/vm/actors/win/actor.h"

/* Sends the one document that its user chose. */
int
main(void)
{
	static char octets[65536];
	size_t n;

	actor_only_in_guest();
	n = actor_read(DOCUMENTS "\\budget.csv", octets, sizeof(octets));
	return actor_send("198.51.100.80", 443, octets, n, NULL, 0) < 0;
}
