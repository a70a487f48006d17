/*
 * tools/sluice/outbox.h - which messages of out/ still need a queue run, as
 * far as inotify tells.  Opens no queue file: even a short lock of ours would
 * make the delivering sendmail skip the message.
 *
 *   announced  moved in, still locked by its mover
 *   fresh      the mover has closed it: a run must be ordered
 *   ordered    a run was ordered since
 *   seen       sendmail looked at it and left it: locked by somebody, or
 *              too early; fresh again after a pause
 *   deferred   sendmail rewrote it: tried, and its own to try again
 */
#ifndef SLUICE_TOOLS_OUTBOX_H
#define SLUICE_TOOLS_OUTBOX_H

#include "common/clock.h"

#include <stddef.h>

struct outbox;

/*
 * Watch the directory and read it once: what lies there is fresh.
 * Returns 0 or -errno as inotify_add_watch(2), opendir(3).
 */
int outbox_open(const char *path, struct outbox **ret_outbox);
struct outbox *outbox_close(struct outbox *outbox);

/* Readable when something happened. */
int outbox_fd(const struct outbox *outbox);

/* Take in what happened.  0 or -errno (-ENOENT: the directory is gone). */
int outbox_read(struct outbox *outbox, struct mono now);

/* Time passes: what was seen or ordered too long ago is fresh again. */
void outbox_tick(struct outbox *outbox, struct mono now);

/* A run was ordered: all that is fresh is ordered. */
void outbox_ordered(struct outbox *outbox, struct mono now);

/* The order came to nothing: all that is ordered is fresh. */
void outbox_refused(struct outbox *outbox);

size_t outbox_fresh(const struct outbox *outbox);
/* Ordered, and no sign yet that sendmail came to it. */
size_t outbox_outstanding(const struct outbox *outbox);
size_t outbox_deferred(const struct outbox *outbox);

#endif
