/*
 * tests/torture/loss.h - what may be left on disk when the power fails.
 *
 * A change of a name is certain once its directory was synced; a rename from
 * one directory to another, one transaction, once either was.  Of the others
 * any may be there and any may be missing.  Likewise a file's content is
 * certain only if it was synced after the last write.
 */
#ifndef SLUICE_TESTS_LOSS_H
#define SLUICE_TESTS_LOSS_H

#include "tests/torture/trace.h"

/*
 * Cut the trace behind each of its steps and try all that may be left of
 * message id then: from the moment at which both its files were committed in
 * their first place, its qf must be in exactly one directory, whole, with a
 * whole df beside it.  Of a message that is wrapped (an nf was made): with the
 * new qf there must be the new df, with the old one the old df, as of or, if
 * there is no of, as df; and no of is left in another directory.  Returns NULL,
 * or why not, in words (the caller frees). *ret_states: how many states were
 * looked at.
 */
char *loss_check(const struct trace *trace, const char *id, int *ret_states);

#endif
