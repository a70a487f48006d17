#include "flow/ask.h"

#include "flow/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NSEC_PER_SEC INT64_C(1000000000)

static int
parse_port(const char *text, uint16_t *ret)
{
	char *end;
	const unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* NAME=VALUE */
static int
parse_word(char *word, struct flow_question *q, bool *has_port)
{
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (strcmp(word, "client") == 0) {
		q->has_client = true;
		return flow_address_parse(value, q->client.address);
	}
	if (strcmp(word, "port") == 0) {
		*has_port = true;
		return parse_port(value, &q->client.port);
	}
	/* Keys that can't be one are of no use, but no fault of who asks. */
	if (strcmp(word, "queue") == 0)
		q->has_queue =
		    flow_key_of_queue(value, strlen(value), &q->queue);
	else if (strcmp(word, "id") == 0)
		q->has_id = flow_key_of_id(value, strlen(value), &q->id);
	else
		return -EINVAL;
	return 0;
}

int
flow_ask_parse(const char *text, size_t n, struct flow_question *q)
{
	char copy[FLOW_ASK_MAX + 1];
	char *rest = copy, *word;
	bool has_port = false;

	q->has_client = q->has_queue = q->has_id = false;
	if (n > FLOW_ASK_MAX || memchr(text, '\0', n))
		return -EINVAL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	while ((word = strsep(&rest, " \n")))
		if (*word && parse_word(word, q, &has_port) < 0)
			return -EINVAL;
	return q->has_client == has_port ? 0 : -EINVAL;
}

void
flow_record_of(const struct flow *f, enum flow_end end, struct flow_record *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->client_address, f->client.address, 16);
	memcpy(ret->server_address, f->server.address, 16);
	ret->client_port = f->client.port;
	ret->server_port = f->server.port;
	ret->messages = f->dialogue.ended;
	ret->state = f->follow.state;
	ret->end = (uint8_t)end;
	ret->is_approximate = f->follow.is_approximate;
	ret->is_secret = f->dialogue.mode == DIALOGUE_TLS;
	ret->ttl = f->follow.ttl;
	ret->start_nsec = f->follow.first_nsec;
	ret->at_nsec = f->follow.last_nsec;
	follow_features(&f->follow, &ret->features);
}

static void __attribute__((format(printf, 3, 4)))
add(char *buf, size_t *at, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf + *at, FLOW_ANSWER_MAX - *at, fmt, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < FLOW_ANSWER_MAX - *at);
	*at += (size_t)n;
}

static size_t
write_found(char *buf, const struct flow_record *r, enum flow_by by)
{
	static const char *const names[] = {
	    [FLOW_BY_CLIENT] = "client",
	    [FLOW_BY_QUEUE] = "queue",
	    [FLOW_BY_ID] = "id",
	};
	char text[FLOW_ADDRESS_TEXT];
	size_t at = 0;

	add(buf, &at,
	    "found by=%s ordinal=%u messages=%u state=%s secret=%u "
	    "approximate=%u client=%s port=%u start=%" PRId64 ".%09" PRId64
	    " at=%" PRId64 ".%09" PRId64,
	    names[by], r->ordinal, r->messages,
	    follow_state_name((enum follow_state)r->state), r->is_secret,
	    r->is_approximate,
	    flow_address_text(r->client_address, text, sizeof(text)),
	    r->client_port, r->start_nsec / NSEC_PER_SEC,
	    r->start_nsec % NSEC_PER_SEC, r->at_nsec / NSEC_PER_SEC,
	    r->at_nsec % NSEC_PER_SEC);
	if (r->ttl)
		add(buf, &at, " ttl=%u", r->ttl);
	for (int i = 0; i < FLOW_FEATURES; i++) {
		const enum flow_feature feature = (enum flow_feature)i;

		(void)flow_feature_text(
		    &r->features, feature, text, sizeof(text));
		add(buf, &at, " %s=%s", flow_feature_info(feature)->name, text);
	}
	return at;
}

size_t
flow_answer(struct flow_table *table, const struct flow_records *records,
    const struct flow_question *q, char *buf, enum flow_by *ret_by)
{
	const struct flow_record *found = flow_records_message(records, q);
	struct flow_record now;
	struct flow *flow;
	size_t at = 0;

	*ret_by = FLOW_BY_CLIENT;
	if (found)
		return write_found(buf, found, *ret_by);
	flow = q->has_client ? flow_table_find(table, &q->client) : NULL;
	if (flow) {
		flow_record_of(flow, FLOW_END_CUT, &now);
		return write_found(buf, &now, *ret_by);
	}
	found = flow_records_flow(records, q);
	if (!found)
		found = flow_records_by_key(records, q, ret_by);
	if (found)
		return write_found(buf, found, *ret_by);
	add(buf, &at, "none reason=%s",
	    *ret_by == FLOW_BY_AMBIGUOUS ? "ambiguous" : "unknown");
	return at;
}
