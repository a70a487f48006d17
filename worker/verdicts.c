/*
 * What an answer leads to: a destination, another try, or a charge.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "queues/event.h"
#include "queues/journal.h"
#include "queues/lane.h"
#include "queues/move.h"
#include "queues/qf.h"
#include "worker/deliver_priv.h"
#include "worker/verdict.h"
#include "worker/warning.h"
#include "worker/wire.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Messages moved with one set of fsyncs. */
#define BATCH_MAX 64

/* First pause of a message after an unknown(system); doubles. */
#define PAUSE_FIRST_USEC (250 * USEC_PER_MSEC)

/* A message whose cell died is tried again after this pause. */
#define PAUSE_DIED_USEC (1 * USEC_PER_SEC)

/* An outage is asked about at intervals of a part of its age: back within
 * an eighth of the time that it lasted, and never more than backoff_max. */
#define OUTAGE_PART 8

/* {"engines": [...], "reading": ...}: what is kept of a judgement. */
static char *
evidence_text(const struct wire_judgement *judgement, const char *evidence)
{
	json_t *engines = json_array();
	char *list, *whole;

	for (uint32_t i = 0; i < judgement->n_answers; i++) {
		const struct engine_answer *a = &judgement->answers[i];
		json_t *e = json_object();

		(void)json_object_set_new(e, "engine", json_string(a->engine));
		(void)json_object_set_new(
		    e, "answer", json_string(answer_name(a->answer)));
		(void)json_object_set_new(e, "reason", json_string(a->reason));
		(void)json_object_set_new(e, "ms",
		    json_real((double)a->usec / (double)USEC_PER_MSEC));
		if (strcmp(a->engine, "spam") == 0)
			(void)json_object_set_new(
			    e, "score", json_real(a->score));
		(void)json_array_append_new(engines, e);
	}
	list = json_dumps(engines, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(engines);
	whole =
	    xasprintf("{\"engines\":%s,\"reading\":%.*s}", list ? list : "[]",
		judgement->evidence_bytes ? (int)judgement->evidence_bytes : 4,
		judgement->evidence_bytes ? evidence : "null");
	free(list);
	return whole;
}

static void
fill_event(const struct deliver *d, const struct item *item,
    enum event_kind kind, struct event *ret)
{
	*ret = (struct event){.kind = kind,
	    .t = wall_now(),
	    .from = d->dir,
	    .to = item->to,
	    .bytes = item->claim.qf_bytes + item->claim.df_bytes,
	    .service_usec = item->service_usec};
	(void)strcpy(ret->id, item->id);
	if (ret->t.usec > item->claim.arrived.usec)
		ret->wait_usec = ret->t.usec - item->claim.arrived.usec;
	if (item->qf) {
		ret->sender = item->qf->sender;
		ret->rcpt = item->qf->n_rcpt ? item->qf->rcpt[0] : NULL;
	}
}

static void
note_event(struct deliver *d, const struct item *item, enum event_kind kind,
    const char *reason)
{
	CLEANUP(free_ptr) char *line = NULL;
	struct event event;

	fill_event(d, item, kind, &event);
	event.reason = reason;
	line = event_format(&event);
	/* Made durable by the next batch; losing it loses no message. */
	if (journal_append(d->journal, line) < 0)
		log_warn("journal: cannot note mid=%s", item->id);
}

/* The destination is known: write the line, wait for the batch. */
static void
settle(struct deliver *d, struct item *item, enum spool_dir to,
    const char *verdict, const char *reason, const char *evidence)
{
	struct event event;

	free(item->line); /* another destination was settled before */
	item->to = to;
	item->verdict = verdict;
	fill_event(d, item, EVENT_MOVE, &event);
	event.verdict = verdict;
	event.reason = reason;
	event.evidence = evidence;
	item->line = event_format(&event);
	lot_put(&d->lot, item, ITEM_DONE);
}

void
deliver_set_aside(struct deliver *d, struct item *item, const char *reason)
{
	char text[256];

	log_warn("aside mid=%s reason=\"%s\"", item->id,
	    log_text(text, sizeof(text), reason));
	settle(d, item, SPOOL_ERROR, "error", reason, NULL);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
note_outage(struct deliver *d, const char *reason)
{
	struct mono now = mono_now();
	uint64_t age, pause;

	if (d->outage.usec == 0) {
		char text[256];

		d->outage = now;
		(void)snprintf(
		    d->outage_reason, sizeof(d->outage_reason), "%s", reason);
		log_error("waiting: %s; mail is kept in %s",
		    log_text(text, sizeof(text), reason),
		    spool_dir_name(d->dir));
	}
	age = mono_span(d->outage, now);
	pause = least(d->conf->worker.backoff_max_usec,
	    PAUSE_FIRST_USEC + age / OUTAGE_PART);
	d->outage_next.usec = now.usec + pause;
}

static void
end_outage(struct deliver *d)
{
	if (d->outage.usec == 0)
		return;
	log_info("going on: all engines answer again after %llu ms",
	    (unsigned long long)(mono_span(d->outage, mono_now()) /
				 USEC_PER_MSEC));
	d->outage = d->outage_next = (struct mono){0};
}

/* Has it waited as long as it may? */
static bool
is_held_out(const struct deliver *d, const struct item *item,
    const struct engine_answer *by)
{
	switch ((enum answer_wait)by->wait) {
	case ANSWER_WAIT_ON:
		return false;
	case ANSWER_WAIT_NO_MORE:
		return true;
	case ANSWER_WAIT_USUAL:
	case ANSWER_WAITS:
	default:
		return item->since.usec > 0 &&
		       mono_span(item->since, mono_now()) >
			   d->conf->worker.hold_max_usec;
	}
}

/*
 * Its time of waiting for the clones, or for the other engines, begins unless
 * it is under way.  Who has waited hours for clamd has not had the clones' time
 * yet; and when it is the clones that don't know, all others have answered.
 */
static void
begin_hold(struct deliver *d, struct item *item, bool is_vm, const char *reason)
{
	struct mono *since = is_vm ? &item->vm_since : &item->since;

	if (item->since.usec == 0 && item->vm_since.usec == 0)
		note_event(d, item, EVENT_WAIT, reason);
	if (is_vm)
		item->since = (struct mono){0};
	if (since->usec == 0)
		*since = mono_now();
}

/*
 * unknown(system): not charged; back among the waiting, or, after the longest
 * hold, to error.  It is no outage if all engines answered for another message
 * meanwhile: then something of this one is what they cannot do; nor if it is
 * the clones that are missing, which most mail does not need.
 */
static void
wait_for_system(
    struct deliver *d, struct item *item, const struct engine_answer *by)
{
	const char *reason = by->reason;
	const bool is_vm = strcmp(by->engine, "vm") == 0;
	uint64_t pause;

	metrics_add(d->metrics, METRIC_deliver_waits, 1);
	if (!is_vm && d->answered.usec <= item->begun.usec)
		note_outage(d, reason);
	begin_hold(d, item, is_vm, reason);
	(void)tries_write(&item->claim, item->tries);
	if (is_held_out(d, item, by)) {
		deliver_set_aside(d, item, reason);
		return;
	}
	pause = PAUSE_FIRST_USEC << (item->pauses < 16 ? item->pauses : 16);
	item->pauses++;
	deliver_later(d, item, least(pause, d->conf->worker.backoff_max_usec));
}

/* unknown(message): charged on disk; the last one sends it to error. */
static void
charge(struct deliver *d, struct item *item, const char *reason,
    const char *evidence)
{
	item->tries.died++;
	metrics_add(d->metrics, METRIC_deliver_tries, 1);
	(void)tries_write(&item->claim, item->tries);
	note_event(d, item, EVENT_DIED, reason);
	if (item->tries.died >= d->conf->worker.tries) {
		settle(d, item, SPOOL_ERROR, "error", reason, evidence);
		return;
	}
	deliver_later(d, item, PAUSE_DIED_USEC);
}

static void
note_service(struct deliver *d, struct item *item)
{
	lot_clock(&d->lot, mono_now());
	if (!item->was_long)
		item->service_usec = d->lot.share - item->share_begun;
}

void
deliver_make_long(struct deliver *d, struct item *item)
{
	if (d->lot.n_long >= d->conf->detonate.waiting)
		return; /* engines should not have said so */
	note_service(d, item);
	item->was_long = true;
	/* The cell that read it has not died of it. */
	(void)tries_write(&item->claim, item->tries);
	lot_put(&d->lot, item, ITEM_LONG);
}

/* Pardoned when the cell had read them; now it may have been one of them, by
 * what it did in its clone. */
void
deliver_suspect_long(struct deliver *d)
{
	struct item *item;

	TAILQ_FOREACH (item, &d->lot.lengthy, link) {
		struct tries tries = item->tries;

		tries.begun++;
		(void)tries_write(&item->claim, tries);
	}
}

void
deliver_decide(struct deliver *d, struct item *item,
    const struct wire_judgement *judgement, const char *evidence)
{
	CLEANUP(free_ptr) char *kept = NULL;
	const struct engine_answer *by;
	enum spool_dir to;
	enum verdict v = verdict_of(judgement->answers, judgement->n_answers,
	    d->conf->worker.engines, &by);

	note_service(d, item);
	if (v == VERDICT_UNKNOWN_SYSTEM) {
		wait_for_system(d, item, by);
		return;
	}
	kept = evidence_text(judgement, evidence);
	if (!verdict_place(v, &to)) {
		/* Of the engines that says nothing: an outage goes on. */
		charge(d, item, by->reason, kept);
		return;
	}
	d->answered = mono_now();
	end_outage(d);
	if (v == VERDICT_WARN)
		item->warning = warning_text(d->warning, by->reason, evidence,
		    judgement->evidence_bytes);
	settle(d, item, to, verdict_name(v), by->reason, kept);
}

static void
count_move(struct deliver *d, const struct item *item)
{
	static const enum metric by_place[] = {
	    [SPOOL_OUT] = METRIC_deliver_out,
	    [SPOOL_VIRUS] = METRIC_deliver_virus,
	    [SPOOL_EXT] = METRIC_deliver_ext,
	    [SPOOL_SPAM] = METRIC_deliver_spam,
	    [SPOOL_ERROR] = METRIC_deliver_error,
	};

	metrics_add(d->metrics, by_place[item->to], 1);
	metrics_add(d->metrics, METRIC_deliver_bytes,
	    item->claim.qf_bytes + item->claim.df_bytes);
	metrics_add(
	    d->metrics, METRIC_deliver_service_usec, item->service_usec);
}

/* What the message has waited for others, until now. */
static uint64_t
waited_usec(const struct item *item)
{
	uint64_t now = wall_now().usec;
	uint64_t busy = item->claim.arrived.usec + item->service_usec;

	/* An engine's outage, or a clone's run, is not the others' doing. */
	if (item->since.usec > 0 || item->vm_since.usec > 0 ||
	    item->is_suspect || item->was_long)
		return LANE_NO_WAIT;
	return now > busy ? now - busy : 0;
}

static void
moved(struct deliver *d, struct item *item)
{
	struct lane_sample sample = {
	    .bytes = item->claim.qf_bytes + item->claim.df_bytes,
	    .service_usec = item->service_usec,
	    .wait_usec = waited_usec(item)};

	(void)strcpy(sample.id, item->id);
	lane_finished(d->lane, &sample);
	count_move(d, item);
	log_debug("move mid=%s to=%s verdict=%s service_usec=%llu", item->id,
	    spool_dir_name(item->to), item->verdict,
	    (unsigned long long)item->service_usec);
	lot_forget(&d->lot, item);
}

static void
settle_move(struct deliver *d, struct item *item, int result)
{
	if (result == 0) {
		moved(d, item);
		return;
	}
	log_error("mid=%s stays in %s: move to %s failed: %s", item->id,
	    spool_dir_name(d->dir), spool_dir_name(item->to),
	    strerror(-result));
	metrics_add(d->metrics, METRIC_deliver_failures, 1);
	/* It was judged: no fault of it is behind this. */
	(void)tries_write(&item->claim, item->tries);
	deliver_later(d, item, d->conf->worker.backoff_max_usec);
}

/* Is it as it must be to move?  Else it goes to error, or waits. */
static bool
make_ready(struct deliver *d, struct item *item)
{
	const char *reason = NULL;
	int r = deliver_change(d, item, &reason);

	if (r == 0)
		return true;
	if (r == -EBADMSG || r == -EFBIG || r == -EINVAL) {
		free(item->warning);
		item->warning = NULL;
		deliver_set_aside(d, item, reason);
	} else {
		settle_move(d, item, r);
	}
	return false;
}

void
deliver_move(struct deliver *d)
{
	struct move moves[BATCH_MAX];
	struct item *items[BATCH_MAX], *item, *next;
	size_t n = 0, failed = 0;
	int r;

	for (item = TAILQ_FIRST(&d->lot.done); item && n < BATCH_MAX;
	     item = next) {
		next = TAILQ_NEXT(item, link);
		if (!make_ready(d, item))
			continue;
		items[n] = item;
		moves[n++] = (struct move){
		    .claim = &item->claim, .to = item->to, .line = item->line};
	}
	if (n == 0)
		return;
	r = move_batch(d->spool, d->journal, moves, n);
	metrics_add(d->metrics, METRIC_deliver_batches, 1);
	for (size_t i = 0; i < n; i++) {
		failed += moves[i].result < 0;
		settle_move(d, items[i], moves[i].result);
	}
	if (r < 0 && failed == 0) /* renamed, but the disk takes no sync */
		deliver_end(d, r);
}
