/*
 * flow/records.h - what is remembered of messages and of flows that ended, and
 * how it is found again.
 *
 * A message has a record once it has arrived whole, a flow once it is closed.
 * A fixed number is kept, the oldest goes first.  Pure but for its memory.
 */
#ifndef SLUICE_FLOW_RECORDS_H
#define SLUICE_FLOW_RECORDS_H

#include "flow/feature.h"
#include "flow/key.h"
#include "flow/packet.h"

/* Fixed: it is what the journal holds.  No padding. */
struct flow_record {
	uint8_t client_address[16], server_address[16];
	uint16_t client_port, server_port;
	uint16_t ordinal;  /* of the message; 0: the flow, at its end */
	uint16_t messages; /* that had arrived */
	uint8_t state;     /* enum follow_state */
	uint8_t end;       /* enum flow_end; of a flow */
	uint8_t has_queue, has_id, is_approximate, is_secret; /* TLS */
	uint8_t ttl; /* of the client's first packet; 0: unknown */
	uint8_t zero;
	int64_t start_nsec; /* of the flow */
	int64_t at_nsec;    /* when these were its features */
	struct flow_key queue, id;
	struct flow_features features;
};

_Static_assert(
    sizeof(struct flow_record) == 64 + 2 * FLOW_KEY_BYTES + 8 * FLOW_FEATURES,
    "no padding");

struct flow_records;

/* Room for n at most, at least one. */
struct flow_records *flow_records_new(uint32_t n);
struct flow_records *flow_records_free(struct flow_records *records);

/* Keep a copy; it takes the place of one of the same flow and ordinal. */
void flow_records_put(
    struct flow_records *records, const struct flow_record *record);

/* That of the same flow and ordinal, until the next is put; NULL: none. */
const struct flow_record *flow_records_same(
    const struct flow_records *records, const struct flow_record *record);

enum flow_by {
	FLOW_BY_NOTHING,   /* not known */
	FLOW_BY_AMBIGUOUS, /* several connections carry that Message-ID */
	FLOW_BY_CLIENT,
	FLOW_BY_QUEUE,
	FLOW_BY_ID,
};

/* What is asked for; has_ says what of it is known. */
struct flow_question {
	struct packet_end client;
	struct flow_key queue, id;
	bool has_client, has_queue, has_id;
	int64_t not_before_nsec; /* older records don't count */
};

/* The newest message of the client's with that queue id, else Message-ID;
 * NULL: none. */
const struct flow_record *flow_records_message(
    const struct flow_records *records, const struct flow_question *question);

/* The newest flow of the client's that has ended; NULL: none. */
const struct flow_record *flow_records_flow(
    const struct flow_records *records, const struct flow_question *question);

/* By queue id, then by Message-ID, whatever the client. */
const struct flow_record *flow_records_by_key(
    const struct flow_records *records, const struct flow_question *question,
    enum flow_by *ret_by);

uint32_t flow_records_count(const struct flow_records *records);

#endif
