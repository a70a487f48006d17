#include "vmm/report.h"

#include "common/cleanup.h"
#include "common/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define KEY_MAX 64u

struct reader {
	const char *at, *end;
	char *to; /* the next free octet of the event's */
	struct guest_event *event;
	bool has_kind, has_time, has_pid, has_times;
};

static const char *const kind_names[] = {
#define EVENT(id, kind, fields, help) kind,
#include "vmm/event.def"
#undef EVENT
};

static const char *const kind_fields[] = {
#define EVENT(id, kind, fields, help) fields,
#include "vmm/event.def"
#undef EVENT
};

static const char *const field_names[] = {
#define GUEST_FIELD(id, key) key,
    GUEST_FIELD_LIST
#undef GUEST_FIELD
};

const char *
guest_kind_name(enum guest_kind kind)
{
	assert((size_t)kind < GUEST_KINDS);
	return kind_names[kind];
}

const char *
guest_kind_fields(enum guest_kind kind)
{
	assert((size_t)kind < GUEST_KINDS);
	return kind_fields[kind];
}

const char *
guest_field_name(enum guest_field field)
{
	assert((size_t)field < GUEST_FIELDS);
	return field_names[field];
}

static size_t
index_of(const char *const *list, size_t n, const char *name, size_t length)
{
	size_t i = 0;

	while (i < n &&
	       (strncmp(list[i], name, length) != 0 || list[i][length] != '\0'))
		i++;
	return i;
}

enum guest_kind
guest_kind_of(const char *name, size_t length)
{
	return (enum guest_kind)index_of(
	    kind_names, ARRAY_SIZE(kind_names), name, length);
}

enum guest_field
guest_field_of(const char *name, size_t length)
{
	return (enum guest_field)index_of(
	    field_names, ARRAY_SIZE(field_names), name, length);
}

static void
skip_blanks(struct reader *r)
{
	while (r->at < r->end &&
	       (*r->at == ' ' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

static bool
take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static int
hex4(struct reader *r, uint32_t *ret)
{
	*ret = 0;
	if (r->end - r->at < 4)
		return -EBADMSG;
	for (int i = 0; i < 4; i++) {
		const char c = *r->at++;

		if (c >= '0' && c <= '9')
			*ret = *ret << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			*ret = *ret << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			return -EBADMSG;
	}
	return 0;
}

/* A character as UTF-8; never longer than it was written. */
static void
put_utf8(struct reader *r, uint32_t c)
{
	if (c < 0x80) {
		*r->to++ = (char)c;
		return;
	}
	if (c < 0x800) {
		*r->to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*r->to++ = (char)(0xe0 | c >> 12);
		} else {
			*r->to++ = (char)(0xf0 | c >> 18);
			*r->to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*r->to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*r->to++ = (char)(0x80 | (c & 0x3f));
}

/* Behind \u.  A surrogate must come in a pair. */
static int
read_escaped(struct reader *r)
{
	uint32_t c, low;

	if (hex4(r, &c) < 0)
		return -EBADMSG;
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
			return -EBADMSG;
		r->at += 2;
		if (hex4(r, &low) < 0 || low < 0xdc00 || low > 0xdfff)
			return -EBADMSG;
		c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
	} else if (c >= 0xdc00 && c <= 0xdfff) {
		return -EBADMSG;
	}
	put_utf8(r, c ? c : 0xfffd);
	return 0;
}

static int
read_character(struct reader *r)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *which;
	size_t n;

	if ((unsigned char)*r->at < 0x20)
		return -EBADMSG;
	if (*r->at != '\\') {
		n = utf8_length(r->at, (size_t)(r->end - r->at));
		if (n == 0)
			return -EBADMSG;
		memcpy(r->to, r->at, n);
		r->to += n;
		r->at += n;
		return 0;
	}
	if (r->end - r->at < 2)
		return -EBADMSG;
	r->at += 2;
	if (r->at[-1] == 'u')
		return read_escaped(r);
	which = r->at[-1] ? strchr(escapes, r->at[-1]) : NULL;
	if (!which)
		return -EBADMSG;
	*r->to++ = meant[which - escapes];
	return 0;
}

/* Printable ASCII that stands for itself, which most of a report is. */
static void
copy_plain(struct reader *r)
{
	const char *at = r->at;
	char *to = r->to;

	while (
	    at < r->end && (signed char)*at >= ' ' && *at != '"' && *at != '\\')
		*to++ = *at++;
	r->at = at;
	r->to = to;
}

/* Behind the opening quote.  The string is put at r->to, with a NUL: the
 * quotes make room for it. */
static int
read_string(struct reader *r, const char **ret, size_t *ret_length)
{
	char *const begun = r->to;

	for (copy_plain(r); r->at < r->end && *r->at != '"'; copy_plain(r))
		if (read_character(r) < 0)
			return -EBADMSG;
	if (r->at == r->end)
		return -EBADMSG;
	r->at++;
	*ret = begun;
	*ret_length = (size_t)(r->to - begun);
	*r->to++ = '\0';
	return *ret_length <= EVENT_STRING_MAX ? 0 : -EBADMSG;
}

static size_t
digits(struct reader *r)
{
	const char *begun = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (size_t)(r->at - begun);
}

/* A number (RFC 8259 6), kept as text.  It has no quotes, but the blank or
 * comma or brace behind it makes room for the NUL. */
static int
read_number(struct reader *r, const char **ret, size_t *ret_length)
{
	const char *begun = r->at;
	size_t n;

	r->at += *r->at == '-';
	n = digits(r);
	if (n == 0 || (n > 1 && r->at[-(ptrdiff_t)n] == '0'))
		return -EBADMSG;
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		if (digits(r) == 0)
			return -EBADMSG;
	}
	if (r->at < r->end && (*r->at | 32) == 'e') {
		r->at++;
		r->at += r->at < r->end && (*r->at == '+' || *r->at == '-');
		if (digits(r) == 0)
			return -EBADMSG;
	}
	*ret_length = (size_t)(r->at - begun);
	if (*ret_length > EVENT_STRING_MAX || r->at == r->end)
		return -EBADMSG;
	*ret = memcpy(r->to, begun, *ret_length);
	r->to += *ret_length;
	*r->to++ = '\0';
	return 0;
}

static int
read_word(struct reader *r)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const size_t n = strlen(words[i]);

		if ((size_t)(r->end - r->at) >= n &&
		    memcmp(r->at, words[i], n) == 0) {
			r->at += n;
			return 0;
		}
	}
	return -EBADMSG;
}

/* What a value is: text of a string, text of a number, neither. */
enum value { VALUE_STRING, VALUE_NUMBER, VALUE_WORD };

static int
read_value(struct reader *r, enum value *ret_type, const char **ret,
    size_t *ret_length)
{
	*ret_type = VALUE_STRING;
	*ret = NULL;
	*ret_length = 0;
	if (take(r, '"'))
		return read_string(r, ret, ret_length);
	if (r->at == r->end)
		return -EBADMSG;
	*ret_type = VALUE_NUMBER;
	if (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'))
		return read_number(r, ret, ret_length);
	*ret_type = VALUE_WORD;
	return read_word(r);
}

/* A whole number of at most max. */
static int
to_u32(enum value type, const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;

	if (type != VALUE_NUMBER)
		return -EBADMSG;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EBADMSG;
		value = 10 * value + (uint64_t)(*text - '0');
		if (value > max)
			return -EBADMSG;
	}
	*ret = (uint32_t)value;
	return 0;
}

/* Seconds with or without a fraction. */
static int
to_msec(enum value type, const char *text, uint32_t *ret)
{
	uint64_t msec = 0;

	if (type != VALUE_NUMBER)
		return -EBADMSG;
	for (; *text >= '0' && *text <= '9'; text++) {
		msec = 10 * msec + 1000 * (uint64_t)(*text - '0');
		if (msec > EVENT_MSEC_MAX)
			return -EBADMSG;
	}
	if (*text == '.')
		for (uint32_t unit = 100; *++text >= '0' && *text <= '9';
		     unit /= 10)
			msec += unit * (uint32_t)(*text - '0');
	*ret = (uint32_t)msec;
	return *text ? -EBADMSG : 0;
}

static bool
is_key(const char *key, size_t length, const char *name)
{
	return length == strlen(name) && memcmp(key, name, length) == 0;
}

static int
once(bool *has)
{
	const bool had = *has;

	*has = true;
	return had ? -EBADMSG : 0;
}

static int
set_kind(struct reader *r, enum value type, const char *text, size_t length)
{
	r->event->kind =
	    type == VALUE_STRING ? guest_kind_of(text, length) : GUEST_KINDS;
	if (r->event->kind == GUEST_KINDS)
		return -EBADMSG;
	return once(&r->has_kind);
}

static int
set_field(struct reader *r, enum guest_field field, enum value type,
    const char *text, size_t length)
{
	if (r->event->field[field])
		return -EBADMSG;
	r->event->field[field] = type == VALUE_WORD ? "" : text;
	r->event->length[field] = length;
	return 0;
}

static int
read_pair(struct reader *r)
{
	struct guest_event *e = r->event;
	const char *key, *text;
	size_t key_length, length;
	enum guest_field field;
	enum value type;

	if (!take(r, '"') || read_string(r, &key, &key_length) < 0 ||
	    key_length > KEY_MAX || !take(r, ':') ||
	    read_value(r, &type, &text, &length) < 0)
		return -EBADMSG;
	if (is_key(key, key_length, "ev"))
		return set_kind(r, type, text, length);
	if (is_key(key, key_length, "t"))
		return once(&r->has_time) < 0 ? -EBADMSG
					      : to_msec(type, text, &e->msec);
	if (is_key(key, key_length, "pid"))
		return once(&r->has_pid) < 0
			   ? -EBADMSG
			   : to_u32(type, text, INT32_MAX, &e->pid);
	if (is_key(key, key_length, "n"))
		return once(&r->has_times) < 0 ||
			       to_u32(type, text, INT32_MAX, &e->times) < 0 ||
			       e->times == 0
			   ? -EBADMSG
			   : 0;
	field = guest_field_of(key, key_length);
	return field == GUEST_FIELDS ? 0
				     : set_field(r, field, type, text, length);
}

int
report_read(const char *line, size_t length, struct guest_event *ret)
{
	struct reader r = {
	    .at = line, .end = line + length, .to = ret->octets, .event = ret};

	if (length > EVENT_LINE_MAX)
		return -EBADMSG;
	ret->kind = GUEST_KINDS;
	ret->msec = ret->pid = 0;
	ret->times = 1;
	memset(ret->field, 0, sizeof(ret->field));
	memset(ret->length, 0, sizeof(ret->length));
	if (!take(&r, '{'))
		return -EBADMSG;
	do {
		if (read_pair(&r) < 0)
			return -EBADMSG;
	} while (take(&r, ','));
	if (!take(&r, '}'))
		return -EBADMSG;
	skip_blanks(&r);
	return r.at == r.end && r.has_kind ? 0 : -EBADMSG;
}
