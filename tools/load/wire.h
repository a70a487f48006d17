/*
 * tools/load/wire.h - a message as it goes over SMTP, both directions, as
 * streams: memory doesn't grow with the message.
 *
 * Outward: bare LF becomes CRLF, dots are stuffed, one header line is put at
 * the END of the header block.  Not at its top: scanners tell mail from other
 * files by the first header line.  Inward: dots unstuffed, end found.
 */
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

#include "base.h"
#include "bodyhash.h"

struct evbuffer;

struct wire_out {
	const char *extra;     /* borrowed: "Name: value\r\n" */
	struct bodyhash *hash; /* of the body, as sent but unstuffed */
	struct buf line;       /* a header line not judged yet */
	uint64_t bytes;        /* octets so far, unstuffed, with extra */
	bool in_body;
	bool is_first;
	bool in_long_line; /* rest of a header line too long to hold */
	bool at_line_start;
	bool after_cr;
};

/* extra must outlive w. */
void wire_out_init(struct wire_out *w, const char *extra);
void wire_out_done(struct wire_out *w);

/* Encode some more of a message; a message ends with wire_out_end(), which
 * closes an open last line.  The final dot is the caller's. */
void wire_out_add(
    struct wire_out *w, const char *data, size_t len, struct evbuffer *out);
void wire_out_end(struct wire_out *w, struct evbuffer *out);

/* Called with runs of the unstuffed message, body or not. */
typedef void wire_store_fn(void *arg, const char *data, size_t len);

struct wire_in {
	struct bodyhash *hash;
	struct buf headers; /* complete header lines */
	size_t line_start;  /* of the line being collected, in headers */
	uint64_t bytes;
	wire_store_fn *store; /* may be NULL */
	void *store_arg;
	bool in_body;
	int state;
};

void wire_in_init(struct wire_in *w, wire_store_fn *store, void *arg);
void wire_in_reset(struct wire_in *w);
void wire_in_done(struct wire_in *w);

/* Take bytes; returns how many were used: all, or up to and with the final
 * dot's line, and then *ret_end is true. */
size_t wire_in_take(
    struct wire_in *w, const char *data, size_t len, bool *ret_end);

#endif
