/*
 * flow/state_priv.h - the lines of samples.jsonl.
 */
#ifndef SLUICE_FLOW_STATE_PRIV_H
#define SLUICE_FLOW_STATE_PRIV_H

#include "flow/learn_priv.h"

/*
 * Read all lines into a learner that has seen nothing.  More records, paths
 * and samples than it has room for are dropped, the first ones stay.
 * Returns 0, or -EBADMSG with NAME:LINE and what is wrong in err; l is then
 * good for flow_learner_free() only.
 */
int flow_state_read(struct flow_learner *l, const char *name, const char *text,
    size_t n, char *err, size_t err_size);

#endif
