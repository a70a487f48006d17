/*
 * flow/follow.h - what one flow's segments say about its features.
 *
 * Pure: a segment and the time it was captured change the state.  The exact
 * rules, and what is missing when: docs/flow.md.
 */
#ifndef SLUICE_FLOW_FOLLOW_H
#define SLUICE_FLOW_FOLLOW_H

#include "flow/feature.h"
#include "flow/packet.h"
#include "flow/spans.h"

/* Segments of ours that wait for their ACK, at most; with more, the oldest is
 * not timed. */
#define FOLLOW_SENT_MAX 256

/* Mean and variance as they come (Welford 1962). */
struct follow_moments {
	uint32_t n;
	double mean, squares;
};

struct follow_sent {
	int64_t from, to; /* offsets */
	int64_t nsec;
	bool is_twice; /* an octet of it was sent again: not timed */
};

struct follow_side {
	struct spans spans;
	uint32_t base;    /* sequence number of offset 0 */
	uint32_t syn_seq; /* of the first SYN */
	uint32_t packets, rxmt;
	uint16_t fin, rst;
	uint8_t scale; /* of its SYN */
	bool has_base, has_syn;
};

/* Order matters: it only grows. */
enum follow_state {
	FOLLOW_HALF_OPEN, /* not yet proven */
	FOLLOW_OPEN,
	FOLLOW_CLOSING, /* a FIN of one side */
	FOLLOW_CLOSED,  /* of both */
	FOLLOW_RESET,
};

struct follow {
	struct follow_side in, out;
	struct follow_moments rtt, gaps;
	struct follow_sent *sent; /* in the order in which it was sent */
	size_t sent_room_bytes;
	uint16_t n_sent;
	uint16_t syn_rxmt;
	uint64_t bytes_in;
	int64_t first_nsec, last_nsec;
	int64_t in_nsec; /* last packet of the client */
	int64_t idle_max_nsec;
	int64_t syn_nsec, syn_ack_nsec, ack_nsec; /* of the handshake */
	int64_t acked; /* offset up to which the client has acknowledged */
	uint32_t ack;  /* of the client's last segment with ACK */
	uint32_t ooo_in, dupack_in, win_zero;
	uint16_t ack_window;
	uint16_t win_init;
	uint32_t win_min; /* scaled */
	uint8_t state;    /* enum follow_state */
	uint8_t ttl;      /* of the client's first packet; 0: none was seen */
	bool has_ack, has_acked, has_win_min, has_handshake;
	bool is_proven;      /* neither end was forged */
	bool is_approximate; /* something was left out for want of room */
};

/* Zeros are a flow that has seen nothing. */
void follow_done(struct follow *follow, struct flow_budget *budget);

/* One segment; is_in: from the client. */
void follow_segment(struct follow *follow, const struct packet *packet,
    bool is_in, struct flow_budget *budget);

void follow_features(
    const struct follow *follow, struct flow_features *ret_features);

/* "half-open", "open", "closing", "closed", "reset".  Valid for ever. */
const char *follow_state_name(enum follow_state state);

#endif
