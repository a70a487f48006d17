/*
 * worker/mef/moments.h - sums of products, from which the weights of a linear
 * judgement are solved.
 *
 * A document becomes a short vector of whole numbers: its words, imports,
 * facts and script words are hashed with a sign into the places of their block
 * and divided by the root of their number (Weinberger et al., "Feature Hashing
 * for Large Scale Multitask Learning", 2009); then come the shapes of its
 * strings.  The sums over all documents of a class of x and of x times x' are
 * all that regularised least squares needs, and are added and taken away as
 * counts are.
 */
#ifndef SLUICE_WORKER_MEF_MOMENTS_H
#define SLUICE_WORKER_MEF_MOMENTS_H

#include "worker/mef/bag.h"
#include "worker/mef/shape.h"

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_WORDS   1024u
#define MOMENT_SHAPES  (2 * SHAPES + 1)
#define MOMENT_IMPORTS 256u
#define MOMENT_HEADER  512u
#define MOMENT_SCRIPT  128u
/* The last one is constant. */
#define MOMENT_DIMS \
	(MOMENT_WORDS + MOMENT_SHAPES + MOMENT_IMPORTS + MOMENT_HEADER + \
	    MOMENT_SCRIPT + 1)

/* One class: the lower triangle of the sums of products, row by row. */
#define MOMENT_SUMS ((uint64_t)MOMENT_DIMS * (MOMENT_DIMS + 1) / 2)

struct moments {
	int64_t *sums; /* MOMENT_SUMS; borrowed */
};

/* The family that a place of the vector belongs to; of the constant words. */
enum mef_family moment_family(unsigned int place);

/* The vector of a finished bag. */
void moment_vector(const struct mef_bag *bag, int32_t x[MOMENT_DIMS]);

/* Add sign (1 or -1) times the products of x. */
void moments_count(
    struct moments moments, const int32_t x[MOMENT_DIMS], int sign);

/*
 * Vectors that are kept until there are enough of them: the sums are 16 MB,
 * and to walk through them once for 32 documents takes little more than for
 * one.
 */
#define MOMENT_LOT 32u

struct moments_lot {
	unsigned int n;
	int sign;                           /* of all of them */
	int16_t x[MOMENT_DIMS][MOMENT_LOT]; /* of each document a column */
};

/*
 * Put x into a lot that has room and is empty or of that sign.  Returns false,
 * and the lot is as before, when a number of x is too large for one: real ones
 * are not.
 */
bool moments_put(
    struct moments_lot *lot, const int32_t x[MOMENT_DIMS], int sign);

/* Add what moments_count() would add for each vector; the lot is then empty. */
void moments_count_lot(struct moments moments, struct moments_lot *lot);

/*
 * Weights w of least squares, sum over classes of the mean of (w.x - y)^2
 * with y of 1 for malicious and -1 for benign, plus a ridge.  A place that no
 * document has gets 0.  All 0 when a class has no document.
 *
 * n  documents of each class
 *
 * Returns MOMENT_DIMS numbers that the caller frees.  Takes a second.
 */
double *moments_solve(const struct moments benign,
    const struct moments malicious, const uint64_t n[2]);

#endif
