/*
 * flow/table.h - all flows that are followed: which one a packet belongs to,
 * and which ones are given up when there are too many.
 *
 * Pure but for its memory, all of which is bounded by flow_table_new().  Time
 * is that of the packets.  docs/decisions/0012-flows.md says why it is so.
 */
#ifndef SLUICE_FLOW_TABLE_H
#define SLUICE_FLOW_TABLE_H

#include "flow/dialogue.h"
#include "flow/follow.h"

#define FLOW_PORTS_MAX 16

struct flow_limits {
	uint16_t ports[FLOW_PORTS_MAX]; /* of our servers; any of them */
	size_t n_ports;
	uint32_t proven_max, unproven_max; /* flows; each at least 1 */
	size_t budget_bytes; /* what flows in trouble may allocate */
	/* Silence after which a flow is given up; 0: never. */
	int64_t idle_nsec, closed_nsec, unproven_nsec;
};

/* The caps that the program has; budget: 24 MiB, so that 100,000 flows, all of
 * them in trouble, stay below 100 MB (tests/bench/flow). */
#define FLOW_PROVEN_MAX   120000
#define FLOW_UNPROVEN_MAX 16384
#define FLOW_BUDGET_BYTES (UINT32_C(24) << 20)

enum flow_list {
	FLOW_UNPROVEN,
	FLOW_PROVEN,
	FLOW_ENDED, /* closed or reset, but late segments still count */
	FLOW_LISTS
};

/* Why a flow is no longer in the table. */
enum flow_end {
	FLOW_END_CLOSED,
	FLOW_END_IDLE,
	FLOW_END_PUSHED,   /* out, by others: a cap was reached */
	FLOW_END_REPLACED, /* the same ends have a new connection */
	FLOW_END_CUT,      /* the capture ended before the flow did */
	FLOW_ENDS
};

/* "closed", "idle", "pushed-out", "replaced", "cut".  Valid for ever. */
const char *flow_end_name(enum flow_end end);

struct flow {
	struct packet_end client, server;
	uint64_t serial; /* no two flows of a process have the same */
	struct follow follow;
	struct dialogue dialogue; /* its segments are the caller's to pass */
	int64_t listed_nsec;
	uint32_t next;         /* in its bucket */
	uint32_t newer, older; /* in its list */
	uint8_t list;
	uint8_t kept_state; /* the caller's: when it was last looked at */
};

struct flow_table_stats {
	uint64_t packets, strangers; /* not of our ports */
	uint64_t flows;
	uint64_t ends[FLOW_ENDS];
	uint64_t unproven_pushed; /* of ends[FLOW_END_PUSHED] */
	uint32_t now[FLOW_LISTS];
	size_t budget_left_bytes;
};

struct flow_table;

/*
 * A flow ends.  It may be read, and is gone when this returns.
 */
typedef void flow_end_fn(void *arg, struct flow *flow, enum flow_end end);

/* limits are copied; fn and arg must outlive the table. */
struct flow_table *flow_table_new(
    const struct flow_limits *limits, flow_end_fn *fn, void *arg);

/* Forgets flows without telling.  NULL is allowed.  Returns NULL. */
struct flow_table *flow_table_free(struct flow_table *table);

/*
 * Let a packet count.  Returns its flow, valid until the next call, and in
 * *ret_is_in whether it came from the client; NULL: of none of our ports.
 */
struct flow *flow_table_see(
    struct flow_table *table, const struct packet *packet, bool *ret_is_in);

/* Give up what has been silent for too long, as of now; bounded work. */
void flow_table_expire(struct flow_table *table, int64_t nsec);

/* All flows end, in the order in which they began to be silent. */
void flow_table_end_all(struct flow_table *table, enum flow_end end);

/*
 * The flow of a client's address and port, the newest that is proven, else
 * the newest; NULL: none.  Server's ends are not told apart but by time.
 */
struct flow *flow_table_find(
    struct flow_table *table, const struct packet_end *client);

/* What flows may still allocate. */
struct flow_budget *flow_table_budget(struct flow_table *table);

struct flow_table_stats flow_table_stats(const struct flow_table *table);

#endif
