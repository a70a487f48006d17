/*
 * flow/state.h - the learner on disk: samples.jsonl and model.json in a
 * directory of their own.
 *
 * samples.jsonl has a head (counters, seed, what froze it, the last paths),
 * then a line a record, then a line a sample.  Each file is put in place whole
 * by rename, so that a crash leaves the old or the new one.
 */
#ifndef SLUICE_FLOW_STATE_H
#define SLUICE_FLOW_STATE_H

#include "flow/learn.h"

/*
 * Open a directory, make it (0700) if it isn't there, and lock it against
 * other processes that learn; waits for them.  With is_shared only against
 * those that write.  Closing the descriptor unlocks.
 *
 * Returns the descriptor, or -errno as mkdir(2), open(2), flock(2).
 */
int flow_state_open(const char *path, bool is_shared);

/*
 * Be the one who changes what is kept there, for as long as the descriptor
 * that is returned is open; a daemon that learns holds it all the time, and
 * the directory's lock only while it reads or writes.
 * Returns it; -EBUSY: somebody else is; or -errno as open(2), fchown(2).
 */
int flow_state_keep(int dirfd);

/*
 * Read what is kept there.  With no file yet, a learner that has seen nothing
 * (its seed from `seed`).
 *
 * err  on failure: file, line, what is wrong and what to do
 *
 * Returns 0; -EBADMSG: a file is damaged or of something else; -EFBIG: one
 * has more than 64 MiB; or -errno as open(2), read(2).  *ret is untouched on
 * failure.  Blocks on the files.
 */
int flow_state_load(int dirfd, const struct flow_rules *rules, uint64_t seed,
    struct flow_learner **ret, char *err, size_t err_size);

/*
 * Write all of it.  Returns 0 or -errno as open(2), write(2), fsync(2),
 * rename(2); then the old files are still there.  Blocks for four fsyncs.
 * What root writes belongs to the directory's owner.
 */
int flow_state_save(int dirfd, const struct flow_learner *l);

/* The model alone, a new one for the caller.  As flow_state_load(); -ENOENT:
 * there is none. */
int flow_state_model(
    int dirfd, struct flow_model **ret, char *err, size_t err_size);

/*
 * The same of texts in memory: those of the two files.  flow_state_of() takes
 * NULL for a model that isn't there.  The caller frees what texts returns.
 */
char *flow_state_samples_text(const struct flow_learner *l, size_t *ret_length);
char *flow_state_model_text(const struct flow_learner *l);
int flow_state_of(const struct flow_rules *rules, const char *samples,
    size_t n_samples, const char *model, size_t n_model,
    struct flow_learner **ret, char *err, size_t err_size);

#endif
