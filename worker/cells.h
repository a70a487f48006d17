/*
 * worker/cells.h - the engines role's side of the scan cells: hand a message,
 * or a program, to a waiting cell, and tell what came of it.
 */
#ifndef SLUICE_WORKER_CELLS_H
#define SLUICE_WORKER_CELLS_H

#include "worker/answer.h"

#include <stdbool.h>
#include <stdint.h>

struct cell_run;
struct cells;
struct conf;
struct event_base;
struct mef_bag;
struct reading;

/*
 * Exactly one of both is set: a reading, now the callee's, or an answer of
 * engine "reading" that says why there is none.  unknown(message) when the
 * cell died by itself or exceeded a budget; unknown(system) when somebody
 * outside killed it, which is no fault of the message.
 */
typedef void cells_done(
    void *arg, struct reading *reading, const struct engine_answer *why);

/*
 * Exactly one of both is set: a finished bag, now the callee's, or an answer
 * of engine "mef", as above.
 */
typedef void cells_extracted(
    void *arg, struct mef_bag *bag, const struct engine_answer *why);

/* Called once, when the scan role is gone: nothing can be read any more. */
typedef void cells_lost(void *arg);

/* scan_fd and conf are borrowed for the life of the cells. */
struct cells *cells_new(struct event_base *base, int scan_fd,
    const struct conf *conf, cells_lost *lost, void *arg);
/* Runs under way end without their callback. */
struct cells *cells_free(struct cells *cells);

/*
 * Read one message of the given size.  message_fd is borrowed until done.
 * done comes exactly once and never before this returns; runs above the
 * number of cells wait in order.  The wall budget starts when a cell begins.
 */
struct cell_run *cells_read(struct cells *cells, int message_fd, uint64_t bytes,
    cells_done *done, void *arg);

/*
 * The same for the features of one program, of which the cell sees nothing
 * else.  fd is borrowed until done.
 */
struct cell_run *cells_extract(struct cells *cells, int fd, uint64_t bytes,
    bool is_2001, cells_extracted *done, void *arg);

#endif
