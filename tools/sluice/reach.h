/*
 * tools/sluice/reach.h - is anybody listening there?
 */
#ifndef SLUICE_TOOLS_REACH_H
#define SLUICE_TOOLS_REACH_H

/* Connect to a UNIX socket and close it again.  0 or -errno.  A listener
 * that is busy counts as there. */
int reach_unix(const char *path);

/* The same for "HOST:PORT", host numeric ("[::1]:25" too); -EINVAL: it is
 * not.  Blocks for 2 s at most. */
int reach_tcp(const char *address);

/* As reach_tcp(), but the socket stays open: the descriptor (blocking, with
 * time-outs of 30 s) or -errno. */
int reach_connect(const char *address);

#endif
