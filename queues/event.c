#include "queues/event.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/utf8.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [EVENT_MOVE] = "move",
    [EVENT_DIED] = "died",
    [EVENT_WAIT] = "wait",
    [EVENT_START] = "start",
};

const char *
event_kind_name(enum event_kind kind)
{
	assert((size_t)kind < ARRAY_SIZE(kind_names));
	return kind_names[kind];
}

static void
put(json_t *line, const char *key, json_t *value)
{
	if (!value || json_object_set_new(line, key, value) < 0)
		abort(); /* no memory for a hundred octets */
}

static void
put_number(json_t *line, const char *key, uint64_t value)
{
	put(line, key, json_integer((json_int_t)(value & INT64_MAX)));
}

/* text as a JSON string, invalid octets as U+FFFD. */
static json_t *
to_string(const char *text)
{
	/* Every octet can become three. */
	CLEANUP(free_ptr) char *clean = xcalloc(3, strlen(text) + 1);
	const unsigned char *p = (const unsigned char *)text;
	char *q = clean;

	while (*p) {
		size_t n = utf8_length(p, SIZE_MAX);

		memcpy(q, n ? (const char *)p : "\xef\xbf\xbd", n ? n : 3);
		q += n ? n : 3;
		p += n ? n : 1;
	}
	return json_string(clean);
}

static void
put_string(json_t *line, const char *key, const char *text)
{
	if (text)
		put(line, key, to_string(text));
}

/*
 * Evidence stands in the line as it came, so that it is neither parsed into
 * a tree and written again nor changed: the object's closing brace is
 * replaced by it.  What is no JSON becomes a JSON string.
 */
static char *
append_evidence(char *text, const char *evidence)
{
	json_t *value = json_loads(evidence, JSON_DECODE_ANY, NULL);
	bool is_line = value && !strchr(evidence, '\n');
	char *whole, *quoted = NULL;

	json_decref(value);
	if (!is_line) {
		value = to_string(evidence);
		quoted = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		json_decref(value);
	}
	whole = xasprintf("%.*s,\"evidence\":%s}", (int)strlen(text) - 1, text,
	    is_line ? evidence : quoted);
	free(quoted);
	free(text);
	return whole;
}

char *
event_format(const struct event *event)
{
	json_t *line = json_object();
	char *text;

	if (!line)
		return NULL;
	put_number(line, "t", event->t.usec);
	put_string(line, "event", event_kind_name(event->kind));
	if (event->kind != EVENT_START) {
		put_string(line, "id", event->id);
		put_string(line, "from", spool_dir_name(event->from));
	}
	if (event->kind == EVENT_MOVE)
		put_string(line, "to", spool_dir_name(event->to));
	put_number(line, "bytes", event->bytes);
	put_string(line, "sender", event->sender);
	put_string(line, "rcpt", event->rcpt);
	put_string(line, "verdict", event->verdict);
	put_string(line, "reason", event->reason);
	put_number(line, "wait_usec", event->wait_usec);
	put_number(line, "service_usec", event->service_usec);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	return text && event->evidence ? append_evidence(text, event->evidence)
				       : text;
}

/* What event_parse() hands out. */
struct keep {
	json_t *line;
	char *evidence;
};

static const char *
get_string(const json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key));
}

static int
get_number(const json_t *line, const char *key, uint64_t *ret_value)
{
	const json_t *value = json_object_get(line, key);

	if (!value)
		return 0; /* absent: stays as it is */
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return -EBADMSG;
	*ret_value = (uint64_t)json_integer_value(value);
	return 0;
}

static int
get_kind(const json_t *line, enum event_kind *ret_kind)
{
	const char *name = get_string(line, "event");

	for (size_t i = 0; name && i < ARRAY_SIZE(kind_names); i++) {
		if (strcmp(name, kind_names[i]) != 0)
			continue;
		*ret_kind = (enum event_kind)i;
		return 0;
	}
	return -EBADMSG;
}

static int
get_dir(const json_t *line, const char *key, enum spool_dir *ret_dir)
{
	const char *name = get_string(line, key);

	return name && spool_dir_parse(name, ret_dir) == 0 ? 0 : -EBADMSG;
}

static int
get_place(const json_t *line, struct event *e)
{
	const char *id = get_string(line, "id");
	int r;

	if (e->kind == EVENT_START)
		return 0;
	if (!id || !spool_id_of(id, ""))
		return -EBADMSG;
	memcpy(e->id, id, strlen(id) + 1);
	r = get_dir(line, "from", &e->from);
	if (r == 0 && e->kind == EVENT_MOVE)
		r = get_dir(line, "to", &e->to);
	return r;
}

static int
get_all(const json_t *line, struct event *e)
{
	if (!json_is_object(line) || get_kind(line, &e->kind) < 0 ||
	    get_place(line, e) < 0 || get_number(line, "t", &e->t.usec) < 0 ||
	    get_number(line, "bytes", &e->bytes) < 0 ||
	    get_number(line, "wait_usec", &e->wait_usec) < 0 ||
	    get_number(line, "service_usec", &e->service_usec) < 0)
		return -EBADMSG;
	e->sender = get_string(line, "sender");
	e->rcpt = get_string(line, "rcpt");
	e->verdict = get_string(line, "verdict");
	e->reason = get_string(line, "reason");
	return 0;
}

int
event_parse(
    const char *line, size_t len, struct event *ret_event, void **ret_keep)
{
	struct event e = {.kind = EVENT_START};
	struct keep *keep = xcalloc(1, sizeof(*keep));
	const json_t *evidence;

	keep->line = json_loadb(line, len, 0, NULL);
	if (!keep->line || get_all(keep->line, &e) < 0) {
		event_release(keep);
		return -EBADMSG;
	}
	evidence = json_object_get(keep->line, "evidence");
	if (evidence)
		keep->evidence = json_dumps(evidence,
		    JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	e.evidence = keep->evidence;
	*ret_event = e;
	*ret_keep = keep;
	return 0;
}

void
event_release(void *keep)
{
	struct keep *k = keep;

	if (!k)
		return;
	json_decref(k->line);
	free(k->evidence);
	free(k);
}
