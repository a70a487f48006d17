/*
 * worker/cell_priv.h - what the readers of one message share inside a cell.
 *
 * The octets of a part are written to the arena (worker/reading_write.h),
 * then cell_part() makes a part of them.  Readers never fail: what goes wrong
 * is noted with cell_status() and makes the message unknown.
 */
#ifndef SLUICE_WORKER_CELL_PRIV_H
#define SLUICE_WORKER_CELL_PRIV_H

#include "worker/cell.h"
#include "worker/names.h"
#include "worker/reading.h"
#include "worker/reading_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of octets of the message or of the arena; stays where it is. */
struct span {
	const char *at;
	size_t len;
};

struct cell_blob {
	uint64_t hash;
	uint64_t off;
	uint64_t bytes;
	int32_t part;
	int32_t last; /* its newest record: one for each declared type */
};

/* A compressed file and what it unfolds to: parts. */
struct cell_pair {
	int32_t outer;
	int32_t inner;
	size_t names; /* of outer that inner has got */
};

struct cell {
	struct span message;
	const struct cell_limits *limits;
	struct reading_writer *w;
	enum reading_status status;
	uint32_t ambiguity;
	bool hold;
	bool tidy;               /* give memory back: tests and fuzzers */
	const char *text;        /* why the status, or what is held for */
	char words[160];         /* what text may point at */
	struct cell_blob *blobs; /* open addressing, a power of two */
	size_t n_blobs;
	size_t room_blobs;
	struct cell_pair *pairs;
	size_t n_pairs;
	uint64_t headers;     /* header lines so far */
	uint64_t links_bytes; /* octets in which links were looked for */
	uint64_t work_bytes;  /* octets looked at beyond the standard view */
};

/* Where a part was found. */
struct source {
	int32_t parent;
	unsigned depth;
	enum reading_view view;
	uint32_t flags;            /* PART_... */
	uint32_t ambiguity;        /* AMBIGUOUS_..., noted if the part is new */
	const char *declared;      /* or NULL */
	const char *type;          /* or NULL: found out from the content */
	const struct names *names; /* or NULL */
	/* A type that contradicts nothing here: the same leaf, decoded
	 * otherwise, is of this type too.  Or NULL. */
	const char *expected;
};

/* Note why the reading is incomplete; the first reason stands. */
void cell_status(struct cell *c, enum reading_status status, const char *text);

/* Hold the message for this ambiguity; text (constant, ASCII, short) says
 * what for.  The first reason stands. */
void cell_hold(struct cell *c, uint32_t ambiguity, const char *text);

/*
 * Make a part of the arena's current blob, or add names and flags to the part
 * that has the same content already (and a record of its own for another
 * declared type, by which it may be opened); then read what is inside it.
 * Returns the part's index, or -1: over a budget.
 */
int32_t cell_part(struct cell *c, const struct source *src);

/* A part without octets of its own, type as in src.  Index or -1. */
int32_t cell_part_empty(struct cell *c, const struct source *src);

/* Part outer is a compressed file, part inner (or -1) all that is in it. */
void cell_unfolded(struct cell *c, int32_t outer, int32_t inner);
/* Name each of these parts as unfolding tools do: a.txt.gz gives a.txt. */
void cell_inner_names(struct cell *c);

/* Forget the current blob. */
void cell_drop(struct cell *c);

/* True and noted when depth is above the budget. */
bool cell_is_too_deep(struct cell *c, unsigned depth);

/*
 * Count work that only strange mail causes; false, and noted, when the
 * message asked for more of it than its size can explain.
 */
bool cell_may_work(struct cell *c, size_t bytes);

/*
 * How malloc(3) works in cells, said before their parent asks for memory; and
 * once it has all that it will ever need: leave no holes among its pieces, so
 * that what cells ask for comes from new pages side by side and not each from
 * a page of the parent's that has to be copied.  By glibc only.
 */
void cell_heap_prepare(void);
void cell_heap_settle(void);

/* The octets of a file, as they are.  0 or -errno as fstat(2), mmap(2). */
int cell_map(int fd, struct span *ret);

/* All that cell_read() does, in the caller's process. */
void cell_scan(struct cell *c);
void cell_done(struct cell *c);

#endif
