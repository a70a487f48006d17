/*
 * worker/runs.h - the engine "vm": the suspicious files of a message, run in
 * clones by the vmm role, once for each content on the host.
 *
 * It is asked last, and only of a message that the other engines have not
 * decided (a virus, or an engine that doesn't know): see runs_begin().  What
 * the scanned table knows is an answer; what another worker runs is waited
 * for; the rest goes to the vmm role.  Every run has a deadline there, every
 * wait one here, so every job is answered.
 *
 * Unknown stays unknown until conf detonate says otherwise for the file's
 * class; a message that is let through without is logged each time.
 */
#ifndef SLUICE_WORKER_RUNS_H
#define SLUICE_WORKER_RUNS_H

#include <stdbool.h>

struct job;
struct judge;
struct runs;

/* vmm_fd: socket of the vmm role; borrowed, as is judge. */
struct runs *runs_new(struct judge *judge, int vmm_fd);
/* After the last job has gone. */
struct runs *runs_free(struct runs *runs);

/*
 * All other engines have answered for job.  Returns true when there is now
 * something to wait for (job->pending), false when not, or not any more.
 */
bool runs_begin(struct job *job);

/* The job ends: what it still waits for is given up. */
void runs_forget(struct job *job);

#endif
