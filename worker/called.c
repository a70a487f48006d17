/*
 * What the connection of a message has to do with its judgement.
 */
#include "worker/caller.h"
#include "worker/job_priv.h"
#include "worker/judge.h"
#include "worker/verdict.h"

#include "common/conf.h"

#include <string.h>

static void
on_caller(void *arg, const struct engine_answer *answer)
{
	struct job *job = arg;

	job->answers[JOB_FLOW] = *answer;
	job_answered(job);
}

void
called_ask(struct job *job)
{
	struct engine_answer *answer = &job->answers[JOB_FLOW];

	if (!*job->info.client) {
		answer_set(answer, "flow", ANSWER_CLEAN,
		    "no opinion: it came by no connection");
		return;
	}
	job->pending++;
	job->caller =
	    caller_ask(job->judge->callers, &job->info, on_caller, job);
}

/* What its connection adds to a mail that the spam engine passed; the engine's
 * own score stays, it is what is learned. */
void
called_add_points(struct job *job)
{
	struct engine_answer *a = &job->answers[JOB_SPAM], all;
	struct caller_view view;
	const char *rules;

	if (!job->caller || !caller_view(job->caller, &view) ||
	    view.points <= 0 || !job->is_asked[JOB_SPAM] ||
	    a->answer != ANSWER_CLEAN || a->limit <= 0 ||
	    a->score + view.points < a->limit)
		return;
	rules = strchr(a->reason, ':');
	answer_set(&all, "spam", ANSWER_HIT,
	    "score %.1f + %.1f for its connection of %.1f%s", a->score,
	    view.points, a->limit, rules ? rules : "");
	all.score = a->score;
	all.limit = a->limit;
	all.usec = a->usec;
	*a = all;
}

/* Learned from is a mail whose verdict is final, and not about something that
 * a spam engine knows nothing of. */
void
called_teach(const struct job *job, const struct wire_judgement *out)
{
	const struct engine_answer *spam = &job->answers[JOB_SPAM], *by;
	enum verdict verdict;

	if (!job->caller || job->info.afresh || !job->is_asked[JOB_SPAM] ||
	    (spam->answer != ANSWER_CLEAN && spam->answer != ANSWER_HIT))
		return;
	verdict = verdict_of(out->answers, out->n_answers,
	    job->judge->conf->worker.engines, &by);
	if (verdict == VERDICT_CLEAN || verdict == VERDICT_WARN ||
	    verdict == VERDICT_SPAM)
		caller_learn(job->caller, spam->score);
}
