#include "feed/batch_priv.h"

#include "queues/event.h"
#include "queues/qf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Octets of recipients in the journal: 64 of usual length, so a line stays
 * one that the ledger reads the short way. */
#define TEXT_SHOWN 4096

uint64_t
job_bytes(const struct job *job)
{
	return job->claim.qf_bytes + job->claim.df_bytes;
}

static void
rcpt_text(const struct qf *qf, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < qf->n_rcpt; i++) {
		int r = snprintf(
		    buf + n, size - n, "%s%s", i ? " " : "", qf->rcpt[i]);

		if (r < 0 || (size_t)r >= size - n) {
			buf[n] = '\0'; /* whole addresses only */
			return;
		}
		n += (size_t)r;
	}
}

void
job_write_line(struct job *job, const struct qf *qf)
{
	const struct wall now = wall_now();
	char rcpt[TEXT_SHOWN];
	struct event event = {
	    .kind = EVENT_MOVE,
	    .t = now,
	    .from = job->claim.dir,
	    .to = job->to,
	    .bytes = job_bytes(job),
	    .reason = job->reason,
	    .verdict = job->reason ? "error" : NULL,
	};

	memcpy(event.id, job->claim.id, sizeof(event.id));
	if (now.usec > job->claim.arrived.usec)
		event.wait_usec = now.usec - job->claim.arrived.usec;
	if (qf) {
		rcpt_text(qf, rcpt, sizeof(rcpt));
		event.sender = qf->sender;
		event.rcpt = rcpt;
	}
	job->line = event_format(&event);
}

/* How long a batch takes, for who must have the next one ready in time. */
static void
learn_move(struct feed *feed, struct mono begun)
{
	uint64_t usec = mono_span(begun, mono_now());

	feed->move_usec -= feed->move_usec / 8;
	feed->move_usec += usec / 8;
}

int
batch_run(struct feed *feed, struct batch *batch)
{
	struct mono begun = mono_now();
	int r;

	for (size_t i = 0; i < batch->n; i++)
		batch->moves[i] = (struct move){
		    .claim = &batch->jobs[i].claim,
		    .to = batch->jobs[i].to,
		    .line = batch->jobs[i].line,
		};
	if (batch->n == 0)
		return 0;
	r = move_batch(feed->spool, feed->journal, batch->moves, batch->n);
	learn_move(feed, begun);
	return r;
}

void
job_drop(struct job *job)
{
	claim_drop(&job->claim);
	free(job->line);
}
