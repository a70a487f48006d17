/*
 * worker/book_claims.h - who judges which key, and who waits for it.
 *
 * A claim is a queue of seats: the first holds the claim, the others wait.
 * Pure: no sockets, no clock, no disk.
 */
#ifndef SLUICE_WORKER_BOOK_CLAIMS_H
#define SLUICE_WORKER_BOOK_CLAIMS_H

#include "worker/table.h"

/* What a verdict is filed under; engine and context padded with NULs. */
struct book_key {
	struct digest digest;
	char engine[TABLE_ENGINE_MAX];
	char context[TABLE_CONTEXT_MAX];
};

struct claims;
struct claims_asker; /* one connection */

/* The seat of that asker, job and index now holds the claim. */
typedef void claims_pass_fn(
    void *arg, void *asker_arg, uint64_t job, uint32_t index);
/* That seat's wait has ended with a verdict. */
typedef void claims_tell_fn(
    void *arg, void *asker_arg, uint64_t job, uint32_t index, void *verdict);

struct claims *claims_new(
    claims_pass_fn *pass, claims_tell_fn *tell, void *arg);
struct claims *claims_free(struct claims *claims); /* askers first */

/* asker_arg comes back in the two calls above. */
struct claims_asker *claims_join(struct claims *claims, void *asker_arg);
/* Take all seats of the asker away; held claims pass on. */
void claims_leave(struct claims *claims, struct claims_asker *asker);
/* The same for one job of it. */
void claims_drop(
    struct claims *claims, struct claims_asker *asker, uint64_t job);

/* Sit down.  Returns true: the claim is the asker's; false: it waits. */
bool claims_ask(struct claims *claims, struct claims_asker *asker, uint64_t job,
    uint32_t index, const struct book_key *key);

/* A verdict: every other seat is told, and the claim is gone. */
void claims_settle(struct claims *claims, const struct claims_asker *asker,
    const struct book_key *key, void *verdict);
/* No verdict: if asker holds the claim, it passes on. */
void claims_give_up(struct claims *claims, const struct claims_asker *asker,
    const struct book_key *key);

/* Claims in flight. */
size_t claims_count(const struct claims *claims);

#endif
