/*
 * The way of one file: list, model, table, cell.
 */
#include "worker/programs_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "worker/cells.h"
#include "worker/reading.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define ENGINE "mef"
/* Millionths of the band in one. */
#define PPM 1e6

static const struct reading_part *
seen_of(const struct job_part *part)
{
	return &part->job->reading->parts[part - part->job->parts];
}

struct program *
program_new(struct programs *programs, struct job_part *part)
{
	struct program *program = xcalloc(1, sizeof(*program));

	program->programs = programs;
	program->number = ++programs->last_number;
	program->part = part;
	program->begun = mono_now();
	program->fd = -1;
	HASH_ADD(
	    hh, programs->by_number, number, sizeof(program->number), program);
	return program;
}

void
program_free(struct program *program)
{
	HASH_DEL(program->programs->by_number, program);
	if (program->patience)
		event_free(program->patience);
	close_fd(&program->fd);
	free(program);
}

void
program_weigh(const struct conf *conf, const struct opinion *opinion,
    struct engine_answer *ret, bool *ret_is_to_run)
{
	const char *action = opinion->label == MEF_IS_MALICIOUS
				 ? conf->mef.malicious
				 : conf->mef.borderline;
	char text[ANSWER_REASON_MAX];

	*ret_is_to_run = false;
	if (opinion->label == MEF_IS_BENIGN) {
		answer_set(ret, ENGINE, ANSWER_CLEAN, "%s", "");
		return;
	}
	opinion_text(opinion, text);
	answer_set(ret, ENGINE,
	    strcmp(action, "hold") == 0 ? ANSWER_HIT : ANSWER_WARN, "%s", text);
	*ret_is_to_run = strcmp(action, "detonate") == 0;
}

static void
tell_table(
    const struct program *program, enum table_verdict verdict, const char *name)
{
	if (program->is_claimed)
		table_result(program->programs->table, &program->part->digest,
		    ENGINE, program->context, verdict, name,
		    seen_of(program->part)->bytes);
}

static void
has_opinion(struct program *program, const struct opinion *opinion)
{
	struct job_part *part = program->part;
	struct engine_answer answer;

	part->opinion = xcalloc(1, sizeof(*part->opinion));
	*part->opinion = *opinion;
	program_weigh(
	    program->programs->judge->conf, opinion, &answer, &part->is_to_run);
	program_answered(program, &answer);
}

static void
is_unknown(struct program *program, enum answer answer, const char *why)
{
	struct engine_answer a;

	tell_table(program, TABLE_UNKNOWN, "");
	answer_set(&a, ENGINE, answer, "%s", why);
	program_answered(program, &a);
}

static void
has_score(const struct program *program, const struct mef_score *score,
    const struct mef_bag *bag, struct opinion *ret)
{
	const struct programs *programs = program->programs;

	*ret = (struct opinion){
	    .by = score->is_known ? OPINION_LEARNED : OPINION_SCORE,
	    .label = mef_label_of(
		score, (double)programs->judge->conf->mef.threshold_ppm / PPM),
	    .kind = (enum mef_kind)bag->kind,
	    .p_malicious = score->p_malicious,
	    .has_families = !score->is_known};
	memcpy(ret->family, score->family, sizeof(ret->family));
	if (!score->is_known)
		ret->n_strongest =
		    mef_model_strongest(model_get(programs->model), bag,
			ret->strongest, OPINION_STRONGEST);
}

/* What others wait for, unless the model changed meanwhile, when it is of
 * another than they asked for. */
static void
publish(const struct program *program, const struct opinion *opinion)
{
	char text[TABLE_NAME_MAX];

	if (strcmp(model_context(program->programs->model), program->context) !=
	    0) {
		tell_table(program, TABLE_UNKNOWN, "");
		return;
	}
	opinion_keep(opinion, text);
	tell_table(program,
	    opinion->label == MEF_IS_BENIGN ? TABLE_CLEAN : TABLE_HIT, text);
}

static void
on_extracted(void *arg, struct mef_bag *bag, const struct engine_answer *why)
{
	struct program *program = arg;
	CLEANUP(mef_bag_freep) struct mef_bag *features = bag;
	const struct mef_model *mef = model_get(program->programs->model);
	struct mef_score score;
	struct opinion opinion;

	close_fd(&program->fd);
	program->fd = -1;
	if (!features) {
		is_unknown(program, (enum answer)why->answer, why->reason);
		return;
	}
	if (!mef ||
	    (mef_model_head(mef)->set == MEF_SET_2001) != program->is_2001) {
		is_unknown(program, ANSWER_UNKNOWN_SYSTEM,
		    "the model changed while its file was read");
		return;
	}
	mef_model_score(mef, features, NULL, &score);
	has_score(program, &score, features, &opinion);
	publish(program, &opinion);
	has_opinion(program, &opinion);
}

static void
extract(struct program *program)
{
	struct programs *programs = program->programs;
	const struct mef_model *mef = model_get(programs->model);
	const struct job_part *part = program->part;
	const struct reading_part *seen = seen_of(part);
	int r;

	program->fd = memfd_new("program");
	r = program->fd < 0
		? program->fd
		: write_all(program->fd, part->job->reading->map + seen->off,
		      seen->bytes);
	if (r == 0)
		r = memfd_seal(program->fd);
	if (r < 0 || !mef) {
		is_unknown(program, ANSWER_UNKNOWN_SYSTEM,
		    mef ? "no memory for a file" : "the model has gone");
		return;
	}
	program->is_2001 = mef_model_head(mef)->set == MEF_SET_2001;
	(void)cells_extract(programs->judge->cells, program->fd, seen->bytes,
	    program->is_2001, on_extracted, program);
}

static void
stop_waiting(struct program *program)
{
	if (program->patience)
		event_free(program->patience);
	program->patience = NULL;
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct program *program = arg;

	(void)fd;
	(void)what;
	stop_waiting(program);
	table_drop(program->programs->table, program->number);
	extract(program); /* ourselves, then, and untold */
}

/* Another worker reads the same file, which takes it no more than a cell's
 * budget. */
static void
wait_for_other(struct program *program)
{
	const struct judge *judge = program->programs->judge;
	struct timeval tv = span_timeval(judge->conf->budget.wall_usec);

	if (program->patience)
		return;
	program->patience = evtimer_new(judge->base, on_patience, program);
	if (!program->patience || event_add(program->patience, &tv) < 0)
		abort(); /* as xcalloc() */
}

void
program_told(struct program *program, const struct table_entry *entry)
{
	struct opinion opinion;

	switch ((enum table_state)entry->state) {
	case TABLE_KNOWN:
		if (!opinion_kept(entry->name, &opinion)) {
			stop_waiting(program);
			extract(program); /* no text of ours */
			return;
		}
		program->part->is_opinion_known = true;
		has_opinion(program, &opinion);
		return;
	case TABLE_YOURS:
		program->is_claimed = true;
		stop_waiting(program);
		extract(program);
		return;
	case TABLE_LATER:
		wait_for_other(program);
		return;
	case TABLE_STATES:
	default:
		return;
	}
}

/* The site's word, or the model's of a document that it has learned. */
static bool
is_known_file(const struct program *program, struct opinion *ret)
{
	static const struct mef_bag nothing;
	const struct programs *programs = program->programs;
	const struct mef_model *mef = model_get(programs->model);
	const struct digest *digest = &program->part->digest;
	struct mef_score score = {.is_known = false};
	bool is_malicious;

	if (known_find(programs->known, digest, &is_malicious)) {
		*ret = (struct opinion){.by = OPINION_LISTED,
		    .label = is_malicious ? MEF_IS_MALICIOUS : MEF_IS_BENIGN,
		    .p_malicious = is_malicious};
		return true;
	}
	if (mef)
		mef_model_score(mef, &nothing, digest, &score);
	if (score.is_known)
		has_score(program, &score, &nothing, ret);
	return score.is_known;
}

void
program_begin(struct program *program)
{
	const struct programs *programs = program->programs;
	struct opinion opinion;

	if (is_known_file(program, &opinion)) {
		has_opinion(program, &opinion);
		return;
	}
	if (!model_get(programs->model)) {
		struct engine_answer answer;
		const bool is_none = model_state(programs->model) == MODEL_NONE;

		answer_set(&answer, ENGINE,
		    is_none ? ANSWER_CLEAN : ANSWER_UNKNOWN_SYSTEM, "%s%s",
		    is_none ? "no opinion: " : "", model_why(programs->model));
		program_answered(program, &answer);
		return;
	}
	(void)strcpy(program->context, model_context(programs->model));
	if (program->part->job->info.afresh)
		extract(program);
	else
		table_lookup(programs->table, program->number, ENGINE,
		    program->context, &program->part->digest, 1);
}
