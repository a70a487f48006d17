/*
 * tools/sluice/flow_classify.c - `sluice flow classify`: what is said of
 * connections, and by which of their features.
 */
#include "tools/sluice/flow.h"

#include "common/cleanup.h"

#include <math.h>

static json_t *
contributions_json(const struct flow_opinion *opinion)
{
	json_t *object = json_object();

	for (size_t f = 0; f < FLOW_FEATURES; f++)
		(void)json_object_set_new(object, flow_feature_name(f),
		    json_real(opinion->contributions[f]));
	return object;
}

static void
take(void *arg, const struct flow_sample *sample, const json_t *object)
{
	const struct flow_learner *l = arg;
	const bool has_model = flow_learner_model(l) != NULL;
	struct flow_opinion o;

	flow_learner_judge(l, sample, &o);
	util_json_line(stdout,
	    json_pack("{sO* sO* so so so sf ss so so*}", "client",
		json_object_get(object, "client"), "client_port",
		json_object_get(object, "client_port"), "p_spam",
		flow_real(flow_probability(o.score)), "label",
		has_model ? json_string(o.score > 0 ? "spam" : "ham")
			  : json_null(),
		"score", flow_real(o.score), "points", o.points, "why", o.why,
		"bias", flow_real(has_model ? o.bias : NAN), "contributions",
		has_model ? contributions_json(&o) : NULL));
}

static int
classify(struct flow_options *o)
{
	CLEANUP(close_fd) int dir = -1;
	int status = STATUS_FINE;
	struct flow_learner *l =
	    flow_open("flow classify", o, true, &dir, &status);

	if (!l)
		return status;
	status = flow_each("flow classify", o, take, l);
	if (status == 0 && !flow_learner_model(l))
		status = util_fail(STATUS_UNKNOWN, "flow classify",
		    "no model: %s; let sluice flow learn have at least %d of "
		    "each",
		    flow_learner_why(l), FLOW_BEGIN);
	(void)flow_learner_free(l);
	return status;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	return flow_option(key, arg, state->input);
}

static const struct argp_option options[] = {
    FLOW_OPTION_FEATURES, FLOW_OPTION_STATE, OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, NULL,
    "What is said of connections that carry mail.\v"
    "JSON, one line a connection: client, client_port, p_spam (were there as "
    "many ham as spam), label, score (log-odds), points (for the mail's "
    "content score; 0 until the report has earned more), why, bias, "
    "contributions; the score is the bias and the contributions added up.\n"
    "Exit status: 0 fine, 2 there is no model yet.",
    NULL, NULL, NULL};

int
flow_classify(int argc, char **argv)
{
	struct flow_options o = {.state = NULL};

	util_parse(&argp, argc, argv, &o);
	return classify(&o);
}
