/*
 * tools/sluice/flow_learn.c - `sluice flow learn`: labelled connections.
 */
#include "tools/sluice/flow.h"

#include "common/cleanup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 1000

enum { OPTION_SPAM_FROM = 256, OPTION_HAM_TO };

struct options {
	struct flow_options flow;
	const char *label;
	double spam_from, ham_to; /* NAN: as configured */
	const char *ids[IDS_MAX];
	size_t n_ids;
};

struct learning {
	const struct options *o;
	struct flow_learner *learner;
	size_t n;
};

/* By the content filter, as mail is labelled while it comes. */
static void
hear(struct learning *learning, struct flow_sample *sample, double content)
{
	if (flow_label_of(
		&learning->o->flow.rules, content, &sample->is_spam) &&
	    flow_learner_hear(learning->learner, sample, content))
		learning->n++;
}

static void
take(void *arg, const struct flow_sample *sample, const json_t *object)
{
	struct learning *learning = arg;
	struct flow_sample labelled = *sample;
	const json_t *score = json_object_get(object, "content_score");
	const double content =
	    json_is_number(score) ? json_number_value(score) : NAN;

	flow_learner_saw(learning->learner, &labelled, NAN);
	if (strcmp(learning->o->label, "auto") == 0) {
		hear(learning, &labelled, content);
	} else {
		labelled.is_spam = strcmp(learning->o->label, "spam") == 0;
		flow_learner_teach(learning->learner, &labelled, content);
		learning->n++;
	}
	if (flow_learner_is_due(learning->learner))
		flow_learner_retrain(learning->learner);
}

static void
print(const struct options *o, const struct learning *learning)
{
	const struct flow_learner *l = learning->learner;
	const struct flow_model *model = flow_learner_model(l);
	const char *why = flow_learner_why(l);
	uint64_t seen[2];

	flow_learner_seen(l, seen);
	if (o->flow.common.json) {
		util_json_line(stdout,
		    json_pack("{sI sI sI ss*}", "learned",
			(json_int_t)learning->n, "n_ham", (json_int_t)seen[0],
			"n_spam", (json_int_t)seen[1], "model",
			model ? flow_kind_name(flow_model_kind(model)) : NULL));
		return;
	}
	(void)printf("learned from %zu %s; %llu ham and %llu spam so far%s%s\n",
	    learning->n, *o->label == 'a' ? "mails" : o->label,
	    (unsigned long long)seen[0], (unsigned long long)seen[1],
	    why ? "; no points: " : "", why ? why : "");
}

/* What is said here goes before what is configured. */
static int
set_rules(struct options *o)
{
	struct flow_rules *rules = &o->flow.rules;

	if (!isnan(o->spam_from))
		rules->spam_score = o->spam_from;
	if (!isnan(o->ham_to))
		rules->ham_score = o->ham_to;
	if (rules->ham_score < rules->spam_score)
		return STATUS_FINE;
	return util_fail(STATUS_USAGE, "flow learn",
	    "--ham-to %g is not below --spam-from %g", rules->ham_score,
	    rules->spam_score);
}

static int
learn(struct options *o)
{
	struct learning learning = {.o = o};
	CLEANUP(close_fd) int dir = -1;
	int status = STATUS_FINE, r;

	learning.learner =
	    flow_open("flow learn", &o->flow, false, &dir, &status);
	if (!learning.learner)
		return status;
	status = set_rules(o);
	if (status == STATUS_FINE)
		status = flow_each("flow learn", &o->flow, take, &learning);
	if (status == 0) {
		/* So that what is said next is said by all of it. */
		flow_learner_retrain(learning.learner);
		r = flow_state_save(dir, learning.learner);
		if (r < 0)
			status = util_fail(STATUS_SYSTEM, "flow learn",
			    "nothing was learned: %s", strerror(-r));
		else
			print(o, &learning);
	}
	(void)flow_learner_free(learning.learner);
	return status;
}

static double
score_of(const char *arg, struct argp_state *state)
{
	char *end;
	const double score = strtod(arg, &end);

	if (end == arg || *end || !isfinite(score))
		argp_error(state, "%s: not a score; write a number", arg);
	return score;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l':
		if (strcmp(arg, "ham") != 0 && strcmp(arg, "spam") != 0 &&
		    strcmp(arg, "auto") != 0)
			argp_error(state,
			    "--label %s: write ham or spam, or auto", arg);
		o->label = arg;
		return 0;
	case OPTION_SPAM_FROM:
		o->spam_from = score_of(arg, state);
		return 0;
	case OPTION_HAM_TO:
		o->ham_to = score_of(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (o->n_ids == IDS_MAX)
			argp_error(state, "at most %d IDs at a time", IDS_MAX);
		o->ids[o->n_ids++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->label)
			argp_error(state, "write --label ham or --label spam");
		if (o->n_ids > 0 && (o->flow.features || *o->label == 'a'))
			argp_error(state, "IDs have neither --features nor "
					  "--label auto");
		return 0;
	default:
		return flow_option(key, arg, &o->flow);
	}
}

static const struct argp_option options[] = {
    {"label", 'l', "ham|spam|auto", 0,
	"what the mail was; auto: by each one's content_score", 0},
    {"spam-from", OPTION_SPAM_FROM, "SCORE", 0,
	"auto: spam from this score on (default: flow.learn_spam)", 0},
    {"ham-to", OPTION_HAM_TO, "SCORE", 0,
	"auto: ham up to this score (default: flow.learn_ham)", 0},
    FLOW_OPTION_FEATURES, FLOW_OPTION_STATE, OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, "[ID...]",
    "Learn from connections that carried mail which was ham, or spam.\v"
    "ID is the queue id of a message that was judged here: its connection as "
    "it was then is learned, also while sluice-learn runs, and what was "
    "learned of it by the other label is forgotten.\n"
    "All of FILE is learned or, if a line of it is wrong, nothing. A member "
    "content_score is taken for what the content filter said of the mail, "
    "without what connections added. With --label auto it is the label, and "
    "the guards watch: what they refuse, and what is between both scores, is "
    "not learned.\n"
    "JSON, one line: learned, n_ham, n_spam, model.",
    NULL, NULL, NULL};

int
flow_learn(int argc, char **argv)
{
	struct options o = {.spam_from = NAN, .ham_to = NAN};

	util_parse(&argp, argc, argv, &o);
	return o.n_ids > 0 ? flow_teach(&o.flow, o.label, o.ids, o.n_ids)
			   : learn(&o);
}
