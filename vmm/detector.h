/*
 * vmm/detector.h - from a guest's report to a verdict, by rules in a data
 * file (etc/behaviours.conf): named behaviours with weights and the events
 * that prove them.
 *
 * Pure but for detector_load(): octets in, verdict out, in bounded memory.
 * The octets are a hostile guest's: a line that is no event is counted and
 * skipped, never believed and never fatal.  Fuzzed.
 */
#ifndef SLUICE_VMM_DETECTOR_H
#define SLUICE_VMM_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules;    /* the loaded file; shared by all detectors */
struct detector; /* one run */

/*
 * Load a rule file.  Returns 0; -EINVAL: err says file, line, what is wrong
 * and what to write; or -errno as open(2).
 */
int rules_load(
    const char *path, struct rules **ret, char *err, size_t err_size);
struct rules *rules_free(struct rules *rules);
/* Hexadecimal digest of the file's octets: part of the scanned table's
 * context, so that new rules void old verdicts.  Borrowed. */
const char *rules_digest(const struct rules *rules);

struct detector *detector_new(const struct rules *rules); /* rules: borrowed */
struct detector *detector_free(struct detector *detector);

/* The next octets of the report, in order, in pieces of any size. */
void detector_feed(struct detector *detector, const void *octets, size_t n);

/* Is the threshold reached already?  Then the run may stop. */
bool detector_is_proven(const struct detector *detector);

/*
 * The behaviours that were found, as JSON (one line, fresh memory, at most
 * max octets, fewer events where there is no room):
 *   {"score": 130, "threshold": 100, "behaviours": [{"id": "...",
 *    "name": "...", "attack": "T1547.001", "weight": 60, "events": [...]}],
 *    "events": N, "malformed": N, "lost": N, "truncated": bool}
 */
char *detector_evidence(const struct detector *detector, size_t max);

/* The name of the weightiest behaviour that was found; "" none.  Borrowed. */
const char *detector_reason(const struct detector *detector);

/* Did the report say that the agent could run the file at all?  Without it
 * (no opener, an agent that failed, a report cut off before its end when
 * `ended` is true) a run that shows nothing is unknown, not clean; ret_why
 * in words. */
bool detector_is_conclusive(
    const struct detector *detector, bool ended, const char **ret_why);

#endif
