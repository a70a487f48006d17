/*
 * worker/behind.h - what is behind a message's links: fetched when nothing
 * else is said against it, each file judged as a message of its own that has
 * it attached, and the answers become the first one's
 * (docs/decisions/0010).
 */
#ifndef SLUICE_WORKER_BEHIND_H
#define SLUICE_WORKER_BEHIND_H

#include <stdbool.h>
#include <stdint.h>

struct job;
struct wire_fetched;

/* Octets of evidence of all links together: it leaves room for the mail. */
#define BEHIND_EVIDENCE_MAX 32000

/* One link of a job. */
struct behind {
	struct job *job;
	const char *url; /* in the job's reading */
	bool is_fetched;
	uint64_t bytes;
	char why[200];  /* it was not fetched, or not whole */
	char *evidence; /* of what it led to, JSON; NULL: nothing */
};

/*
 * All engines have answered.  If they let the mail pass and it has links,
 * fetch them: true, there are questions again (job->pending), and the job is
 * long.
 */
bool behind_begin(struct job *job);

/* A job that is a link's (job->behind) has all of its answers. */
void behind_judged(struct job *job);

void behind_free(struct job *job);

/* A mail with this file attached, under the names that it may get from its
 * link and its server: a memfd, or -errno.  file is read, *ret_bytes set. */
int behind_mail(const char *url, const struct wire_fetched *fetched, int file,
    uint64_t *ret_bytes);

#endif
