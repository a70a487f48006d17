/*
 * Which message is tried when: from a name in the feed queue to a claim, a
 * try counted on disk, and a job for the engines.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/proc.h"
#include "queues/message.h"
#include "queues/qf.h"
#include "queues/received.h"
#include "worker/deliver_priv.h"
#include "worker/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A message that somebody has locked is looked at again after this. */
#define BUSY_USEC (100 * USEC_PER_MSEC)

/* Suspects are tried one at a time; the others look again after this. */
#define SUSPECT_USEC (100 * USEC_PER_MSEC)

void
deliver_later(struct deliver *d, struct item *item, uint64_t usec)
{
	item_unclaim(item);
	item->not_before.usec = mono_now().usec + usec;
	lot_put(&d->lot, item, ITEM_WAITING);
}

static void
copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

static int
send_job(struct deliver *d, struct item *item, int fd, uint64_t bytes)
{
	struct wire_job job = {.job = ++d->last_job, .bytes = bytes};
	char address[RECEIVED_ADDRESS];
	uint16_t port;

	if (item->vm_since.usec)
		job.held_usec = mono_span(item->vm_since, mono_now());

	copy_text(job.id, sizeof(job.id), item->id);
	copy_text(job.sender, sizeof(job.sender), item->qf->sender);
	copy_text(job.rcpt, sizeof(job.rcpt),
	    item->qf->n_rcpt ? item->qf->rcpt[0] : "");
	copy_text(job.client, sizeof(job.client), item->qf->client);
	if (received_client(item->qf, address, &port)) {
		copy_text(job.address, sizeof(job.address), address);
		job.port = port;
	}
	(void)qf_header(
	    item->qf, "Message-ID", job.message_id, sizeof(job.message_id));
	item->job = job.job;
	return ipc_send(
	    DELIVER_ENGINES_FD, WIRE_JOB, &job, sizeof(job), &fd, 1);
}

/* Claimed: build the message, count the try on disk, hand it over. */
static int
begin(struct deliver *d, struct item *item)
{
	CLEANUP(close_fd) int fd = -1;
	struct tries tries = item->tries;
	const char *reason = NULL;
	uint64_t bytes;
	int r;

	r = message_build(d->spool, &item->claim, d->conf->budget.message_bytes,
	    &fd, &bytes, &item->qf, &reason);
	if (r == -EBADMSG || r == -EFBIG) {
		deliver_set_aside(d, item,
		    r == -EFBIG ? "budget exceeded: larger than budget.message"
				: reason);
		return 0;
	}
	if (r < 0)
		return r;
	tries.begun++;
	r = tries_write(&item->claim, tries);
	if (r < 0)
		return r;
	r = send_job(d, item, fd, bytes);
	if (r < 0) {
		(void)tries_write(&item->claim, item->tries);
		return r;
	}
	lot_put(&d->lot, item, ITEM_JUDGED);
	item->was_long = false;
	item->begun = d->lot.clock;
	item->share_begun = d->lot.share;
	return 0;
}

/* A name that can never be a message: set aside, or left alone. */
static void
claim_broken(struct deliver *d, struct item *item, const char *reason)
{
	int r = claim_take_broken(d->spool, d->dir, item->id, &item->claim);

	if (r == 0) {
		deliver_set_aside(d, item, reason);
		return;
	}
	log_error("%s/qf%s: %s (%s); take it away by hand",
	    spool_dir_name(d->dir), item->id, reason, strerror(-r));
	deliver_later(d, item, d->conf->worker.hold_max_usec);
}

/* Must it wait, so that it doesn't take the same ones along at each start? */
static bool
is_put_off(struct deliver *d, struct item *item)
{
	const uint64_t pause = lot_suspect_pause(
	    item->tries.begun, d->conf->worker.backoff_max_usec);

	if (pause == 0 || item->was_put_off)
		return false;
	item->was_put_off = true;
	deliver_later(d, item, pause);
	return true;
}

/* Claim and begin.  Returns false when nothing more can be begun now. */
static bool
try_item(struct deliver *d, struct item *item)
{
	const char *reason = NULL;
	int r;

	item->is_fresh = false;
	r = claim_take(d->spool, d->dir, item->id, &item->claim, &reason);
	if (r == -ENOENT) {
		lot_forget(&d->lot, item);
		return true;
	}
	if (r == -EBADMSG || (r == -EAGAIN && claim_is_stale(d->spool, d->dir,
						  item->id, wall_now()))) {
		claim_broken(d, item, reason ? reason : "qf cut off");
		return true;
	}
	if (r < 0) { /* locked, or the world failed: look again */
		if (r != -EBUSY && r != -EAGAIN)
			log_error("mid=%s claim: %s", item->id, strerror(-r));
		deliver_later(d, item, r == -EBUSY ? BUSY_USEC : USEC_PER_SEC);
		return r == -EBUSY || r == -EAGAIN;
	}
	(void)tries_read(&item->claim, &item->tries);
	item->is_suspect = item->tries.died > 0 || item->tries.begun > 0;
	if (is_put_off(d, item))
		return true;
	if (item->is_suspect && d->lot.n_suspects > 0) {
		deliver_later(d, item, SUSPECT_USEC);
		return true;
	}
	r = begin(d, item);
	if (r < 0) {
		log_error("mid=%s cannot begin: %s", item->id, strerror(-r));
		deliver_later(d, item, USEC_PER_SEC);
		if (r == -EPIPE)
			deliver_end(d, -EPIPE);
	}
	return r == 0;
}

static bool
has_room(const struct deliver *d, struct mono now)
{
	if (d->is_draining)
		return false;
	if (d->outage.usec) /* one message asks whether it is over */
		return d->lot.n_judged == 0 && now.usec >= d->outage_next.usec;
	return d->lot.n_judged < d->conf->worker.in_flight;
}

void
deliver_begin(struct deliver *d)
{
	struct mono now = mono_now(), next;
	struct item *item;

	/* Twice the places: names that lead nowhere take none. */
	for (uint64_t i = 0; i < 2 * d->conf->worker.in_flight; i++) {
		if (!has_room(d, now))
			return;
		item = lot_next(&d->lot, now, &next);
		if (!item || !try_item(d, item))
			return;
	}
	deliver_wake(d); /* there may be more: let others be heard first */
}
