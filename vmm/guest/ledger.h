/*
 * vmm/guest/ledger.h - what lay in the places that matter before the run, to
 * be compared with what lies there after it: whatever calls were used, and
 * whatever the vantage points missed, a document that changed has changed.
 */
#ifndef SLUICE_VMM_GUEST_LEDGER_H
#define SLUICE_VMM_GUEST_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scene;

#define LEDGER_FILES 256  /* of a reference; more are not looked at */
#define LEDGER_TOLD  2048 /* paths; after so many nothing is compared */

struct ledger_file {
	uint64_t path; /* digests, no secrets: not cryptographic */
	uint64_t content;
	bool is_there;
	char name[120];
};

struct ledger {
	struct ledger_file files[LEDGER_FILES];
	size_t count;
	uint64_t told[LEDGER_TOLD];
	size_t told_count;
};

/* Is it a place where programs put what they need for a while? */
bool ledger_is_cheap(const char *path);

/* Write down what there is. */
void ledger_take(struct ledger *ledger);

/* The report has an event of this path. */
void ledger_tell(struct ledger *ledger, const char *path);

/* Report as the agent's what is new, gone or other and was not told. */
void ledger_compare(struct ledger *ledger, struct scene *scene);

#endif
