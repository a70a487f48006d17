/*
 * worker/programs.h - the engine "mef": what the model holds of the programs
 * in a message (docs/decisions/0018-mef-engine.md).
 *
 * A file of which the site's list or the model itself knows the digest is
 * answered at once; what the scanned table knows, as soon as it says so; of
 * the rest a cell that gets nothing else extracts the features.  Each way ends
 * by itself or by a deadline, so every job is answered.
 */
#ifndef SLUICE_WORKER_PROGRAMS_H
#define SLUICE_WORKER_PROGRAMS_H

#include <stddef.h>

struct job;
struct judge;
struct programs;

/*
 * judge is borrowed.  Blocks: reads the list and the model.
 * Returns 0; -EINVAL: the list is wrong (err names it); or -errno.
 */
int programs_new(
    struct judge *judge, struct programs **ret, char *err, size_t err_size);
/* After the last job has gone. */
struct programs *programs_free(struct programs *programs);

/* Copies of files go to the archive role at fd (borrowed). */
void programs_keep(struct programs *programs, int fd);

/* How the model is; for judge->metrics, which are there now. */
void programs_count(struct programs *programs);

/* The parts of job's reading are there, and hashed. */
void programs_judge(struct job *job);

/*
 * All have answered, clones too: what is to be said of the files that clones
 * had to decide.  Nothing the second time.
 */
void programs_settle(struct job *job);

/* The job ends: what it still waits for is given up. */
void programs_forget(struct job *job);

#endif
