/*
 * feed/feed.h - the daemon that takes complete messages out of in/ and puts
 * each into the feed queue that is expected to be empty first.
 *
 * One event loop.  It wakes on what inotify says of in/, and reads in/ whole
 * once in a while in case an event was lost.  At one wake-up it moves at most
 * one batch, whose messages share their disk commits.
 */
#ifndef SLUICE_FEED_FEED_H
#define SLUICE_FEED_FEED_H

#include <stddef.h>

struct conf;
struct event_base;
struct feed;
struct journal;
struct spool;

/*
 * Watch in/ from now on.  Everything is borrowed and must outlive the feed;
 * conf_path (NULL: none) is read again on SIGHUP.
 *
 * err  on failure: what could not be had, in words
 * Returns 0 or -errno as inotify_add_watch(2), openat(2), mmap(2).
 */
int feed_new(struct event_base *base, const struct conf *conf,
    const char *conf_path, const struct spool *spool, struct journal *journal,
    struct feed **ret_feed, char *err, size_t err_size);
struct feed *feed_free(struct feed *feed);
void feed_freep(struct feed **feed);

/*
 * Read what waits in in/ and in the feed queues, then serve until SIGTERM or
 * SIGINT, which let the batch under way end.
 * Returns 0, or -errno when in/ can be watched no longer.
 */
int feed_run(struct feed *feed);

#endif
