/*
 * flow/dialogue.h - the SMTP of a flow, read only as far as needed to know
 * where each message ends and by which keys it is known.
 *
 * Segments are put in order first; ones that came too early are held, within
 * bounds.  Where the clear text ends (STARTTLS), octets are missing or nothing
 * fits any more, reading ends for good, and only the ends of the flow are left
 * to find it by.  Pure but for its memory.
 */
#ifndef SLUICE_FLOW_DIALOGUE_H
#define SLUICE_FLOW_DIALOGUE_H

#include "flow/key.h"
#include "flow/packet.h"
#include "flow/spans.h"

/* Segments, and octets of them, that may wait for what is before them. */
#define DIALOGUE_HELD_MAX   16
#define DIALOGUE_HELD_BYTES 32768

enum dialogue_mode {
	DIALOGUE_COMMANDS,
	DIALOGUE_WAITS_DATA, /* DATA was said, its reply not seen */
	DIALOGUE_WAITS_TLS,
	DIALOGUE_DATA,  /* up to the dot */
	DIALOGUE_CHUNK, /* of BDAT */
	DIALOGUE_TLS,   /* from here on all is secret */
	DIALOGUE_LOST,  /* octets are missing, or it is no SMTP */
};

/* What is asked for and not yet answered, in order. */
struct dialogue_asked {
	uint8_t what;
	uint16_t n; /* times in a row */
};
#define DIALOGUE_ASKED_MAX 8

struct dialogue_held;

/* Zeros are a dialogue that hasn't begun. */
struct dialogue {
	struct dialogue_held *held;
	char *id; /* value of a Message-ID that is being read */
	size_t id_room_bytes;
	uint64_t chunk_left;
	struct flow_key id_key;
	uint32_t next_in, next_out; /* sequence numbers */
	uint16_t n_held, id_n;
	uint16_t ended, answered; /* messages */
	struct dialogue_asked asked[DIALOGUE_ASKED_MAX];
	uint8_t n_asked;
	uint8_t mode;         /* enum dialogue_mode */
	uint8_t at;           /* in a line of a message */
	uint8_t field;        /* of its header */
	uint8_t n_in, n_out;  /* octets of lines below */
	bool has_in, has_out; /* a SYN of that side */
	bool in_message, is_last_chunk, was_cr, has_id_key;
	char line_in[48], line_out[120]; /* begin of the current lines */
};

/* Told as it is read; ordinals count from 1.  key NULL: none. */
struct dialogue_sink {
	/* The client has sent a message whole. */
	void (*ended)(
	    void *arg, unsigned int ordinal, const struct flow_key *id);
	/* Our server has taken it, and named it. */
	void (*named)(
	    void *arg, unsigned int ordinal, const struct flow_key *queue);
	void *arg;
};

void dialogue_done(struct dialogue *dialogue, struct flow_budget *budget);

/* One segment, in the order in which they were captured. */
void dialogue_segment(struct dialogue *dialogue, const struct packet *packet,
    bool is_in, struct flow_budget *budget, const struct dialogue_sink *sink);

/* "smtp", "tls", "lost".  Valid for ever. */
const char *dialogue_mode_name(const struct dialogue *dialogue);

#endif
