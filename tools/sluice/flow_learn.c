/*
 * tools/sluice/flow_learn.c - `sluice flow learn`: labelled connections.
 */
#include "tools/sluice/flow.h"

#include "common/cleanup.h"

#include <math.h>
#include <string.h>

struct options {
	struct flow_options flow;
	const char *label;
};

struct learning {
	struct flow_learner *learner;
	bool is_spam;
	size_t n;
};

static void
take(void *arg, const struct flow_sample *sample, const json_t *object)
{
	struct learning *learning = arg;
	struct flow_sample labelled = *sample;
	const json_t *content = json_object_get(object, "content_score");

	labelled.is_spam = learning->is_spam;
	flow_learner_saw(learning->learner, &labelled, NAN);
	flow_learner_teach(learning->learner, &labelled,
	    json_is_number(content) ? json_number_value(content) : NAN);
	if (flow_learner_is_due(learning->learner))
		flow_learner_retrain(learning->learner);
	learning->n++;
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
	    learning->n, o->label, (unsigned long long)seen[0],
	    (unsigned long long)seen[1], why ? "; no points: " : "",
	    why ? why : "");
}

static int
learn(const struct options *o)
{
	struct learning learning = {.is_spam = strcmp(o->label, "spam") == 0};
	CLEANUP(close_fd) int dir = -1;
	int status = STATUS_FINE, r;

	learning.learner =
	    flow_open("flow learn", &o->flow, false, &dir, &status);
	if (!learning.learner)
		return status;
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

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l':
		if (strcmp(arg, "ham") != 0 && strcmp(arg, "spam") != 0)
			argp_error(state, "--label %s: write ham or spam", arg);
		o->label = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->label)
			argp_error(state, "write --label ham or --label spam");
		return 0;
	default:
		return flow_option(key, arg, &o->flow);
	}
}

static const struct argp_option options[] = {
    {"label", 'l', "ham|spam", 0, "what the mail was", 0}, FLOW_OPTION_FEATURES,
    FLOW_OPTION_STATE, OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, NULL,
    "Learn from connections that carried mail which was ham, or spam.\v"
    "All of FILE is learned or, if a line of it is wrong, nothing. A member "
    "content_score is taken for what the content filter said of the mail, "
    "without what connections added.\n"
    "JSON, one line: learned, n_ham, n_spam, model.",
    NULL, NULL, NULL};

int
flow_learn(int argc, char **argv)
{
	struct options o = {.label = NULL};

	util_parse(&argp, argc, argv, &o);
	return learn(&o);
}
