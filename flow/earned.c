#include "flow/learn_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <math.h>
#include <stdlib.h>

#define TIMES 10 /* as often as ham must spam be above the threshold */

struct judgement {
	uint64_t peer;
	double score;
	bool is_spam, is_doubtful;
};

static int
by_peer(const void *a, const void *b)
{
	const uint64_t x = ((const struct judgement *)a)->peer;
	const uint64_t y = ((const struct judgement *)b)->peer;

	return (x > y) - (x < y);
}

static int
downwards(const void *a, const void *b)
{
	const double x = ((const struct judgement *)a)->score;
	const double y = ((const struct judgement *)b)->score;

	return (x < y) - (x > y);
}

/* Who is labelled a sender of spam more often than of ham: his ham may be
 * spam as well. */
static void
doubt(struct judgement *j, size_t n)
{
	size_t end;

	qsort(j, n, sizeof(*j), by_peer);
	for (size_t first = 0; first < n; first = end) {
		size_t of[2] = {0, 0};

		for (end = first; end < n && j[end].peer == j[first].peer;
		     end++)
			of[j[end].is_spam]++;
		for (size_t i = first; i < end; i++)
			j[i].is_doubtful =
			    !j[i].is_spam && j[i].peer != 0 && of[1] > of[0];
	}
}

/* The lowest score that at most one ham in FLOW_FALSE_IN exceeds, and how many
 * do; ret_above is untouched by those that are passed over. */
static double
threshold_of(
    struct judgement *j, size_t n, const size_t all[2], size_t ret_above[2])
{
	const size_t most = all[0] / FLOW_FALSE_IN;
	size_t passed_over = (size_t)(FLOW_WRONG_MOST * (double)all[0]), end;

	qsort(j, n, sizeof(*j), downwards);
	for (size_t first = 0; first < n; first = end) {
		size_t above[2] = {ret_above[0], ret_above[1]};

		/* Equal scores stay together. */
		for (end = first; end < n && j[end].score >= j[first].score;
		     end++) {
			if (j[end].is_doubtful && passed_over > 0)
				passed_over--;
			else
				above[j[end].is_spam]++;
		}
		if (above[0] > most)
			return j[first].score;
		ret_above[0] = above[0];
		ret_above[1] = above[1];
	}
	return -INFINITY;
}

double
flow_earned(const struct flow_heard *records, size_t n)
{
	CLEANUP(free_ptr) struct judgement *j = xcalloc(n + 1, sizeof(*j));
	size_t all[2] = {0, 0}, above[2] = {0, 0};
	double threshold;

	for (size_t i = 0; i < n; i++) {
		j[i] = (struct judgement){.peer = records[i].peer,
		    .score = records[i].judged.score,
		    .is_spam = records[i].judged.is_spam};
		all[j[i].is_spam]++;
	}
	if (all[0] < FLOW_TRIED || all[1] < FLOW_TRIED)
		return INFINITY;
	doubt(j, n);
	threshold = threshold_of(j, n, all, above);
	return flow_share_low(above[1], all[1]) >=
		       TIMES * flow_share_high(above[0], all[0])
		   ? threshold
		   : INFINITY;
}
