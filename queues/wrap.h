/*
 * queues/wrap.h - enclose a message, untouched, in one that warns.
 *
 * The new message has the old one's envelope and headers, but for Content-*,
 * MIME-Version and the signatures of its body (DKIM-Signature,
 * DomainKey-Signature, ARC-*); its body is multipart/mixed of the warning and
 * of the old message as message/rfc822, octet by octet as message_build()
 * gives it.  No MIME library has a part in it: nothing is parsed.
 *
 * Crash-safe, in place, under the qf's lock; its order of calls, and what a
 * crash behind each of them leaves, is in docs/queue-states.md ("Wrap").  What
 * is left is put right by whoever claims the message next.
 */
#ifndef SLUICE_QUEUES_WRAP_H
#define SLUICE_QUEUES_WRAP_H

#include "queues/claim.h"

/* Of a warning, in octets. */
#define WRAP_TEXT_MAX (64 * 1024)

/*
 * Wrap the claimed message in its feed queue.
 *
 * text  UTF-8 with LF line ends, at most WRAP_TEXT_MAX octets; whatever it
 *       holds stays within its part
 *
 * Returns 0: claim stands for the new message, and holds its lock.
 * Unchanged, and the claim as good as before: -EALREADY: it is wrapped, by a
 * process that died before it moved it; -EINVAL: not in a feed queue, without
 * df, or the text too long; -EBADMSG: no message (*ret_reason, constant);
 * -EFBIG: its qf would become too large.
 * Any other -errno (-ENOSPC, -EIO, ...): the message is as it was, or will be
 * once it is claimed the next time; drop the claim, never move with it.
 *
 * Reads the df twice and writes it once, 64 KiB at a time.  Blocks for that
 * and for six disk commits.
 */
int wrap_message(const struct spool *spool, struct claim *claim,
    const char *text, const char **ret_reason);

#endif
