/*
 * flow/rpc/flows.c - the methods spamflow.*: what sluice-flow knows.
 */
#include "flow/rpc/answer_priv.h"

#include "flow/key.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is asked for. */
struct wanted {
	char client[FLOW_ADDRESS_TEXT];
	unsigned int port;
	char question[RPC_QUESTION_MAX];
};

/* As the daemon would write the address; 0, or -EINVAL: it is none. */
static int
read_client(const struct rpc_call *call, struct wanted *ret)
{
	const struct rpc_value *client = rpc_param(call, 0);
	const struct rpc_value *port = rpc_param(call, 1);
	uint8_t address[16];

	ret->client[0] = '\0';
	ret->port = 0;
	if (client->type != RPC_STRING || port->type != RPC_INT)
		return -EINVAL;
	if (!*client->text)
		return port->number == 0 ? 0 : -EINVAL;
	if (flow_address_parse(client->text, address) < 0 || port->number < 1 ||
	    port->number > UINT16_MAX)
		return -EINVAL;
	(void)flow_address_text(address, ret->client, sizeof(ret->client));
	ret->port = (unsigned int)port->number;
	return 0;
}

/* A key that can't be one of a message is no key: "".  What goes on into the
 * question has neither blanks nor line ends. */
static void
read_queue(const struct rpc_value *value, char *buf, size_t size)
{
	struct flow_key unused;

	buf[0] = '\0';
	if (value && strlen(value->text) < size &&
	    flow_key_of_queue(value->text, strlen(value->text), &unused))
		(void)strcpy(buf, value->text);
}

/* The first "<...>", as flow_key_of_id() takes it. */
static void
read_id(const struct rpc_value *value, char *buf, size_t size)
{
	const char *id = strchr(value->text, '<');
	const size_t n = id ? strcspn(id, "> \t\r\n") : 0;

	buf[0] = '\0';
	if (n > 0 && id[n] == '>' && n + 1 < size) {
		memcpy(buf, id, n + 1);
		buf[n + 1] = '\0';
	}
}

static int
read_wanted(const struct rpc_call *call, struct wanted *ret)
{
	const struct rpc_value *queue = rpc_param(call, 3);
	char name[80], id[FLOW_ID_MAX + 3];
	int n = 0;

	if (read_client(call, ret) < 0 ||
	    rpc_param(call, 2)->type != RPC_STRING ||
	    (queue && queue->type != RPC_STRING))
		return -EINVAL;
	read_queue(queue, name, sizeof(name));
	read_id(rpc_param(call, 2), id, sizeof(id));
	if (*ret->client)
		n = snprintf(ret->question, sizeof(ret->question),
		    "client=%s port=%u ", ret->client, ret->port);
	(void)snprintf(ret->question + n, sizeof(ret->question) - (size_t)n,
	    "%s%s%s%s", *name ? "queue=" : "", name, *id ? " id=" : "", id);
	return 0;
}

static void
put_features(const double *x, struct rpc_out *out)
{
	rpc_begin_member(out, "features");
	rpc_begin_array(out);
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		rpc_put_double(out, x[f]);
	rpc_end_array(out);
	rpc_end_member(out);
}

/* NAN: it isn't there. */
static double
number_of(const struct words *words, const char *name)
{
	double number;

	(void)words_number(words, name, &number);
	return number;
}

static void
put_flags(const struct words *words, struct rpc_out *out)
{
	static const char *const flags[] = {"secret", "approximate"};

	rpc_begin_member(out, "flags");
	rpc_begin_array(out);
	for (size_t i = 0; i < 2; i++)
		if (number_of(words, flags[i]) > 0)
			rpc_put_text(out, flags[i]);
	rpc_end_array(out);
	rpc_end_member(out);
}

static const char *
text_of(const char *text)
{
	return text ? text : "";
}

static int32_t
count_of(const struct words *words, const char *name)
{
	const double number = number_of(words, name);

	return number >= 0 && number <= INT32_MAX ? (int32_t)number : 0;
}

static void
put_found(
    const struct words *words, const struct rpc_flow *flow, struct rpc_out *out)
{
	rpc_member_bool(out, "found", true);
	put_features(flow->x, out);
	put_flags(words, out);
	rpc_member_text(out, "state", text_of(words_value(words, "state")));
	rpc_member_text(out, "by", text_of(words_value(words, "by")));
	rpc_member_int(out, "ordinal", count_of(words, "ordinal"));
	rpc_member_int(out, "messages", count_of(words, "messages"));
	rpc_member_double(out, "start", flow->start);
	rpc_member_double(out, "at", number_of(words, "at"));
}

/* The answer's client, if it says so; else the one that was asked for. */
static void
flow_of(const struct words *words, const struct wanted *wanted,
    struct rpc_flow *ret)
{
	const char *client = words_value(words, "client");
	const double port = number_of(words, "port");
	const bool has_both = client && port >= 1 && port <= UINT16_MAX;

	(void)snprintf(ret->client, sizeof(ret->client), "%s",
	    has_both ? client : wanted->client);
	ret->port = has_both ? (unsigned int)port : wanted->port;
	ret->start = number_of(words, "start");
	ret->ttl = number_of(words, "ttl");
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		ret->x[f] = number_of(
		    words, flow_feature_info((enum flow_feature)f)->name);
}

/* Both methods: is_judged with an opinion.  Without one it is said why, and
 * the features are there all the same. */
static struct rpc_out *
find(const struct rpc_site *site, const struct rpc_call *call, bool is_judged)
{
	char answer[RPC_ANSWER_MAX];
	struct wanted wanted;
	struct words words;
	struct rpc_flow flow;
	struct rpc_out *out;
	int r;

	if (read_wanted(call, &wanted) < 0)
		return rpc_fault(RPC_FAULT_PARAMS,
		    "give an address and its port (\"\" and 0: unknown), a "
		    "Message-ID and a queue id");
	r = site->ask(site->arg, RPC_FLOW, wanted.question, answer);
	if (r < 0)
		return rpc_absent(RPC_FLOW, r);
	words_of(answer, &words);
	out = rpc_out_new(false);
	rpc_begin_struct(out);
	if (strcmp(words.first, "found") == 0) {
		flow_of(&words, &wanted, &flow);
		put_found(&words, &flow, out);
		if (is_judged && rpc_put_opinion(site, &flow, out) < 0)
			rpc_member_text(out, "why", "no answer of the learner");
	} else {
		rpc_member_bool(out, "found", false);
		rpc_member_text(
		    out, "reason", text_of(words_value(&words, "reason")));
	}
	rpc_end_struct(out);
	return out;
}

struct rpc_out *
rpc_query(const struct rpc_site *site, const struct rpc_call *call)
{
	return find(site, call, false);
}

struct rpc_out *
rpc_judge(const struct rpc_site *site, const struct rpc_call *call)
{
	return find(site, call, true);
}

struct rpc_out *
rpc_stats(const struct rpc_site *site, const struct rpc_call *call)
{
	struct rpc_out *out = rpc_out_new(false);
	const char *name;
	uint64_t value;

	(void)call;
	rpc_begin_struct(out);
	for (size_t i = 0; site->counter(site->arg, i, &name, &value); i++)
		rpc_member_double(out, name, (double)value);
	rpc_end_struct(out);
	return out;
}
