/*
 * queues/message_priv.h - the body of a claimed message.
 */
#ifndef SLUICE_QUEUES_MESSAGE_PRIV_H
#define SLUICE_QUEUES_MESSAGE_PRIV_H

#include "queues/claim.h"

/*
 * Open the df of the claim, and nothing that took its place since, to read.
 * 0; -EBADMSG: it is not there, or another file (*ret_reason); or -errno.
 */
int message_open_df(const struct spool *spool, const struct claim *claim,
    int *ret_fd, const char **ret_reason);

#endif
