/*
 * tools/sluice/view.h - the spool and its journals, for looking only.
 *
 * Unlike spool_open() nothing is probed or written, so that an answer comes
 * also from a full disk or a spool that a daemon would refuse.
 */
#ifndef SLUICE_TOOLS_VIEW_H
#define SLUICE_TOOLS_VIEW_H

#include "queues/event.h"
#include "queues/spool.h"

#include <stdbool.h>

struct conf;

/*
 * Open what is there; a missing directory's descriptor is -1.  Feed queues
 * above conf->feed.queues that exist are opened too, so spool_dirs() may
 * count more than N.  Free with spool_free().
 * Returns 0, or -errno when the spool's own directory can't be opened.
 */
int view_open(const struct conf *conf, struct spool **ret_spool);

/* Is a qf of that id in dir? */
bool view_has(const struct spool *spool, enum spool_dir dir, const char *id);

/* A reader of journals, each from where it was left. */
struct history;
struct history *history_new(const struct spool *spool);
struct history *history_free(struct history *history);

/*
 * wanted: shall an event of this id be parsed and given?  Called for each
 * line, so it should be cheap.  journal: the file's name.  The event's
 * strings are valid during the call.
 */
typedef bool history_wanted(void *arg, const char *id);
typedef void history_fn(
    void *arg, const char *journal, const struct event *event);

/*
 * Give everything that was appended to any journal since the last call.
 * Lines that can't be parsed are skipped.  Returns 0, or the first -errno of
 * a journal that can't be read, after the others were.
 */
int history_read(
    struct history *history, history_wanted *wanted, history_fn *fn, void *arg);

#endif
