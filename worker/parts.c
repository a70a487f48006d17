/*
 * The parts of a reading: hashed here, outside the cell, judged once each,
 * by the scanned table where it knows them, else by clamd.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/metrics.h"
#include "worker/clamd.h"
#include "worker/job_priv.h"
#include "worker/programs.h"
#include "worker/reading.h"
#include "worker/table.h"

#include <event2/event.h>
#include <string.h>

/* Parts of one message that clamd has at a time. */
#define PARTS_AT_A_TIME 2

/*
 * Larger parts wait for the raw message's answer: by then clamd has unpacked
 * them itself and knows them from its cache, which costs it a twentieth of
 * scanning them at the same time once more.  Smaller ones are scanned in less
 * time than the wait would take.
 */
#define PART_AT_ONCE_BYTES 16384

static const struct reading_part *
seen_of(const struct job_part *part)
{
	return &part->job->reading->parts[part - part->job->parts];
}

static void
part_answered(struct job_part *part)
{
	struct job *job = part->job;

	part->is_done = true;
	job_merge(job, JOB_CLAMD, &part->answer);
	job_answered(job); /* the job may be gone now */
}

/* What others wait for: our answer, unless the signatures changed meanwhile,
 * when it is of neither the old ones nor the new. */
static void
part_publish(const struct job_part *part)
{
	const struct job *job = part->job;
	enum table_verdict verdict = TABLE_UNKNOWN;
	char context[sizeof(job->context)];

	if (clamd_context(job->judge->clamd, context, sizeof(context)) &&
	    strcmp(context, job->context) == 0) {
		if (part->answer.answer == ANSWER_CLEAN)
			verdict = TABLE_CLEAN;
		else if (part->answer.answer == ANSWER_HIT)
			verdict = TABLE_HIT;
	}
	table_result(job->judge->table, &part->digest, "clamd", job->context,
	    verdict, part->answer.reason, seen_of(part)->bytes);
}

/* A file of its own for clamd, which judges a whole descriptor. */
static int
part_file(const struct job_part *part)
{
	const struct reading_part *seen = seen_of(part);
	CLEANUP(close_fd) int fd = memfd_new("part");
	int r;

	if (fd < 0)
		return fd;
	r = write_all(fd, part->job->reading->map + seen->off, seen->bytes);
	return r < 0 ? r : TAKE_FD(fd);
}

/* part->answer is clamd's, or why clamd wasn't asked. */
static void
part_scanned(struct job_part *part)
{
	if (part->is_claimed)
		part_publish(part);
	part_answered(part);
}

static void scan_wanted(struct job *job);

/*
 * A message whose parts take clamd too long exceeded a budget, unless it is
 * clamd that did not know: then the rest would only wait for it as well.
 */
static void
note_scan(struct job *job, const struct engine_answer *answer)
{
	const uint64_t limit =
	    JUDGE_CLAMD_TIMES * job->judge->conf->clamd.timeout_usec;

	if (answer->answer == ANSWER_UNKNOWN_SYSTEM)
		job->lost = *answer;
	job->scan_usec += answer->usec;
	if (job->scan_usec <= limit || *job->stop.engine)
		return;
	if (*job->lost.engine)
		job->stop = job->lost;
	else
		answer_set(&job->stop, "clamd", ANSWER_UNKNOWN_MESSAGE,
		    "budget exceeded: its parts took clamd more than %llu s",
		    (unsigned long long)(limit / USEC_PER_SEC));
}

static void
on_part_scanned(void *arg, const struct engine_answer *answer)
{
	struct job_part *part = arg;
	struct job *job = part->job;

	part->answer = *answer;
	close_fd(&part->fd);
	part->fd = -1;
	job->n_scanning--;
	note_scan(job, answer);
	job->pending++; /* it must not go before the next is sent */
	part_scanned(part);
	scan_wanted(job);
	job_answered(job);
}

static void
part_send(struct job_part *part)
{
	struct job *job = part->job;

	part->fd = *job->stop.engine ? -1 : part_file(part);
	if (part->fd >= 0) {
		job->n_scanning++;
		(void)clamd_scan(
		    job->judge->clamd, part->fd, on_part_scanned, part);
		return;
	}
	if (!*job->stop.engine)
		answer_set(&job->stop, "clamd", ANSWER_UNKNOWN_SYSTEM,
		    "no memory for a part: %s", strerror(-part->fd));
	part->answer = job->stop;
	part_scanned(part);
}

/* A few at a time, so that a message of many parts takes neither all
 * descriptors nor all of clamd's time from the others. */
static bool
may_send(const struct job *job)
{
	if (job->n_sent == job->n_wanted || job->n_scanning == PARTS_AT_A_TIME)
		return false;
	return !job->is_raw_scanning ||
	       seen_of(job->wanted[job->n_sent])->bytes <= PART_AT_ONCE_BYTES;
}

static void
scan_wanted(struct job *job)
{
	job->pending++; /* it must not go while we walk its parts */
	while (may_send(job))
		part_send(job->wanted[job->n_sent++]);
	job_answered(job);
}

void
parts_raw_scanned(struct job *job)
{
	job->is_raw_scanning = false;
	scan_wanted(job);
}

static void
part_scan(struct job_part *part)
{
	struct job *job = part->job;

	part->is_scanning = true;
	job->wanted[job->n_wanted++] = part;
	scan_wanted(job);
}

static void
part_known(struct job_part *part, const struct table_entry *entry)
{
	bool is_hit = entry->verdict == TABLE_HIT;

	part->is_known = true;
	answer_set(&part->answer, "clamd", is_hit ? ANSWER_HIT : ANSWER_CLEAN,
	    "%s", entry->name);
	part_answered(part);
}

static struct job *
find_inquiry(struct judge *judge, uint64_t number)
{
	struct job *job;

	/* At most worker.in_flight and detonate.waiting. */
	LIST_FOREACH (job, &judge->jobs, link)
		if (job->inquiries && number >= job->inquiry &&
		    number < job->inquiry + job->inquiries)
			return job;
	return NULL;
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < job->inquiries; i++)
		table_drop(job->judge->table, job->inquiry + i);
	job->inquiries = 0;
	job->pending++; /* it must not go while we walk its parts */
	for (size_t i = 0; i < job->n_asked; i++)
		if (!job->asked[i]->is_scanning && !job->asked[i]->is_done)
			part_scan(job->asked[i]);
	job_answered(job);
}

/* Somebody else judges one of our parts: wait, but not for ever. */
static void
wait_for_others(struct job *job)
{
	struct timeval tv = span_timeval(job->judge->conf->clamd.timeout_usec);

	if (job->patience)
		return;
	job->patience = evtimer_new(job->judge->base, on_patience, job);
	(void)event_add(job->patience, &tv);
}

static const enum metric metric_of[TABLE_STATES] = {
    [TABLE_KNOWN] = METRIC_table_known,
    [TABLE_YOURS] = METRIC_table_yours,
    [TABLE_LATER] = METRIC_table_later,
};

static void
on_table(
    void *arg, uint64_t number, const struct table_entry *entries, size_t n)
{
	struct job *job = find_inquiry(arg, number);
	size_t first;

	if (!job)
		return;
	first = (size_t)(number - job->inquiry) * TABLE_KEYS_MAX;
	job->pending++; /* it must not go while we walk its parts */
	for (size_t i = 0; i < n; i++) {
		size_t at = first + entries[i].index;
		struct job_part *part;

		if (at >= job->n_asked)
			continue;
		part = job->asked[at];
		if (part->is_done || part->is_scanning)
			continue;
		metrics_add(
		    job->judge->metrics, metric_of[entries[i].state], 1);
		if (entries[i].state == TABLE_KNOWN) {
			part_known(part, &entries[i]);
		} else if (entries[i].state == TABLE_YOURS) {
			part->is_claimed = true;
			part_scan(part);
		} else {
			wait_for_others(job);
		}
	}
	job_answered(job);
}

struct table *
parts_table(struct judge *judge)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/book/book.sock", judge->conf->site.runtime);

	return table_open(judge->base, path, on_table, judge);
}

static void
ask_table(struct job *job)
{
	struct judge *judge = job->judge;
	struct digest keys[TABLE_KEYS_MAX];

	job->inquiries = (job->n_asked + TABLE_KEYS_MAX - 1) / TABLE_KEYS_MAX;
	job->inquiry = judge->last_inquiry + 1;
	judge->last_inquiry += job->inquiries;
	for (size_t at = 0; at < job->n_asked; at += TABLE_KEYS_MAX) {
		size_t n = 0;

		while (n < TABLE_KEYS_MAX && at + n < job->n_asked) {
			keys[n] = job->asked[at + n]->digest;
			n++;
		}
		table_lookup(judge->table, job->inquiry + at / TABLE_KEYS_MAX,
		    "clamd", job->context, keys, n);
	}
}

/* Every different content is asked for; the table is left out on demand and
 * while clamd's answers of now may not be kept. */
static void
ask_all(struct job *job)
{
	struct judge *judge = job->judge;

	job->pending += (unsigned int)job->n_asked;
	if (!job->info.afresh &&
	    clamd_context(judge->clamd, job->context, sizeof(job->context))) {
		ask_table(job);
		return;
	}
	job->context[0] = '\0';
	for (size_t i = 0; i < job->n_asked; i++)
		part_scan(job->asked[i]);
}

/* Hash a part; true when its content is new in this job. */
static bool
part_is_new(struct job *job, size_t i)
{
	const struct reading_part *seen = &job->reading->parts[i];
	struct job_part *part = &job->parts[i];

	part->digest =
	    digest_memory(job->reading->map + seen->off, seen->bytes);
	if (seen->bytes == 0)
		return false;
	HASH_FIND(hh, job->by_digest, &part->digest, sizeof(part->digest),
	    part->same);
	if (part->same)
		return false;
	HASH_ADD(hh, job->by_digest, digest, sizeof(part->digest), part);
	return true;
}

static void
part_policy(struct job *job, size_t i)
{
	struct job_part *part = &job->parts[i];

	if (job->judge->policy)
		part->action = policy_part(
		    job->judge->policy, &job->reading->parts[i], &part->why);
}

void
parts_judge(struct job *job)
{
	size_t n = job->reading->n_parts;

	job->parts = xcalloc(n, sizeof(*job->parts));
	job->asked = xcalloc(n, sizeof(struct job_part *));
	job->wanted = xcalloc(n, sizeof(struct job_part *));
	for (size_t i = 0; i < n; i++) {
		job->parts[i].job = job;
		job->parts[i].fd = -1;
		part_policy(job, i);
		if (part_is_new(job, i))
			job->asked[job->n_asked++] = &job->parts[i];
	}
	if (job->judge->policy)
		policy_judge(job->judge->policy, job->reading,
		    &job->answers[JOB_POLICY]);
	if (job->judge->programs)
		programs_judge(job);
	if (job->judge->clamd && job->n_asked > 0)
		ask_all(job);
}

static void
part_free(struct job_part *part)
{
	close_fd(&part->fd);
	free(part->behaviours);
	free(part->opinion);
}

void
parts_free(struct job *job)
{
	/* A job that ends as it should has all its answers, and has told all
	 * its results: the book needs no word of it. */
	for (size_t i = 0; job->pending > 0 && i < job->inquiries; i++)
		table_drop(job->judge->table, job->inquiry + i);
	if (job->patience)
		event_free(job->patience);
	HASH_CLEAR(hh, job->by_digest);
	for (size_t i = 0; job->parts && i < job->reading->n_parts; i++)
		part_free(&job->parts[i]);
	free(job->parts);
	free(job->asked);
	free(job->wanted);
}
