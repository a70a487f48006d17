/*
 * flow/rpc/classifier.c - the methods classifier.*: what the learner says.
 *
 * It is asked as sluice-flow is, one packet a question (docs/flow.md,
 * "Judging").
 */
#include "flow/rpc/answer_priv.h"

#include "flow/model.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scores of a content filter that are sure, whatever is configured. */
#define SURE_SPAM "1000"
#define SURE_HAM  "-1000"

/* "VERB client=... pkts_in=..." */
static void
write_question(const char *verb, const struct rpc_flow *flow, char *question)
{
	const size_t max = RPC_QUESTION_MAX;
	size_t n = (size_t)snprintf(question, max, "%s", verb);

	if (*flow->client)
		n += (size_t)snprintf(
		    question + n, max - n, " client=%s", flow->client);
	if (flow->port)
		n += (size_t)snprintf(
		    question + n, max - n, " port=%u", flow->port);
	if (!isnan(flow->start))
		n += (size_t)snprintf(
		    question + n, max - n, " start=%.9f", flow->start);
	if (!isnan(flow->ttl))
		n += (size_t)snprintf(
		    question + n, max - n, " ttl=%.17g", flow->ttl);
	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		const char *name =
		    flow_feature_info((enum flow_feature)f)->name;

		n += (size_t)(isnan(flow->x[f])
				  ? snprintf(
					question + n, max - n, " %s=null", name)
				  : snprintf(question + n, max - n, " %s=%.17g",
					name, flow->x[f]));
	}
	assert(n < max); /* 20 names and numbers of 40 octets */
}

static void
put_opinion(const struct words *words, struct rpc_out *out)
{
	const char *why = words_value(words, "why");
	double score, points;

	(void)words_number(words, "score", &score);
	(void)words_number(words, "points", &points);
	rpc_member_text(out, "label",
	    isnan(score) ? "unknown"
	    : score > 0  ? "spam"
			 : "ham");
	rpc_member_double(
	    out, "p_spam", isnan(score) ? 0.5 : flow_probability(score));
	rpc_member_double(out, "score", isnan(score) ? 0 : score);
	rpc_member_double(out, "points", points);
	rpc_member_text(out, "why", why ? why : "");
}

int
rpc_put_opinion(const struct rpc_site *site, const struct rpc_flow *flow,
    struct rpc_out *out)
{
	char question[RPC_QUESTION_MAX], answer[RPC_ANSWER_MAX];
	struct words words;
	int r;

	write_question("judge", flow, question);
	r = site->ask(site->arg, RPC_LEARN, question, answer);
	if (r < 0)
		return r;
	words_of(answer, &words);
	if (strcmp(words.first, "opinion") != 0)
		return -EPROTO;
	put_opinion(&words, out);
	return 0;
}

/* A number of a feature; -1 and nil: missing.  -EINVAL: it can't be one. */
static int
read_feature(const struct rpc_value *value, double *ret)
{
	if (value->type == RPC_NIL ||
	    ((value->type == RPC_INT || value->type == RPC_DOUBLE) &&
		value->number == RPC_UNKNOWN))
		*ret = NAN;
	else if ((value->type == RPC_INT || value->type == RPC_DOUBLE) &&
		 value->number >= 0)
		*ret = value->number;
	else
		return -EINVAL;
	return 0;
}

/* All 20 in the order of flow/features.def, or some by name. */
static int
read_features(
    const struct rpc_call *call, const struct rpc_value *features, double *x)
{
	const struct rpc_value *value = rpc_first(call, features);
	size_t n = 0;

	for (size_t f = 0; f < FLOW_FEATURES; f++)
		x[f] = NAN;
	if (features->type != RPC_ARRAY && features->type != RPC_STRUCT)
		return -EINVAL;
	for (; value; value = rpc_next(call, value), n++) {
		size_t f = n;

		if (value->name)
			for (f = 0; f < FLOW_FEATURES; f++)
				if (strcmp(value->name,
					flow_feature_info((enum flow_feature)f)
					    ->name) == 0)
					break;
		if (f >= FLOW_FEATURES || read_feature(value, &x[f]) < 0)
			return -EINVAL;
	}
	return n == FLOW_FEATURES || (n > 0 && features->type == RPC_STRUCT)
		   ? 0
		   : -EINVAL;
}

static int
read_flow(const struct rpc_call *call, const struct rpc_value *client,
    struct rpc_flow *ret)
{
	uint8_t address[16];

	*ret = (struct rpc_flow){.start = NAN, .ttl = NAN};
	if (read_features(call, rpc_param(call, 0), ret->x) < 0)
		return -EINVAL;
	if (!client || (client->type == RPC_STRING && !*client->text))
		return 0;
	if (client->type != RPC_STRING ||
	    flow_address_parse(client->text, address) < 0)
		return -EINVAL;
	(void)flow_address_text(address, ret->client, sizeof(ret->client));
	return 0;
}

static struct rpc_out *
bad_features(void)
{
	return rpc_fault(RPC_FAULT_PARAMS,
	    "give an array of all %d features, or a struct of some by name, "
	    "each a number from 0 or -1 (missing), and the client's address",
	    FLOW_FEATURES);
}

struct rpc_out *
rpc_classify(const struct rpc_site *site, const struct rpc_call *call)
{
	struct rpc_flow flow;
	struct rpc_out *out;
	int r;

	if (read_flow(call, rpc_param(call, 1), &flow) < 0)
		return bad_features();
	out = rpc_out_new(false);
	rpc_begin_struct(out);
	r = rpc_put_opinion(site, &flow, out);
	rpc_end_struct(out);
	if (r == 0)
		return out;
	rpc_out_drop(out);
	return rpc_absent(RPC_LEARN, r);
}

/* Ask, and give what is answered word by word; numbers as numbers. */
static struct rpc_out *
pass_on(const struct rpc_site *site, const char *question, const char *good)
{
	char answer[RPC_ANSWER_MAX];
	struct words words;
	struct rpc_out *out;
	const int r = site->ask(site->arg, RPC_LEARN, question, answer);

	if (r < 0)
		return rpc_absent(RPC_LEARN, r);
	words_of(answer, &words);
	if (strcmp(words.first, good) != 0)
		return rpc_fault(RPC_FAULT_REFUSED,
		    "sluice-learn doesn't know that question");
	out = rpc_out_new(false);
	rpc_begin_struct(out);
	for (size_t i = 0; i < words.n; i++) {
		double number;

		if (words_number(&words, words.names[i], &number))
			rpc_member_double(out, words.names[i], number);
		else
			rpc_member_text(out, words.names[i], words.values[i]);
	}
	rpc_end_struct(out);
	return out;
}

static struct rpc_out *
refuse_teaching(void)
{
	return rpc_fault(RPC_FAULT_REFUSED,
	    "anybody on this host could teach by this way: flow.rpc_teach "
	    "allows it");
}

/* Was it taken, and if not, why? */
static struct rpc_out *
teach(const struct rpc_site *site, const char *question)
{
	char answer[RPC_ANSWER_MAX];
	struct words words;
	struct rpc_out *out;
	const int r = site->ask(site->arg, RPC_LEARN, question, answer);
	const char *why;
	bool is_taken;

	if (r < 0)
		return rpc_absent(RPC_LEARN, r);
	words_of(answer, &words);
	is_taken = strcmp(words.first, "learned") == 0;
	if (!is_taken && strcmp(words.first, "refused") != 0)
		return rpc_fault(RPC_FAULT_REFUSED,
		    "sluice-learn doesn't know that question");
	why = words_value(&words, "why");
	out = rpc_out_new(false);
	rpc_begin_struct(out);
	rpc_member_bool(out, "taken", is_taken);
	rpc_member_text(out, "why", why ? why : "");
	rpc_end_struct(out);
	return out;
}

struct rpc_out *
rpc_learn(const struct rpc_site *site, const struct rpc_call *call)
{
	const struct rpc_value *label = rpc_param(call, 1);
	const struct rpc_value *weight = rpc_param(call, 2);
	char question[RPC_QUESTION_MAX];
	struct rpc_flow flow;
	bool is_spam;

	if (!site->may_teach)
		return refuse_teaching();
	if (read_flow(call, rpc_param(call, 3), &flow) < 0)
		return bad_features();
	is_spam = label->type == RPC_STRING && strcmp(label->text, "spam") == 0;
	if (!is_spam &&
	    (label->type != RPC_STRING || strcmp(label->text, "ham") != 0))
		return rpc_fault(RPC_FAULT_PARAMS, "label: write ham or spam");
	if (weight &&
	    ((weight->type != RPC_INT && weight->type != RPC_DOUBLE) ||
		weight->number != 1))
		return rpc_fault(
		    RPC_FAULT_PARAMS, "weight: all samples weigh the same, 1");
	write_question(
	    is_spam ? "learn content=" SURE_SPAM : "learn content=" SURE_HAM,
	    &flow, question);
	return teach(site, question);
}

struct rpc_out *
rpc_retrain(const struct rpc_site *site, const struct rpc_call *call)
{
	(void)call;
	return site->may_teach ? pass_on(site, "retrain", "retrained")
			       : refuse_teaching();
}

struct rpc_out *
rpc_status(const struct rpc_site *site, const struct rpc_call *call)
{
	(void)call;
	return pass_on(site, "status", "status");
}
