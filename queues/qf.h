/*
 * queues/qf.h - what sendmail 8.17 wrote into a control file (version V8).
 */
#ifndef SLUICE_QUEUES_QF_H
#define SLUICE_QUEUES_QF_H

#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QF_MAX_BYTES \
	(16 * 1024 * 1024) /* sendmail's MaxHeadersLength: 32 KiB; \
			    * recipients make the rest */

struct qf {
	struct wall created; /* T */
	char *sender;        /* S, without <>; "" for the null sender */
	size_t recipients;   /* R lines */
	char **rcpt;         /* the first QF_MAX_RCPT of them, without <> */
	size_t n_rcpt;
	char *client;  /* "$_": host and address of the client */
	char *headers; /* RFC 5322 header block, LF line ends, as the
			* next hop would get it, without the blank
			* line; NUL-terminated */
	size_t headers_len;
	bool eight_bit; /* "8" among the flags, or B8BITMIME */
};

#define QF_MAX_RCPT 64

/*
 * The header block is what sendmail sends when it has none of the mailer
 * flags that add headers (etc/out.mc): headers with flags, with an unexpanded
 * macro, Return-Path, Full-Name, Content-Length, and Bcc when F has b, are
 * left out; octets quoted by \377 are unquoted; lines above 2303 octets are
 * broken and cut as sendmail does (docs/queue-states.md, "What a qf says").
 */

/*
 * Parse a control file.  text is not changed; NULs in it are an error.
 * Returns 0; -EBADMSG: no "V" line first, unknown version, no "." line, a
 * "d" record (several queue groups), an impossible line, more than
 * QF_MAX_BYTES; *ret_reason says which (constant string); -ENOMEM.  Fuzzed by
 * tests/fuzz/fuzz_qf.c.
 */
int qf_parse(
    const char *text, size_t len, struct qf **ret_qf, const char **ret_reason);
struct qf *qf_free(struct qf *qf);
void qf_freep(struct qf **qf);

/*
 * The value of the first header named name (case-insensitive), unfolded,
 * leading blanks removed; written to buf, cut to fit.  false: none.
 */
bool qf_header(const struct qf *qf, const char *name, char *buf, size_t size);

#endif
