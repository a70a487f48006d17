/*
 * worker/verdict.h - from answers to a destination: pure, in one place.
 *
 * The rule is DESIGN section 2.5's, first that applies: a hit of clamd or of
 * a clone; a required engine that does not know; policy refuses or holds, or
 * mef does, or the readings are ambiguous; spam; an engine that wants a
 * warning; else clean. Unknown never becomes clean, nor is it passed on with a
 * warning, and neither is an engine that is required and did not answer at all.
 */
#ifndef SLUICE_WORKER_VERDICT_H
#define SLUICE_WORKER_VERDICT_H

#include "queues/spool.h"
#include "worker/answer.h"

#include <stdbool.h>
#include <stddef.h>

enum verdict {
	VERDICT_CLEAN,
	VERDICT_VIRUS,
	VERDICT_EXT,
	VERDICT_AMBIGUOUS,
	VERDICT_SPAM,
	VERDICT_WARN,            /* passed on, wrapped: queues/wrap.h */
	VERDICT_UNKNOWN_SYSTEM,  /* wait, try again */
	VERDICT_UNKNOWN_MESSAGE, /* charge a try, then error */
	VERDICT_COUNT
};

/*
 * required   the engines that must answer, as conf worker.engines; "reading"
 *            is always required
 * ret_by     set to the answer that decides (one of answers, or a constant
 *            without an engine: one is missing); when clean to a constant whose
 *            reason is ""
 */
enum verdict verdict_of(const struct engine_answer *answers, size_t n,
    const char *required, const struct engine_answer **ret_by);

/* "clean", "virus", "ext", "ambiguous", "spam", "warn", "unknown". */
const char *verdict_name(enum verdict verdict);

/* Where such a message goes; false for the two that wait or are charged. */
bool verdict_place(enum verdict verdict, enum spool_dir *ret_dir);

#endif
