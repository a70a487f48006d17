/*
 * queues/journal.h - what a process did, in order, one JSON object a line.
 *
 * Files and journals are the truth; the ledger is made from them.  Each
 * writer has one file, journal/NAME, append-only, one writer (flock).  A name
 * has no slash and does not begin with a dot.
 *
 * A line announces a move, it doesn't prove it: a crash or an I/O error may
 * come between the line and the rename, and then the same or another line for
 * the message follows.  The last line of a message is right, or its qf is
 * still where that line begins.
 */
#ifndef SLUICE_QUEUES_JOURNAL_H
#define SLUICE_QUEUES_JOURNAL_H

#include "queues/spool.h"

#include <stddef.h>
#include <stdint.h>

struct journal;

/*
 * Open (create) journal/NAME for appending.  A last line without newline,
 * cut off by a crash, is closed with a newline; readers skip it.
 * Returns 0; -EBUSY: another process writes it; or -errno.
 */
int journal_open(
    const struct spool *spool, const char *name, struct journal **ret_journal);
struct journal *journal_close(struct journal *journal);
void journal_closep(struct journal **journal);

/*
 * Append one line (no newline inside; one is added) in a single write.
 * Returns 0, or -errno and then the file is as before (a part written is
 * cut off again).
 */
int journal_append(struct journal *journal, const char *line);

/*
 * Make everything appended durable: fdatasync(2).  0 or -errno; then the next
 * call writes again what may have been lost before it syncs.
 */
int journal_sync(struct journal *journal);

/*
 * Read whole lines of journal/NAME from *offset on, at most max_lines, and
 * advance *offset behind what was given.  fn gets each line, NUL-terminated,
 * without newline; a non-zero return stops and is returned (that line counts
 * as given).  An unfinished last line is not given.  Lines above 1 MiB are
 * given cut.
 * Returns the number of lines, -ERANGE: *offset is behind the end (another
 * file than before), or -errno.
 */
typedef int journal_fn(void *arg, const char *line, size_t len);
int journal_read(const struct spool *spool, const char *name, uint64_t *offset,
    int max_lines, journal_fn *fn, void *arg);

#endif
