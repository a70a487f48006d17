/*
 * tools/sluice/gate_rule.h - when mail is refused: values in, values out.
 *
 * A message goes to the lane that is empty first of those that admit its
 * size.  So what one of s octets has to wait is the least of those lanes, and
 * a larger message never waits less.  What is taken is therefore one number:
 * messages of up to takes_bytes.  It is lowered past a lane when the wait
 * there reaches full_usec and raised again when that is down to resume_usec.
 */
#ifndef SLUICE_TOOLS_GATE_RULE_H
#define SLUICE_TOOLS_GATE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_MAX_LANES 64

struct gate_limits {
	uint64_t full_usec, resume_usec; /* resume below full */
	uint64_t full_percent, resume_percent;
};

/* What was seen at one moment. */
struct gate_sight {
	size_t lanes; /* 1 .. GATE_MAX_LANES */
	struct {
		uint64_t max_bytes; /* UINT64_MAX: no limit */
		uint64_t wait_usec; /* of a message that came there now */
	} lane[GATE_MAX_LANES];
	uint64_t used_percent; /* of the disk's blocks or inodes, the more */
};

/* What has been decided. */
struct gate_rule {
	uint64_t takes_bytes; /* UINT64_MAX: every size; 0: none */
	bool full;            /* the disk: none at all */
};

#define GATE_RULE_OPEN ((struct gate_rule){.takes_bytes = UINT64_MAX})

enum gate_answer { GATE_TAKE, GATE_BUSY, GATE_FULL };

/* The wait of a message of that size, in microseconds. */
uint64_t gate_wait_usec(const struct gate_sight *sight, uint64_t bytes);

/* What follows from former and from what is seen now. */
struct gate_rule gate_decide(struct gate_rule former,
    const struct gate_limits *limits, const struct gate_sight *sight);

/* bytes 0: not known, so it may be any size. */
enum gate_answer gate_answer(const struct gate_rule *rule, uint64_t bytes);

bool gate_is_open(const struct gate_rule *rule);

#endif
