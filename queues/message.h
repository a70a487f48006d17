/*
 * queues/message.h - the RFC 5322 message that a df+qf pair stands for.
 */
#ifndef SLUICE_QUEUES_MESSAGE_H
#define SLUICE_QUEUES_MESSAGE_H

#include "queues/claim.h"
#include "queues/qf.h"

/* Up to this size a message is built in memory (DESIGN section 1). */
#define MESSAGE_MEMFD_MAX (UINT64_C(1) << 20)

/*
 * Build headers + blank line + body of a claimed message: a sealed memfd, or
 * above MESSAGE_MEMFD_MAX an unlinked file in the journal directory, handed
 * out as a fresh read-only descriptor.  LF line ends, as sendmail stores them.
 *
 * Returns 0; -EFBIG: more than max_bytes, nothing was built; -EBADMSG: the
 * qf is no message (*ret_reason); or -errno.  Blocks on the disk.
 * The caller owns *ret_fd and *ret_qf.
 */
int message_build(const struct spool *spool, const struct claim *claim,
    uint64_t max_bytes, int *ret_fd, uint64_t *ret_bytes, struct qf **ret_qf,
    const char **ret_reason);

#endif
