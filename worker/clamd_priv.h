/*
 * worker/clamd_priv.h - the parts of the clamd client: what its answers
 * mean, the probe, the fingerprint of its signatures.
 */
#ifndef SLUICE_WORKER_CLAMD_PRIV_H
#define SLUICE_WORKER_CLAMD_PRIV_H

#include "common/clock.h"
#include "worker/answer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A signature's name, a path and some words; clamd's own limit is lower. */
#define CLAMD_LINE_MAX 4096

/*
 * One answer of a session, without its final NUL: "ID: fd[N]: TEXT".
 * Returns TEXT (inside line), or NULL: it isn't the answer to request id.
 */
const char *clamd_answer_text(const char *line, uint32_t id);

/* The answer "ID: ClamAV VERSION..." to VERSION, or NULL. */
const char *clamd_version_text(const char *line, uint32_t id);

/*
 * What TEXT says of a file: "OK", "NAME FOUND" or "WORDS ERROR".
 * Returns false, *ret untouched, for anything else.
 */
bool clamd_answer_parse(const char *text, struct engine_answer *ret);

/*
 * A mail that is harmless but nested deeper than any MaxRecursion allows.
 * Returns a descriptor that the caller closes, or -errno.
 */
int clamd_probe_new(void);

/*
 * Does TEXT, the answer to the probe, prove that this clamd reports limits?
 * If not, *ret says unknown(system) and what to change.
 */
bool clamd_probe_passed(const char *text, struct engine_answer *ret);

/* How old a session's proof may be; for tests, which can't wait so long. */
struct clamd;
void clamd_prove_every(struct clamd *clamd, uint64_t usec);
/* And how old a look at the signature directory, likewise. */
void clamd_look_every(struct clamd *clamd, uint64_t usec);

/* The signature directory as it was seen last. */
struct clamd_files {
	uint64_t fingerprint;
	struct mono changed; /* when another fingerprint was seen last */
	bool seen;           /* fingerprint and changed are set */
};

/*
 * Look at the directory.  True, with the fingerprint in *files, when it
 * could be read, has signatures and changed no later than settle_usec ago.
 */
bool clamd_files_settled(
    struct clamd_files *files, const char *directory, uint64_t settle_usec);

#endif
