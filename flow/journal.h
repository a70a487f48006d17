/*
 * flow/journal.h - records on disk, so that a restart finds them again.
 *
 * Two files take turns: when one holds its number of records or has been
 * written to for its time, the other is emptied and written on.  So at least
 * one file's worth of the newest is there, and at most two.  A record has a
 * check sum; what a crash cut off, and what is damaged, is skipped.
 *
 * A write is one write(2), not synced: a crash of the process loses nothing, a
 * power cut what the kernel had not written.
 */
#ifndef SLUICE_FLOW_JOURNAL_H
#define SLUICE_FLOW_JOURNAL_H

#include "flow/records.h"

struct flow_journal;

/*
 * Open (create) directory/flows.0 and flows.1, mode 0600, for one process.
 *
 * records_max  of one file
 * span_nsec    for which one file is written to
 *
 * Returns 0; -EBUSY: another process has them; or -errno as open(2).
 */
int flow_journal_open(const char *directory, uint32_t records_max,
    int64_t span_nsec, struct flow_journal **ret_journal);
struct flow_journal *flow_journal_close(struct flow_journal *journal);

/*
 * Give all records that are there, oldest file first, to fn.
 * Returns how many octets were skipped, or -errno.
 */
typedef void flow_journal_fn(void *arg, const struct flow_record *record);
int64_t flow_journal_read(
    struct flow_journal *journal, flow_journal_fn *fn, void *arg);

/* Append; now_nsec decides about turns.  0, or -errno: it is not there. */
int flow_journal_write(struct flow_journal *journal,
    const struct flow_record *record, int64_t now_nsec);

#endif
