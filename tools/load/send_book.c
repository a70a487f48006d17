/* tools/load/send_book.c - bookkeeping of the sender. */
#include "send_book.h"

#include "jrec.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char *const status_names[STATUS_COUNT] = {
    [STATUS_ACCEPTED] = "accepted",
    [STATUS_REJECTED] = "rejected",
    [STATUS_DEFERRED] = "deferred",
    [STATUS_BROKEN] = "broken",
};

/*
 * The queue id in a reply: sendmail's "250 2.0.0 ID Message accepted …",
 * Postfix's "… queued as ID".
 */
static bool
queue_id(const char *reply, char *ret_id, size_t cap)
{
	static const char postfix[] = "queued as ";
	static const char sendmail[] = " Message accepted";
	const char *end = strstr(reply, sendmail);
	const char *p = strstr(reply, postfix);

	if (end) {
		p = end;
		while (p > reply && p[-1] != ' ')
			p--;
	} else if (p) {
		p += sizeof(postfix) - 1;
		end = p + strcspn(p, " \n");
	}
	if (!p || end == p || (size_t)(end - p) >= cap)
		return false;
	memcpy(ret_id, p, (size_t)(end - p));
	ret_id[end - p] = '\0';
	return true;
}

static void
log_message(const struct send_book *b, const struct job *job,
    const struct message *m, struct jrec *j)
{
	char hex[BODYHASH_HEX_BYTES] = "";

	jrec_str(j, "id", m->id);
	jrec_str(
	    j, "class", job->file ? b->corpus_class : class_name(job->class));
	if (job->file)
		jrec_str(j, "file", job->file);
	if (!m->is_whole)
		return; /* never sent to its end: nothing to compare */
	bodyhash_hex(m->wire.hash, hex);
	jrec_int(j, "bytes", m->wire.bytes);
	jrec_str(j, "sha256", hex);
}

static void
log_result(const struct result *result, enum status status, struct jrec *j)
{
	const bool accepted = status == STATUS_ACCEPTED;
	char qid[64];

	jrec_time(j, "t_start", result->start_wall_usec);
	jrec_time(j, "t_accepted", accepted ? result->end_wall_usec : 0);
	jrec_str(j, "status", status_names[status]);
	jrec_str(j, "reply", result->reply);
	if (accepted)
		jrec_str(j, "qid",
		    queue_id(result->reply, qid, sizeof(qid)) ? qid : NULL);
}

static void
log_job(const struct send_book *b, const struct job *job,
    const struct message *m, enum status status, const struct result *result)
{
	struct jrec *j = jrec_new();
	int r;

	log_message(b, job, m, j);
	log_result(result, status, j);
	jrec_int(j, "attempts", job->attempts);
	jrec_int(j, "broke", job->broke);
	r = jrec_log(b->log_fd, j);
	if (r < 0)
		die(EXIT_SYSTEM, "--log: %s", strerror(-r));
	(void)jrec_free(j);
}

void
send_book_enter(struct send_book *b, const struct job *job,
    const struct message *m, enum status status, const struct result *result)
{
	b->by_status[status]++;
	if (status == STATUS_ACCEPTED) {
		b->by_class[job->class]++;
		hist_add(&b->latency, result->end_usec - result->start_usec);
	}
	if (b->log_fd >= 0)
		log_job(b, job, m, status, result);
}

uint64_t
send_book_done(const struct send_book *b)
{
	uint64_t n = 0;

	for (int i = 0; i < STATUS_COUNT; i++)
		n += b->by_status[i];
	return n;
}

static double
seconds_since(const struct send_book *b)
{
	return (double)(mono_usec() - b->start_usec) / USEC_PER_SEC;
}

void
send_book_progress(const struct send_book *b, uint64_t total, bool is_last)
{
	const bool tty = isatty(STDERR_FILENO);
	const uint64_t done = send_book_done(b);
	const double seconds = seconds_since(b);
	const double rate = seconds > 0 ? (double)done / seconds : 0;

	(void)fprintf(stderr, "%s%" PRIu64, tty ? "\r\033[K" : "", done);
	if (total != UINT64_MAX)
		(void)fprintf(stderr, " of %" PRIu64, total);
	(void)fprintf(stderr, " sent, %.1f/s", rate);
	if (total != UINT64_MAX && rate > 0 && total > done)
		(void)fprintf(
		    stderr, ", %.0f s left", (double)(total - done) / rate);
	(void)fputs(tty && !is_last ? "" : "\n", stderr);
	(void)fflush(stderr);
}

static void
add_hist(struct jrec *j, const char *key, const struct hist *h)
{
	struct jrec *child = jrec_child(j, key);

	jrec_real(child, "p50", hist_percentile(h, 0.5) / USEC_PER_SEC);
	jrec_real(child, "p90", hist_percentile(h, 0.9) / USEC_PER_SEC);
	jrec_real(child, "p99", hist_percentile(h, 0.99) / USEC_PER_SEC);
	jrec_real(child, "max", (double)h->max_usec / USEC_PER_SEC);
}

static void
print_json(const struct send_book *b, double seconds)
{
	struct jrec *j = jrec_new();
	struct jrec *classes;

	jrec_int(j, "sent", send_book_done(b));
	for (int i = 0; i < STATUS_COUNT; i++)
		jrec_int(j, status_names[i], b->by_status[i]);
	jrec_int(j, "retries", b->retries);
	jrec_int(j, "reconnects", b->reconnects);
	jrec_int(j, "unreadable", b->unreadable);
	jrec_int(j, "skipped", b->skipped);
	jrec_real(j, "seconds", seconds);
	jrec_real(j, "rate",
	    (double)b->by_status[STATUS_ACCEPTED] / (seconds + 1e-9));
	add_hist(j, "latency", &b->latency);
	add_hist(j, "lag", &b->lag);
	classes = jrec_child(j, "accepted_by_class");
	for (int i = 0; i < CLASS_COUNT; i++)
		if (b->by_class[i] > 0)
			jrec_int(classes,
			    i == CLASS_CORPUS ? b->corpus_class
					      : class_name((enum msg_class)i),
			    b->by_class[i]);
	if (jrec_print(stdout, j) < 0)
		die(EXIT_SYSTEM, "can't write the summary");
	(void)jrec_free(j);
}

void
send_book_summary(const struct send_book *b, bool as_json)
{
	const double seconds = seconds_since(b);

	if (as_json) {
		print_json(b, seconds);
		return;
	}
	for (int i = 0; i < STATUS_COUNT; i++)
		(void)printf("%s %" PRIu64 "%s", status_names[i],
		    b->by_status[i], i + 1 < STATUS_COUNT ? ", " : "\n");
	(void)printf("%.1f s, %.1f accepted/s, transaction p50 %.1f ms, "
		     "p99 %.1f ms\n",
	    seconds, (double)b->by_status[STATUS_ACCEPTED] / (seconds + 1e-9),
	    hist_percentile(&b->latency, 0.5) / 1e3,
	    hist_percentile(&b->latency, 0.99) / 1e3);
	if (b->retries + b->reconnects + b->unreadable + b->skipped > 0)
		(void)printf("%" PRIu64 " retries, %" PRIu64
			     " connections failed or cut, %" PRIu64
			     " files unreadable, %" PRIu64 " skipped\n",
		    b->retries, b->reconnects, b->unreadable, b->skipped);
}
