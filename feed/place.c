#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "feed/batch_priv.h"
#include "feed/peek.h"
#include "feed/tuner.h"
#include "queues/qf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Choose the lane; from now on the message counts as waiting there. */
static void
job_place(struct feed *feed, struct batch *batch, struct job *job,
    const struct qf *qf)
{
	uint64_t bytes = job_bytes(job);
	size_t lane = batch->lane;
	char type[128];

	if (lane == feed->limits.lanes)
		lane = feed_pick(
		    feed->policy, &feed->limits, batch->empty_usec, bytes);

	if (!qf_header(qf, "Content-Type", type, sizeof(type)))
		type[0] = '\0';
	job->kind = load_kind_of(type);
	lanes_place(feed, job->claim.id, lane, job->kind, bytes);
	batch->empty_usec[lane] = lane_empty_usec(feed, lane, mono_now());
	job->to = SPOOL_FEED1 + (int)lane;
}

/*
 * Read a claimed message's envelope and decide where it goes.
 * Returns 0, or -errno when it cannot be read now.
 */
static int
job_read(struct feed *feed, struct batch *batch, struct job *job)
{
	CLEANUP(free_ptr) char *text = NULL;
	CLEANUP(qf_freep) struct qf *qf = NULL;
	size_t len;
	int r = read_fd(job->claim.qf_fd, QF_MAX_BYTES, &text, &len);

	if (r == -EFBIG)
		job->reason = "control file too large";
	else if (r < 0)
		return r;
	else
		r = qf_parse(text, len, &qf, &job->reason);
	if (r < 0 && r != -EFBIG && r != -EBADMSG)
		return r;
	if (r < 0) {
		job->to = SPOOL_ERROR;
	} else {
		job->reason = NULL;
		job_place(feed, batch, job, qf);
	}
	job_write_line(job, qf);
	return 0;
}

/* Set aside what can never be a message.  0 or -errno. */
static int
job_break(struct feed *feed, struct job *job, const char *id)
{
	int r = claim_take_broken(feed->spool, SPOOL_IN, id, &job->claim);

	if (r < 0)
		return r;
	job->to = SPOOL_ERROR;
	job_write_line(job, NULL);
	return 0;
}

/*
 * Claim id and prepare its move.  peek_qf() comes first since it raises no
 * event; *ret_deaf says that what failed after it may have raised one.
 */
static int
job_take(struct feed *feed, struct batch *batch, const char *id, bool retry,
    bool *ret_deaf)
{
	struct job *job = &batch->jobs[batch->n];
	int r = peek_qf(feed->spool->fds[SPOOL_IN], id);

	*job = (struct job){.claim.qf_fd = -1};
	if (r == -EAGAIN && retry &&
	    claim_is_stale(feed->spool, SPOOL_IN, id, wall_now())) {
		*ret_deaf = true;
		job->reason = "control file stayed incomplete";
		return job_break(feed, job, id);
	}
	if (r < 0 && r != -EBADMSG)
		return r;
	*ret_deaf = true;
	r = claim_take(feed->spool, SPOOL_IN, id, &job->claim, &job->reason);
	if (r == -EBADMSG)
		return job_break(feed, job, id);
	if (r < 0)
		return r;
	r = job_read(feed, batch, job);
	if (r < 0)
		claim_drop(&job->claim);
	return r;
}

bool
place_set_aside(
    struct feed *feed, const char *id, const char *what, int error, bool deaf)
{
	switch (-error) {
	case ENOENT:
		index_forget(feed->index, id);
		return false;
	case EBUSY:
	case EAGAIN:
		metrics_add(feed->metrics, METRIC_feed_busy, 1);
		index_park(feed->index, id, deaf);
		return false;
	case EBADMSG:
	case EEXIST:
	case EISDIR:
	case ELOOP:
	case EINVAL:
		if (index_first_report(feed->index, id))
			log_error("%s id=%s error=\"%s\" left=in", what, id,
			    strerror(-error));
		index_park(feed->index, id, true);
		return false;
	default:
		feed_complain(feed, what, error);
		feed->counts.failed++;
		metrics_add(feed->metrics, METRIC_feed_failures, 1);
		index_hold(feed->index, id);
		return true;
	}
}

int
place_take(struct feed *feed, struct batch *batch, const char *id, bool retry,
    size_t *failures)
{
	bool deaf = false;
	int r = job_take(feed, batch, id, retry, &deaf);

	/* What an event announces may be locked for a moment more. */
	feed->glance |= r == -EBUSY && !retry;
	if (r == 0)
		batch->n++;
	else if (place_set_aside(feed, id, "claim", r, deaf))
		++*failures;
	return r;
}

/* Fill the batch.  Returns the number of system failures. */
static size_t
batch_take(struct feed *feed, struct batch *batch, size_t *ret_retried)
{
	char id[QUEUE_ID_MAX + 1];
	size_t failures = 0;
	bool retry;

	/* Unready ones count: a wake-up's work has a bound. */
	for (int i = 0; i < FEED_BATCH; i++) {
		if (!index_take(feed->index, id, &retry))
			break;
		*ret_retried += retry;
		(void)place_take(feed, batch, id, retry, &failures);
	}
	return failures;
}

static void
job_moved(struct feed *feed, const struct job *job)
{
	index_forget(feed->index, job->claim.id);
	if (job->reason) {
		feed->counts.refused++;
		metrics_add(feed->metrics, METRIC_feed_errors, 1);
		log_warn("refuse id=%s to=error reason=\"%s\"", job->claim.id,
		    job->reason);
		return;
	}
	feed->counts.placed++;
	tuner_saw(feed, job_bytes(job));
	metrics_add(feed->metrics, METRIC_feed_moved, 1);
	metrics_add(feed->metrics, METRIC_feed_bytes, job_bytes(job));
	log_debug("place id=%s to=%s bytes=%llu", job->claim.id,
	    spool_dir_name(job->to), (unsigned long long)job_bytes(job));
}

/* Move the batch.  Returns the number of system failures. */
static size_t
batch_move(struct feed *feed, struct batch *batch)
{
	size_t failures = 0, moved = 0;
	int r = batch_run(feed, batch);

	for (size_t i = 0; i < batch->n; i++) {
		struct job *job = &batch->jobs[i];

		if (batch->moves[i].result == 0) {
			job_moved(feed, job);
			moved++;
		} else {
			(void)load_left(feed->load, job->claim.id);
			if (place_set_aside(feed, job->claim.id, "move",
				batch->moves[i].result, true))
				failures++;
		}
		job_drop(job);
	}
	metrics_add(feed->metrics, METRIC_feed_batches, moved > 0);
	/* All are there, and yet: their last sync failed. */
	if (r < 0 && moved == batch->n)
		feed_complain(feed, "sync", r);
	return failures;
}

void
place_batch(struct feed *feed)
{
	struct batch batch;
	struct mono begun = mono_now();
	uint64_t done = feed->counts.placed + feed->counts.refused;
	size_t failures, retried = 0;

	batch.n = 0;
	batch.lane = feed->limits.lanes;
	lanes_read(feed);
	lanes_empty_usec(feed, batch.empty_usec);
	if (feed->policy == FEED_SMALL_FIRST)
		failures = late_take_some(feed, &batch, &retried);
	else
		failures = batch_take(feed, &batch, &retried);
	round_retried(feed, retried, mono_span(begun, mono_now()));
	failures += batch_move(feed, &batch);
	if (failures > 0) {
		feed->paused =
		    feed->counts.placed + feed->counts.refused == done;
		feed_back_off(feed);
	} else if (feed->counts.placed > done &&
		   index_count(feed->index).held == 0) {
		feed->backoff_usec = 0; /* what was the matter is over */
	}
}
