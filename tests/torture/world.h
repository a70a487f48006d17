/*
 * tests/torture/world.h - one move and what must be true around it.
 *
 * A case is a kind of move (plain, with a header added, of a split envelope,
 * a batch of three, wrapped, wrapped of a split envelope) to one target.
 * Messages lie in in/ when the target is feed1/, else in feed1/; to feed2/
 * they are stolen.  Those that are wrapped come to feed1/ from feed2/, since in
 * in/ nobody wraps.
 */
#ifndef SLUICE_TESTS_WORLD_H
#define SLUICE_TESTS_WORLD_H

#include "queues/spool.h"

#include <stdbool.h>

#define WORLD_MAX    3
#define WORLD_HEADER "X-Sluice: torture"

enum world_kind {
	WORLD_PLAIN,
	WORLD_HEADERED,
	WORLD_SPLIT,
	WORLD_BATCH,
	WORLD_WRAPPED,
	WORLD_WRAPPED_SPLIT,
	WORLD_KINDS,
};

struct world {
	struct spool *spool;
	enum world_kind kind;
	enum spool_dir from;
	int n; /* messages that move */
	enum spool_dir to[WORLD_MAX];
	int result[WORLD_MAX]; /* of the last world_move() */
};

const char *world_kind_name(enum world_kind kind);
bool world_is_wrapped(enum world_kind kind);

/* Empty the spool and put the messages of a case into it. */
void world_begin(struct world *w, enum world_kind kind, enum spool_dir to);

/*
 * Move every message that is still in from: open the journal, claim, add the
 * header if it is missing or wrap, move the batch.  armed is called just before
 * the first call that belongs to the move.  Returns move_batch()'s answer, or
 * that of a step before it.
 */
int world_move(struct world *w, void (*arm)(void *), void *arg);

/* The one message, from feed1 to feed2 as it is, by somebody else; it goes on
 * from there.  What it was before does not count. */
void world_steal(struct world *w);

/* Where message i is; fails the test unless its qf is in exactly one place,
 * whole, with its own df beside it; of one that is wrapped: the old qf with the
 * old body, as df or of, or the new qf with the new body around the old one. */
enum spool_dir world_find(const struct world *w, int i);

/* Both must hold at any instant, whatever has happened. */
void world_check_always(const struct world *w);

/* And this after recovery and a move that went well: every message in its
 * target, no other file anywhere, the journal's last word agrees. */
void world_check_end(const struct world *w);

#endif
