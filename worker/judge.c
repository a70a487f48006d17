#include "worker/judge.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "worker/behind.h"
#include "worker/caller.h"
#include "worker/cells.h"
#include "worker/clamd.h"
#include "worker/fetcher.h"
#include "worker/job_priv.h"
#include "worker/programs.h"
#include "worker/reading.h"
#include "worker/runs.h"
#include "worker/spam.h"
#include "worker/table.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

static const char *const engine_names[JOB_ENGINES] = {
    [JOB_READING] = "reading",
    [JOB_POLICY] = "policy",
    [JOB_CLAMD] = "clamd",
    [JOB_SPAM] = "spam",
    [JOB_MEF] = "mef",
    [JOB_FLOW] = "flow",
    [JOB_VM] = "vm",
    [JOB_LINKS] = "links",
};

static void ask_reading(struct job *job);

static struct job_room *
room_of(const struct job *job)
{
	return &job->judge->rooms[job->behind != NULL];
}

static void
read_next(const struct judge *judge, struct job_room *room)
{
	struct job *job;

	while (room->open_bytes < judge->conf->budget.output_bytes &&
	       (job = STAILQ_FIRST(&room->unread))) {
		STAILQ_REMOVE_HEAD(&room->unread, turn);
		ask_reading(job);
	}
}

void
judge_read_next(struct judge *judge)
{
	for (size_t i = 0; i < ARRAY_SIZE(judge->rooms); i++)
		read_next(judge, &judge->rooms[i]);
}

bool
judge_become_long(struct job *job)
{
	struct judge *judge = job->judge;
	const struct conf *conf = judge->conf;

	if (job->is_long)
		return true;
	if (judge->n_long >= conf->detonate.waiting ||
	    judge->long_bytes >= conf->budget.output_bytes)
		return false;
	job->is_long = true;
	close_fd(&job->fd); /* the message itself: everybody has read it */
	job->fd = -1;
	room_of(job)->open_bytes -= job->reading->map_bytes;
	judge->n_long++;
	judge->long_bytes += job->reading->map_bytes;
	if (judge->is_long)
		judge->is_long(judge->arg, job->info.job);
	judge_read_next(judge);
	return true;
}

static void
job_free(struct job *job)
{
	struct judge *judge = job->judge;

	runs_forget(job);
	programs_forget(job);
	parts_free(job);
	behind_free(job);
	job->caller = caller_free(job->caller);
	if (job->is_long) {
		judge->n_long--;
		judge->long_bytes -= job->reading->map_bytes;
	} else if (job->reading) {
		room_of(job)->open_bytes -= job->reading->map_bytes;
	}
	LIST_REMOVE(job, link);
	(void)reading_free(job->reading);
	close_fd(&job->fd);
	free(job);
}

static void
deliver_judgement(struct job *job)
{
	struct judge *judge = job->judge;
	struct wire_judgement *out = &judge->out.judgement;
	CLEANUP(free_ptr) char *evidence = NULL;
	size_t len;

	memset(out, 0, sizeof(*out));
	out->job = job->info.job;
	for (int e = 0; e < JOB_ENGINES; e++)
		if (job->is_asked[e])
			out->answers[out->n_answers++] = job->answers[e];
	evidence = evidence_format(job, WIRE_EVIDENCE_MAX, &len);
	out->evidence_bytes = (uint32_t)len;
	memcpy(out + 1, evidence, len);
	called_teach(job, out);
	judge->done(judge->arg, out, (const char *)(out + 1));
}

void
job_answered(struct job *job)
{
	struct judge *judge = job->judge;

	if (--job->pending > 0)
		return;
	called_add_points(job);
	if (runs_begin(job))
		return;
	programs_settle(job);
	if (behind_begin(job))
		return;
	for (int e = 0; e < JOB_ENGINES; e++)
		job->answers[e].usec = job->answers[e].usec
					   ? job->answers[e].usec
					   : mono_span(job->begun, mono_now());
	if (job->behind)
		behind_judged(job);
	else
		deliver_judgement(job);
	job_free(job);
	judge_read_next(judge);
}

void
job_merge(
    struct job *job, enum job_engine e, const struct engine_answer *answer)
{
	struct engine_answer *kept = &job->answers[e];

	if (answer->answer != kept->answer &&
	    answer_worse(answer->answer, kept->answer) == answer->answer) {
		*kept = *answer;
		(void)strcpy(kept->engine, engine_names[e]);
	} else if (answer->answer == kept->answer &&
		   answer->wait > kept->wait) {
		kept->wait = answer->wait;
	}
	kept->usec = mono_span(job->begun, mono_now());
}

static void
on_raw_scanned(void *arg, const struct engine_answer *answer)
{
	struct job *job = arg;

	job_merge(job, JOB_CLAMD, answer);
	parts_raw_scanned(job);
	job_answered(job);
}

static void
on_spam(void *arg, const struct engine_answer *answer)
{
	struct job *job = arg;

	job_merge(job, JOB_SPAM, answer);
	job->answers[JOB_SPAM].score = answer->score;
	job->answers[JOB_SPAM].limit = answer->limit;
	/* The score is evidence even of mail that passes. */
	(void)memcpy(job->answers[JOB_SPAM].reason, answer->reason,
	    sizeof(answer->reason));
	job_answered(job);
}

static void
judge_reading(struct job *job)
{
	const struct reading *reading = job->reading;
	struct engine_answer *answer = &job->answers[JOB_READING];
	char text[128];

	if (reading->status != READING_COMPLETE)
		answer_set(answer, "reading", ANSWER_UNKNOWN_MESSAGE,
		    "budget exceeded: %s%s%s",
		    reading_status_text(reading->status),
		    *reading->text ? ": " : "", reading->text);
	else if (reading->hold)
		answer_set(answer, "reading", ANSWER_AMBIGUOUS,
		    "ambiguous: %s: %s",
		    reading_ambiguity_text(
			reading->ambiguity, text, sizeof(text)),
		    reading->text);
	answer->usec = mono_span(job->begun, mono_now());
}

static void
on_read(void *arg, struct reading *reading, const struct engine_answer *why)
{
	struct job *job = arg;

	job->reading = reading;
	if (reading) {
		room_of(job)->open_bytes += reading->map_bytes;
		judge_reading(job);
		parts_judge(job);
	} else {
		job_merge(job, JOB_READING, why);
		/* Without a reading there are no names to judge, nor files. */
		answer_set(&job->answers[JOB_MEF], "mef", why->answer, "%s",
		    why->reason);
		answer_set(&job->answers[JOB_POLICY], "policy", why->answer,
		    "%s", why->reason);
	}
	job_answered(job);
}

static void
ask_reading(struct job *job)
{
	struct judge *judge = job->judge;

	(void)cells_read(judge->cells, job->fd, job->info.bytes, on_read, job);
}

static void
ask_spam(struct job *job)
{
	struct spam_envelope envelope = {
	    job->info.id, job->info.sender, job->info.rcpt, job->info.client};

	job->pending++;
	(void)spam_check(job->judge->spam, job->fd, job->info.bytes, &envelope,
	    on_spam, job);
}

static void
on_refused(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	job_answered(arg);
}

/* Too large even to be read: nobody else is asked. */
static void
refuse_size(struct job *job)
{
	static const struct timeval soon = {0, 0};

	for (int e = 0; e < JOB_ENGINES; e++)
		job->is_asked[e] = e == JOB_READING;
	answer_set(&job->answers[JOB_READING], "reading",
	    ANSWER_UNKNOWN_MESSAGE,
	    "budget exceeded: %llu octets (budget.message)",
	    (unsigned long long)job->info.bytes);
	job->pending++;
	(void)event_base_once(
	    job->judge->base, -1, EV_TIMEOUT, on_refused, job, &soon);
}

static void
ask_engines(struct job *job)
{
	struct judge *judge = job->judge;

	job->pending++;
	STAILQ_INSERT_TAIL(&room_of(job)->unread, job, turn);
	judge_read_next(judge);
	if (job->behind) /* its file is a part; nobody sent the mail around */
		return;
	if (judge->clamd) {
		job->pending++;
		job->is_raw_scanning = true;
		(void)clamd_scan(judge->clamd, job->fd, on_raw_scanned, job);
	}
	if (judge->spam)
		ask_spam(job);
	if (judge->callers)
		called_ask(job);
}

static struct job *
job_new(struct judge *judge, const struct wire_job *info, int fd)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->judge = judge;
	job->info = *info;
	job->fd = fd;
	job->begun = mono_now();
	LIST_INSERT_HEAD(&judge->jobs, job, link);
	job->is_asked[JOB_READING] = true;
	job->is_asked[JOB_POLICY] = judge->policy != NULL;
	job->is_asked[JOB_CLAMD] = judge->clamd != NULL;
	job->is_asked[JOB_SPAM] = judge->spam != NULL;
	job->is_asked[JOB_MEF] = judge->programs != NULL;
	job->is_asked[JOB_FLOW] = judge->callers != NULL;
	for (int e = 0; e < JOB_ENGINES; e++)
		answer_set(
		    &job->answers[e], engine_names[e], ANSWER_CLEAN, "%s", "");
	return job;
}

void
judge_behind(struct behind *behind, int fd, uint64_t bytes)
{
	struct job *job = job_new(behind->job->judge, &behind->job->info, fd);

	job->info.bytes = bytes;
	job->behind = behind;
	job->is_asked[JOB_SPAM] = job->is_asked[JOB_FLOW] = false;
	ask_engines(job);
}

void
judge_submit(struct judge *judge, const struct wire_job *info, int fd)
{
	struct job *job = job_new(judge, info, fd);

	if (info->bytes > judge->conf->budget.message_bytes)
		refuse_size(job);
	else
		ask_engines(job);
}

static int
open_engines(struct judge *judge, char *err, size_t err_size)
{
	const struct conf *conf = judge->conf;
	const char *engines = conf->worker.engines;
	int r = 0;

	if (conf_has_word(engines, "clamd"))
		judge->clamd = clamd_new(judge->base,
		    &(struct clamd_options){.socket = conf->clamd.socket,
			.database = conf->clamd.database,
			.connections = (unsigned int)conf->clamd.connections,
			.timeout_usec = conf->clamd.timeout_usec,
			.settle_usec = conf->clamd.settle_usec});
	if (conf_has_word(engines, "spam")) {
		bool is_rspamd = strcmp(conf->spam.backend, "rspamd") == 0;

		judge->spam = spam_new(judge->base,
		    &(struct spam_options){
			.backend = is_rspamd ? SPAM_RSPAMD : SPAM_SPAMD,
			.address = conf->spam.address,
			.connections = (unsigned int)conf->spam.connections,
			.timeout_usec = conf->spam.timeout_usec});
		if (!judge->spam) {
			(void)snprintf(err, err_size,
			    "spam.address: %s: write HOST:PORT",
			    conf->spam.address);
			return -EINVAL;
		}
	}
	if (conf_has_word(engines, "flow"))
		judge->callers = callers_new(judge->base, conf);
	if (conf_has_word(engines, "policy"))
		r = policy_load(
		    conf->policy.rules, &judge->policy, err, err_size);
	if (r == 0 && conf_has_word(engines, "mef"))
		r = programs_new(judge, &judge->programs, err, err_size);
	return r;
}

int
judge_new(struct event_base *base, const struct conf *conf, int scan_fd,
    judge_done *done, judge_lost *lost, void *arg, struct judge **ret_judge,
    char *err, size_t err_size)
{
	struct judge *judge = xcalloc(1, sizeof(*judge));
	int r;

	judge->base = base;
	judge->conf = conf;
	judge->done = done;
	judge->lost = lost;
	judge->arg = arg;
	LIST_INIT(&judge->jobs);
	STAILQ_INIT(&judge->rooms[0].unread);
	STAILQ_INIT(&judge->rooms[1].unread);
	r = open_engines(judge, err, err_size);
	if (r == 0 && judge->clamd)
		judge->table = parts_table(judge);
	if (r == 0)
		judge->cells = cells_new(base, scan_fd, conf, lost, arg);
	if (r < 0) {
		(void)judge_free(judge);
		return r;
	}
	*ret_judge = judge;
	return 0;
}

void
judge_run(struct judge *judge, int vmm_fd, judge_long *is_long)
{
	if (!conf_has_word(judge->conf->worker.engines, "vm"))
		return;
	judge->is_long = is_long;
	judge->runs = runs_new(judge, vmm_fd);
}

void
judge_count(struct judge *judge, struct metrics *metrics)
{
	judge->metrics = metrics;
	if (judge->programs)
		programs_count(judge->programs);
}

void
judge_keep(struct judge *judge, int fd)
{
	if (judge->programs)
		programs_keep(judge->programs, fd);
}

void
judge_fetch(struct judge *judge, int fd, judge_long *is_long)
{
	judge->is_long = is_long;
	judge->fetcher =
	    fetcher_new(judge->base, fd, judge->conf, judge->lost, judge->arg);
}

struct judge *
judge_free(struct judge *judge)
{
	if (!judge)
		return NULL;
	/* Those who would call back go first, then what waits for them. */
	(void)fetcher_free(judge->fetcher);
	(void)cells_free(judge->cells);
	(void)clamd_free(judge->clamd);
	(void)spam_free(judge->spam);
	while (!LIST_EMPTY(&judge->jobs))
		job_free(LIST_FIRST(&judge->jobs));
	(void)callers_free(judge->callers);
	(void)runs_free(judge->runs);
	(void)programs_free(judge->programs);
	(void)table_close(judge->table);
	(void)policy_free(judge->policy);
	free(judge);
	return NULL;
}
