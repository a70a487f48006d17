#include "tools/sluice/gate_rule.h"

uint64_t
gate_wait_usec(const struct gate_sight *sight, uint64_t bytes)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < sight->lanes; i++)
		if (sight->lane[i].max_bytes >= bytes &&
		    sight->lane[i].wait_usec < least)
			least = sight->lane[i].wait_usec;
	return least;
}

/* Once refused, a size stays so until it is down to the lower mark. */
static bool
is_over(bool was, uint64_t value, uint64_t full, uint64_t resume)
{
	return value >= full || (was && value > resume);
}

struct gate_rule
gate_decide(struct gate_rule former, const struct gate_limits *limits,
    const struct gate_sight *sight)
{
	struct gate_rule rule = {0};

	/* The wait grows with the size, so the largest size that may pass is
	 * the limit of a lane, and all below it may pass too. */
	for (size_t i = 0; i < sight->lanes; i++) {
		uint64_t bytes = sight->lane[i].max_bytes;
		bool was = bytes > former.takes_bytes;

		if (bytes > rule.takes_bytes &&
		    !is_over(was, gate_wait_usec(sight, bytes),
			limits->full_usec, limits->resume_usec))
			rule.takes_bytes = bytes;
	}
	rule.full = is_over(former.full, sight->used_percent,
	    limits->full_percent, limits->resume_percent);
	return rule;
}

enum gate_answer
gate_answer(const struct gate_rule *rule, uint64_t bytes)
{
	if (rule->full)
		return GATE_FULL;
	if (bytes == 0)
		bytes = UINT64_MAX;
	return bytes <= rule->takes_bytes ? GATE_TAKE : GATE_BUSY;
}

bool
gate_is_open(const struct gate_rule *rule)
{
	return !rule->full && rule->takes_bytes == UINT64_MAX;
}
