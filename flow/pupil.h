/*
 * flow/pupil.h - the child of sluice-learn that makes models and saves what
 * was learned, while its parent goes on answering.
 *
 * A fork has the whole learner as it is.  It writes the files (flow/state.h)
 * and ends; the parent then reads the model back.  One at a time.
 */
#ifndef SLUICE_FLOW_PUPIL_H
#define SLUICE_FLOW_PUPIL_H

#include "flow/learn.h"

struct metrics;
struct pupil;

/*
 * Be the keeper of the current directory, and load what is there.
 *
 * name         of it, for messages; copied
 * ret_learner  the caller's, who frees it after the pupil; until then the
 *              pupil has a child copy and save it
 *
 * Returns 0, or -errno with why in err: -EBUSY, another sluice-learn or an
 * operator's sluice flow learn is the keeper; -EBADMSG, a file is damaged; as
 * open(2).
 */
int pupil_new(const char *name, const struct flow_rules *rules,
    struct metrics *metrics, struct flow_learner **ret_learner,
    struct pupil **ret, char *err, size_t err_size);
/* Ends a child that still works.  NULL is allowed.  Returns NULL. */
struct pupil *pupil_free(struct pupil *pupil);

/* There is something new to save. */
void pupil_note(struct pupil *pupil);

/* Take what a child has finished; begin another if a model is due, or a
 * minute has passed and something is to be saved.  Doesn't block but for
 * reading the model. */
void pupil_look(struct pupil *pupil);

/* Have a model made now.  false: one is being made or saved already, or there
 * are too few samples of a class. */
bool pupil_train(struct pupil *pupil);

/* Save now, in this process.  0 or -errno (it has been logged).  Blocks. */
int pupil_end(struct pupil *pupil);

#endif
