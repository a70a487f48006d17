/*
 * worker/yield.h - what a cell has left in its arena when it is done, or
 * why there is nothing.
 */
#ifndef SLUICE_WORKER_YIELD_H
#define SLUICE_WORKER_YIELD_H

#include "worker/wire.h"

#include <stdbool.h>

struct conf;
struct mef_bag;
struct reading;

/* At most one is set; the caller's to free. */
struct yield {
	struct reading *reading; /* of TASK_MESSAGE */
	struct mef_bag *bag;     /* of the others */
};

/*
 * Seal the arena, so that nobody changes it any more, and read it; trusts
 * nothing of it.  Returns 0; -ENODATA: the cell did not come to an end;
 * -EBADMSG and what else reading_open() and mef_bag_unpack() return; or
 * -errno.  Blocks for the reading of the arena.
 */
int yield_open(int arena, enum task_what what, struct yield *ret);

/*
 * The answer of an engine whose cell left nothing, by how it ended.
 *
 * is_late  we have had it killed, at its deadline
 */
void yield_explain(const struct conf *conf, const char *engine, bool is_late,
    const struct wire_cell_gone *gone, struct engine_answer *ret);

#endif
