#include "worker/ledger_line.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* What has been found of a line; NULL: nothing. */
struct fields {
	const char *event, *id, *from, *to;
	const char *sender, *rcpt, *verdict, *reason, *evidence;
	uint64_t t, bytes, wait_usec, service_usec;
};

static const struct {
	const char *key;
	bool is_number;
	size_t offset;
} table[] = {
#define TEXT(name) \
	{ \
#name, false, offsetof(struct fields, name) \
	}
#define NUMBER(name) \
	{ \
#name, true, offsetof(struct fields, name) \
	}
    NUMBER(t),
    TEXT(event),
    TEXT(id),
    TEXT(from),
    TEXT(to),
    NUMBER(bytes),
    TEXT(sender),
    TEXT(rcpt),
    TEXT(verdict),
    TEXT(reason),
    NUMBER(wait_usec),
    NUMBER(service_usec),
#undef TEXT
#undef NUMBER
};

/* p is behind the opening quote; NULL: not plain.  Ends the string. */
static char *
end_string(char *p)
{
	for (; *p != '"'; p++)
		if (*p < ' ' || *p > '~' || *p == '\\')
			return NULL;
	*p = '\0';
	return p + 1;
}

static char *
take_number(char *p, uint64_t *ret)
{
	uint64_t n = 0;
	char *start = p;

	for (; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == start || p - start > 18 || (*start == '0' && p - start > 1))
		return NULL; /* none, or too long to be sure */
	*ret = n;
	return p;
}

/* Behind the object at p, whose inside isn't checked beyond its braces. */
static char *
skip_object(char *p)
{
	int depth = 0;
	bool in_string = false;

	for (; *p; p++) {
		if (in_string) {
			if (*p == '\\' && p[1])
				p++;
			else if (*p == '"')
				in_string = false;
			continue;
		}
		if (*p == '"')
			in_string = true;
		else if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			return p + 1;
	}
	return NULL;
}

static char *
take_value(char *p, const char *key, struct fields *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		void *at = (char *)f + table[i].offset;

		if (strcmp(key, table[i].key) != 0)
			continue;
		if (table[i].is_number)
			return take_number(p, at);
		if (*p != '"')
			return NULL;
		*(const char **)at = p + 1;
		return end_string(p + 1);
	}
	if (strcmp(key, "evidence") != 0 || *p != '{')
		return NULL;
	f->evidence = p;
	return skip_object(p);
}

static int
take_fields(char *line, const char *end, struct fields *f)
{
	char *p = line;

	if (*p++ != '{')
		return -EBADMSG;
	for (;;) {
		const char *key = p + 1;
		char was;

		if (*p != '"' || !(p = end_string(p + 1)) || *p != ':')
			return -EBADMSG;
		p = take_value(p + 1, key, f);
		if (!p)
			return -EBADMSG;
		was = *p;
		*p++ = '\0'; /* ends the evidence, too */
		if (was == '}')
			return p == end ? 0 : -EBADMSG;
		if (was != ',')
			return -EBADMSG;
	}
}

static int
kind_of(const char *name, enum event_kind *ret_kind)
{
	static const enum event_kind kinds[] = {
	    EVENT_MOVE, EVENT_DIED, EVENT_WAIT};

	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(name, event_kind_name(kinds[i])) != 0)
			continue;
		*ret_kind = kinds[i];
		return 0;
	}
	return -EBADMSG;
}

int
ledger_line(char *line, size_t len, struct event *ret_event)
{
	struct fields f = {0};
	struct event e = {0};

	if (strlen(line) != len || take_fields(line, line + len, &f) < 0 ||
	    kind_of(f.event, &e.kind) < 0 || !f.id || !spool_id_of(f.id, "") ||
	    !f.from || spool_dir_parse(f.from, &e.from) < 0 ||
	    (e.kind == EVENT_MOVE &&
		(!f.to || spool_dir_parse(f.to, &e.to) < 0)))
		return -EBADMSG;
	memcpy(e.id, f.id, strlen(f.id) + 1); /* spool_id_of() bounds it */
	e.t.usec = f.t;
	e.bytes = f.bytes;
	e.wait_usec = f.wait_usec;
	e.service_usec = f.service_usec;
	e.sender = f.sender;
	e.rcpt = f.rcpt;
	e.verdict = f.verdict;
	e.reason = f.reason;
	e.evidence = f.evidence;
	*ret_event = e;
	return 0;
}
