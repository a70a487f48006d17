/*
 * feed/peek.h - is a message of in/ complete and unlocked, found out without
 * a trace.
 *
 * Opening a qf for writing, as a claim must, makes inotify report its close:
 * a message that is not ready would wake the feed again and again.  This one
 * opens for reading, which is not reported.
 */
#ifndef SLUICE_FEED_PEEK_H
#define SLUICE_FEED_PEEK_H

/*
 * Returns 0: worth a claim; -ENOENT; -EBUSY: locked; -EAGAIN: empty (not
 * even opened) or without its last "." line; -EBADMSG: no regular file; or
 * -errno as openat(2), pread(2).  Never waits.
 */
int peek_qf(int dirfd, const char *id);

#endif
