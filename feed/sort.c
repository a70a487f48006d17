#include "feed/sort.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const char *const names[FEED_POLICIES] = {
    [FEED_SIZE] = "size",
    [FEED_SIZE_LOAD] = "size+load",
    [FEED_LEAST_WORK] = "least-work",
    [FEED_SMALL_FIRST] = "small-first",
    [FEED_STEAL] = "steal",
};

const char *
feed_policy_name(enum feed_policy policy)
{
	assert(policy < FEED_POLICIES);
	return names[policy];
}

int
feed_policy_parse(const char *name, enum feed_policy *ret_policy)
{
	for (int i = 0; i < FEED_POLICIES; i++)
		if (strcmp(name, names[i]) == 0) {
			*ret_policy = (enum feed_policy)i;
			return 0;
		}
	return -EINVAL;
}

int
feed_limits_make(size_t lanes, const uint64_t *max_bytes, size_t count,
    struct feed_limits *ret_limits)
{
	struct feed_limits limits = {.lanes = lanes};

	if (lanes < 1 || lanes > FEED_MAX_LANES || count >= lanes)
		return -EINVAL;
	for (size_t i = 1; i < count; i++)
		if (max_bytes[i] <= max_bytes[i - 1])
			return -EINVAL;
	for (size_t i = 0; i < lanes; i++)
		limits.max_bytes[i] = i < count ? max_bytes[i] : UINT64_MAX;
	*ret_limits = limits;
	return 0;
}

size_t
feed_class(const struct feed_limits *limits, uint64_t bytes)
{
	size_t class = 0;

	/* Counted, not searched: limits ascend, and it has no branch that a
	 * message's size decides. */
	for (size_t i = 0; i + 1 < limits->lanes; i++)
		class += limits->max_bytes[i] < bytes;
	return class;
}

/* The least loaded lane from the class'th on; of equals the first. */
static size_t
least_loaded(
    const struct feed_limits *limits, const uint64_t *empty_usec, size_t class)
{
	size_t best = class;

	for (size_t i = class + 1; i < limits->lanes; i++)
		if (empty_usec[i] < empty_usec[best])
			best = i;
	return best;
}

size_t
feed_pick(enum feed_policy policy, const struct feed_limits *limits,
    const uint64_t *empty_usec, uint64_t bytes)
{
	assert(limits->lanes >= 1 && limits->lanes <= FEED_MAX_LANES);
	switch (policy) {
	case FEED_SIZE:
		return feed_class(limits, bytes);
	case FEED_SIZE_LOAD:
	case FEED_STEAL:
		return least_loaded(
		    limits, empty_usec, feed_class(limits, bytes));
	case FEED_LEAST_WORK:
		return least_loaded(limits, empty_usec, 0);
	case FEED_SMALL_FIRST:
	case FEED_POLICIES:
		break;
	}
	assert(false && "nothing is placed on arrival");
	return limits->lanes - 1;
}

uint64_t
feed_due(uint64_t arrived_usec, uint64_t service_usec, uint64_t patience)
{
	uint64_t due_usec;

	/* One that is never due still comes before an empty class. */
	if (__builtin_mul_overflow(service_usec, patience, &due_usec) ||
	    __builtin_add_overflow(due_usec, arrived_usec, &due_usec) ||
	    due_usec == UINT64_MAX)
		return UINT64_MAX - 1;
	return due_usec;
}

/* Whether k workers besides lane are free or soon will be; of fewer, all. */
static bool
leaves(const struct feed_limits *limits, size_t lane, size_t k,
    const uint64_t *empty_usec, uint64_t soon_usec)
{
	size_t soon = 0, others = 0;

	for (size_t i = 0; i < limits->lanes; i++) {
		const bool runs = i != lane && empty_usec[i] != UINT64_MAX;

		others += runs;
		soon += runs && empty_usec[i] <= soon_usec;
	}
	return soon >= (k < others ? k : others);
}

size_t
feed_take(const struct feed_limits *limits, size_t lane,
    const uint64_t *due_usec, const uint64_t *empty_usec,
    const uint64_t *limit_usec)
{
	uint64_t best_usec = due_usec[0];
	size_t best = best_usec == UINT64_MAX ? limits->lanes : 0;

	for (size_t k = 1; k < limits->lanes; k++) {
		if (limits->max_bytes[k - 1] == UINT64_MAX ||
		    !leaves(limits, lane, k, empty_usec, limit_usec[k - 1]))
			break; /* nor may it take what is larger still */
		if (due_usec[k] < best_usec) {
			best = k;
			best_usec = due_usec[k];
		}
	}
	return best;
}

size_t
feed_steal(const struct feed_limits *limits, size_t lane,
    const uint64_t *empty_usec, const uint64_t *head_bytes)
{
	size_t best = limits->lanes;

	for (size_t i = 0; i < limits->lanes; i++)
		if (i != lane && head_bytes[i] != UINT64_MAX &&
		    head_bytes[i] <= limits->max_bytes[lane] &&
		    (best == limits->lanes || empty_usec[i] > empty_usec[best]))
			best = i;
	return best;
}
