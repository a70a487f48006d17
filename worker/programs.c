#include "worker/programs_priv.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/metrics.h"
#include "worker/keep.h"
#include "worker/reading.h"

#include <assert.h>
#include <event2/event.h>
#include <string.h>

/* Files of one message that are asked about at a time, so that a message of
 * many leaves cells to the others. */
#define AT_A_TIME 2

/* How often another model is looked for, at least. */
#define LOOK_USEC (5 * USEC_PER_SEC)
static_assert((int)MODEL_NONE == (int)METRIC_MEF_NONE &&
		  (int)MODEL_GOOD == (int)METRIC_MEF_GOOD,
    "the gauge is the state");

static void
on_table(
    void *arg, uint64_t number, const struct table_entry *entries, size_t n)
{
	struct programs *programs = arg;
	struct program *program;

	HASH_FIND(hh, programs->by_number, &number, sizeof(number), program);
	if (program && n > 0) /* one key was asked for */
		program_told(program, entries);
}

/* Another model may be there, also when no program comes: sluice status is to
 * tell how it is now. */
static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct programs *programs = arg;

	(void)fd;
	(void)what;
	model_look(programs->model);
	programs_count(programs);
}

int
programs_new(
    struct judge *judge, struct programs **ret, char *err, size_t err_size)
{
	const struct conf *conf = judge->conf;
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/book/book.sock", conf->site.runtime);
	const struct timeval interval = span_timeval(LOOK_USEC);
	struct programs *programs = xcalloc(1, sizeof(*programs));
	int r = known_load(conf->mef.known, &programs->known, err, err_size);

	if (r < 0) {
		free(programs);
		return r;
	}
	programs->judge = judge;
	programs->model = model_new(conf->mef.model, conf->mef.threshold_ppm);
	programs->table = table_open(judge->base, path, on_table, programs);
	programs->look =
	    event_new(judge->base, -1, EV_PERSIST, on_look, programs);
	programs->opened = event_new(judge->base, model_fd(programs->model),
	    EV_READ | EV_PERSIST, on_look, programs);
	if (!programs->look || event_add(programs->look, &interval) < 0 ||
	    !programs->opened || event_add(programs->opened, NULL) < 0)
		abort(); /* as xcalloc() */
	*ret = programs;
	return 0;
}

struct programs *
programs_free(struct programs *programs)
{
	if (!programs)
		return NULL;
	event_free(programs->look);
	event_free(programs->opened);
	(void)keep_free(programs->keep);
	(void)table_close(programs->table);
	(void)known_free(programs->known);
	(void)model_free(programs->model);
	free(programs);
	return NULL;
}

void
programs_keep(struct programs *programs, int fd)
{
	programs->keep = keep_new(programs->judge, fd);
}

void
programs_count(struct programs *programs)
{
	metrics_set(programs->judge->metrics, METRIC_mef_model,
	    model_state(programs->model));
}

static void
count(const struct programs *programs, const struct opinion *opinion)
{
	static const enum metric by_label[] = {
	    [MEF_IS_BENIGN] = METRIC_mef_benign,
	    [MEF_IS_MALICIOUS] = METRIC_mef_malicious,
	    [MEF_IS_BORDERLINE] = METRIC_mef_borderline};

	metrics_add(programs->judge->metrics, by_label[opinion->label], 1);
}

/* A clean answer without an opinion says why; one with an opinion has nothing
 * to say of the message. */
static void
merge(struct job *job, const struct engine_answer *answer)
{
	struct engine_answer *kept = &job->answers[JOB_MEF];

	job_merge(job, JOB_MEF, answer);
	if (answer->answer == ANSWER_CLEAN && kept->answer == ANSWER_CLEAN &&
	    *answer->reason)
		(void)memcpy(
		    kept->reason, answer->reason, sizeof(kept->reason));
}

static void
ask_next(struct job *job)
{
	struct programs *programs = job->judge->programs;

	job->pending++; /* it must not go while we walk its files */
	job->is_choosing = true;
	while (job->n_begun < job->n_programs && job->n_asking < AT_A_TIME) {
		job->n_asking++;
		program_begin(
		    program_new(programs, job->programs[job->n_begun++]));
	}
	job->is_choosing = false;
	job_answered(job);
}

void
program_answered(struct program *program, const struct engine_answer *answer)
{
	struct programs *programs = program->programs;
	struct job_part *part = program->part;
	struct job *job = part->job;

	part->mef = *answer;
	part->mef.usec = mono_span(program->begun, mono_now());
	part->is_weighed = true;
	if (!part->is_to_run) /* else clones decide: programs_settle() */
		merge(job, answer);
	if (part->opinion) {
		count(programs, part->opinion);
		keep_offer(programs->keep, part);
	}
	program_free(program);
	job->n_asking--;
	if (!job->is_choosing) /* else it goes on by itself */
		ask_next(job);
	job_answered(job);
}

static bool
is_program(const struct reading_part *seen)
{
	if (!(seen->flags & PART_PROGRAM) || seen->bytes == 0)
		return false;
	/* Nobody runs the text of a mail. */
	return (seen->flags & (PART_BODY | PART_ATTACHMENT)) != PART_BODY;
}

void
programs_judge(struct job *job)
{
	struct programs *programs = job->judge->programs;
	const size_t n = job->reading->n_parts;

	job->programs = xcalloc(n, sizeof(struct job_part *));
	for (size_t i = 0; i < n; i++) {
		struct job_part *part = &job->parts[i];

		if (!is_program(&job->reading->parts[i]))
			continue;
		if (part->same)
			part = part->same;
		if (part->is_program)
			continue;
		part->is_program = true;
		job->programs[job->n_programs++] = part;
	}
	if (job->n_programs == 0)
		return;
	model_look(programs->model);
	programs_count(programs);
	job->pending += (unsigned int)job->n_programs;
	ask_next(job);
}

/* What a clone has run, as everything that it may be, and found nothing in. */
static bool
is_cleared(const struct job_part *part)
{
	return part->is_run && !part->is_unrun &&
	       part->vm.answer == ANSWER_CLEAN;
}

static void
clear(struct job_part *part)
{
	char reason[ANSWER_REASON_MAX];

	(void)memcpy(reason, part->mef.reason, sizeof(reason));
	answer_set(&part->mef, "mef", ANSWER_CLEAN, "a clone shows nothing: %s",
	    reason);
}

void
programs_settle(struct job *job)
{
	for (size_t i = 0; i < job->n_programs; i++) {
		struct job_part *part = job->programs[i];

		if (!part->is_to_run)
			continue;
		part->is_to_run = false;
		if (is_cleared(part))
			clear(part);
		merge(job, &part->mef);
	}
}

void
programs_forget(struct job *job)
{
	struct programs *programs = job->judge->programs;
	struct program *program, *next;

	free(job->programs);
	if (!programs || job->pending == 0)
		return;
	HASH_ITER (hh, programs->by_number, program, next) {
		if (program->part->job != job)
			continue;
		table_drop(programs->table, program->number);
		program_free(program);
	}
}
