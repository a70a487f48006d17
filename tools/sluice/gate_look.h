/*
 * tools/sluice/gate_look.h - what the gate sees: the feed's board, the
 * workers' counters, the disk.  Asks no daemon, so none can make it wait.
 *
 * What a lane's board says is how long its work takes once it is done.  To
 * that is added for how long it has not been done: nothing heard of the feed,
 * nothing moved out of a lane that holds mail, an engine that doesn't answer.
 * How long that goes on nobody knows; as long as it has lasted is the guess.
 */
#ifndef SLUICE_TOOLS_GATE_LOOK_H
#define SLUICE_TOOLS_GATE_LOOK_H

#include "common/clock.h"
#include "tools/sluice/gate_rule.h"

struct gate_eyes;

/*
 * runtime   site.runtime, copied
 * spool_fd  a directory of the file system to watch; borrowed
 */
struct gate_eyes *gate_eyes_new(
    const char *runtime, int spool_fd, struct mono now);
struct gate_eyes *gate_eyes_free(struct gate_eyes *eyes);

/*
 * Look at all of it.  Never fails: no board counts as a feed that has been
 * silent since the eyes were made; a disk that can't be asked keeps its value.
 * Blocks for some reads of small mapped files.
 */
void gate_look(
    struct gate_eyes *eyes, struct mono now, struct gate_sight *ret_sight);

/* (used + avail) as df(1) counts: what only root may use is no room.
 * 0 .. 100, rounded up; 0 where the file system doesn't count. */
uint64_t gate_percent(uint64_t total, uint64_t free, uint64_t avail);

#endif
