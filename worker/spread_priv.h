/*
 * worker/spread_priv.h - what spread.c and spread_clients.c share.
 */
#ifndef SLUICE_WORKER_SPREAD_PRIV_H
#define SLUICE_WORKER_SPREAD_PRIV_H

#include "worker/spread.h"

struct spread_work {
	const struct spread_frame *frame;
	struct spread_life *life;
	struct spread_period *periods;
	size_t n_copies;
	double rate_sum;   /* of the senders' births per minute */
	uint64_t affected; /* held it in one of the periods */
};

/* All that is counted by client: sources, new_clients, holders, and of the
 * life senders, clients, rates and replicator; rate_sum and affected. */
void spread_clients(struct spread_work *w, const struct spread_copy *copies);

#endif
