/*
 * vmm/detector.h - from a guest's report to a verdict, by rules in a data
 * file (etc/behaviours.conf): named behaviours with weights and the events
 * that prove them.
 *
 * Pure but for rules_load(): octets in, verdict out, in bounded memory.
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
/*
 * The text of a rule file with those that it includes in their places, so
 * that one file can be kept for all of them.  It was parsed: rules_load() of
 * it finds the same behaviours.
 *
 * ret  fresh memory, untouched on failure
 *
 * Returns 0 or -EINVAL: err says file, line, what is wrong.
 */
int rules_whole(
    const char *path, char **ret, size_t *ret_len, char *err, size_t err_size);
struct rules *rules_free(struct rules *rules);
/* Hexadecimal digest of the file's octets: part of the scanned table's
 * context, so that new rules void old verdicts.  Borrowed. */
const char *rules_digest(const struct rules *rules);

struct detector *detector_new(const struct rules *rules); /* rules: borrowed */
struct detector *detector_free(struct detector *detector);

/* The next octets of the report, in order, in pieces of any size. */
void detector_feed(struct detector *detector, const void *octets, size_t n);

/* The holder's word for events that found no room (ask_done.lost): then the
 * report is truncated.  Call it before the evidence is asked for. */
void detector_lost(struct detector *detector, uint64_t n);

/* Is the threshold reached already?  Then the run may stop. */
bool detector_is_proven(const struct detector *detector);

/*
 * The behaviours that were found, as JSON (one line, fresh memory, at most
 * max octets, fewer events where there is no room):
 *   {"score": 130, "threshold": 100, "behaviours": [{"id": "...",
 *    "name": "...", "attack": "T1547.001", "weight": 60, "events": [...]}],
 *    "events": N, "malformed": N, "lost": N, "truncated": bool}
 * The weightiest comes first.  NULL: max has no room for even that much.
 */
char *detector_evidence(const struct detector *detector, size_t max);

/* The name of the weightiest behaviour that was found; "" none.  Borrowed from
 * the rules. */
const char *detector_reason(const struct detector *detector);

/* Did the guest say that nothing in it opens this kind of file? */
bool detector_has_no_opener(const struct detector *detector);

/*
 * Can a run that shows nothing be called clean?  Not when the report doesn't
 * say that the agent could run the file (no opener, an agent that failed),
 * when it was cut off, when events were lost or the agent notes that it could
 * not watch something, or when it has what no agent
 * writes: lines that are no events, a second start, more after the end, a
 * time that goes back.  Then it is unknown; ret_why says in constant words
 * why ("" when it is conclusive).
 *
 * ended  the guest said that the run was over, so the report must have an
 *        end; false: a deadline or a stop of ours came first
 */
bool detector_is_conclusive(
    const struct detector *detector, bool ended, const char **ret_why);

#endif
