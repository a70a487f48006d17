/*
 * worker/keep.h - the engines' side of the archive of files
 * (worker/mef/archive.h): hand copies to the archive role, and never wait.
 */
#ifndef SLUICE_WORKER_KEEP_H
#define SLUICE_WORKER_KEEP_H

struct job_part;
struct judge;
struct keep;

/* fd: the archive role's socket; both are borrowed. */
struct keep *keep_new(struct judge *judge, int fd);
struct keep *keep_free(struct keep *keep);

/*
 * Have part archived, if its opinion's label is among mef.archive_labels: a
 * copy of its octets goes to the role.  When that has too much to do already
 * it is counted as lost.  keep NULL: nothing happens.
 */
void keep_offer(struct keep *keep, const struct job_part *part);

#endif
