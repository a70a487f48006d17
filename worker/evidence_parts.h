/*
 * worker/evidence_parts.h - the files that a message came with, from the
 * evidence that was kept of its judgement (worker/evidence.c wrote it).
 */
#ifndef SLUICE_WORKER_EVIDENCE_PARTS_H
#define SLUICE_WORKER_EVIDENCE_PARTS_H

#include "common/digest.h"

#include <stdint.h>

/* Octets of a verdict or engine that are taken; longer words are cut. */
#define EVIDENCE_WORD_MAX 32

/* One attachment, member of an archive or file behind a link. */
struct evidence_part {
	struct digest digest;
	uint64_t bytes;
	const char *name;    /* the first, UTF-8; "" when it has none */
	const char *verdict; /* the worst that an engine said; or "none" */
	const char *engine;  /* which; "" for "none" */
};

/* Strings are valid during the call.  Non-zero ends it and is returned. */
typedef int evidence_part_fn(void *arg, const struct evidence_part *part);

/*
 * Call fn for each part of a message that is a file for its reader: neither
 * its text nor what is known by name only.  The same content may come twice.
 *
 * json  the evidence of a journal line; NULL, or none of ours: no parts
 *
 * Returns 0 or what fn returned.  Never blocks.  Fuzzed by
 * tests/fuzz/fuzz_evidence_parts.c.
 */
int evidence_parts(const char *json, evidence_part_fn *fn, void *arg);

#endif
