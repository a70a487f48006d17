#include "vmm/guest/report.h"

#include "common/utf8.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const names[REPORT_KINDS] = {
#define EVENT(id, kind, fields, text) [REPORT_##id] = (kind),
#include "vmm/event.def"
#undef EVENT
};

/* A line in the making.  What doesn't fit makes it overflow, not grow. */
struct line {
	char at[REPORT_LINE_MAX];
	size_t n;
	bool overflow;
};

static void
put(struct line *line, const char *text, size_t n)
{
	if (line->overflow || n > sizeof(line->at) - line->n) {
		line->overflow = true;
		return;
	}
	memcpy(line->at + line->n, text, n);
	line->n += n;
}

static void
put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static void
put_number(struct line *line, const char *key, int64_t value)
{
	char text[64];
	int n = snprintf(text, sizeof(text), ",\"%s\":%" PRId64, key, value);

	put(line, text, (size_t)n);
}

static void
put_string(struct line *line, const unsigned char *s, size_t n)
{
	size_t room = REPORT_STRING_MAX;

	put(line, "\"", 1);
	while (n > 0) {
		char escaped[8];
		const char *text = (const char *)s;
		size_t take = utf8_length(s, n), bytes = take;

		if (take == 0 || s[0] < 0x20 || s[0] == '"' || s[0] == '\\') {
			take = 1;
			bytes = (size_t)snprintf(
			    escaped, sizeof(escaped), "\\u%04x", s[0]);
			text = escaped;
		}
		if (bytes > room)
			break;
		put(line, text, bytes);
		room -= bytes;
		s += take;
		n -= take;
	}
	put(line, "\"", 1);
}

void
report_init(struct report *report, char *at, size_t max)
{
	memset(report, 0, sizeof(*report));
	report->at = at;
	report->max = max;
}

/* The line of an event is its time, its body (all but the time) and, if it
 * is more than one, its number. */
static bool
write_line(struct report *report, struct report_kind_state *kind, uint64_t usec,
    uint64_t n, size_t keep)
{
	char time[40], number[40] = "}\n";
	char *at = report->at + report->used;
	size_t bytes, tail, all;

	bytes = (size_t)snprintf(time, sizeof(time), "{\"t\":%" PRIu64 ".%03u",
	    usec / 1000000, (unsigned)(usec / 1000 % 1000));
	if (n > 1)
		(void)snprintf(
		    number, sizeof(number), ",\"n\":%" PRIu64 "}\n", n);
	tail = strlen(number);
	all = bytes + kind->last_bytes + tail;
	if (all > REPORT_LINE_MAX || report->max < keep ||
	    all > report->max - keep - report->used)
		return false;
	memcpy(at, time, bytes);
	memcpy(at + bytes, kind->last, kind->last_bytes);
	memcpy(at + bytes + kind->last_bytes, number, tail);
	report->used += all;
	kind->lines++;
	kind->bytes += (uint32_t)all;
	return true;
}

static void
write_or_lose(struct report *report, struct report_kind_state *kind,
    uint64_t usec, uint64_t n)
{
	const uint32_t part = report->is_cheap ? 2 : 1;

	if (kind->lines >= REPORT_KIND_LINES / part ||
	    kind->bytes >= REPORT_KIND_BYTES / part ||
	    !write_line(report, kind, usec, n, REPORT_END_BYTES))
		report->lost += n;
}

static void
settle(struct report *report, struct report_kind_state *kind, uint64_t usec)
{
	if (kind->again > 0)
		write_or_lose(report, kind, usec, kind->again);
	kind->again = 0;
}

void
report_settle(struct report *report, uint64_t usec, uint64_t age_usec)
{
	for (int i = 0; i < REPORT_KINDS; i++)
		if (usec - report->kinds[i].last_usec >= age_usec)
			settle(report, &report->kinds[i], usec);
}

static void
add(struct report *report, struct report_kind_state *kind, uint64_t usec,
    const struct line *line, size_t same)
{
	if (same == kind->same_bytes &&
	    memcmp(line->at, kind->last, same) == 0) {
		if (kind->again++ == 0)
			kind->last_usec = usec;
		return;
	}
	settle(report, kind, usec);
	memcpy(kind->last, line->at, line->n);
	kind->last_bytes = line->n;
	kind->same_bytes = same;
	kind->last_usec = usec;
	write_or_lose(report, kind, usec, 1);
}

/* What lies on Wine's drive is told as Windows calls it. */
static void
put_path(const struct report *report, struct line *line,
    const unsigned char *octets, size_t n)
{
	char text[REPORT_STRING_MAX];
	const size_t skip = report->drive ? strlen(report->drive) : 0;

	if (skip == 0 || n < skip || memcmp(octets, report->drive, skip) != 0 ||
	    (n > skip && octets[skip] != '/')) {
		put_string(line, octets, n);
		return;
	}
	n -= skip;
	if (n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	memcpy(text, "C:", 2);
	memcpy(text + 2, octets + skip, n);
	put_string(line, (const unsigned char *)text, n + 2);
}

void
report_fields(struct report *report, uint64_t usec, const char *by, int pid,
    enum report_kind kind, const struct report_field *fields)
{
	const bool any_pid =
	    kind == REPORT_PROCESS_START || kind == REPORT_PROCESS_EXIT;
	struct line line = {.n = 0};
	size_t same;

	put_text(&line, ",\"by\":\"");
	put_text(&line, by);
	put_text(&line, "\",\"ev\":\"");
	put_text(&line, names[kind]);
	put_text(&line, "\"");
	for (; fields->key; fields++) {
		if (!fields->octets) {
			put_number(&line, fields->key, fields->number);
			continue;
		}
		put_text(&line, ",\"");
		put_text(&line, fields->key);
		put_text(&line, "\":");
		put_path(report, &line, fields->octets, fields->n);
	}
	same = line.n;
	if (pid > 0)
		put_number(&line, "pid", pid);
	if (line.overflow)
		report->lost++;
	else
		add(report, &report->kinds[kind], usec, &line,
		    any_pid ? same : line.n);
}

/* Beyond every limit but that of the whole: there must be an end. */
static void
add_kept(struct report *report, uint64_t usec, const char *body,
    enum report_kind kind)
{
	struct report_kind_state *state = &report->kinds[kind];

	state->last_bytes = strlen(body);
	memcpy(state->last, body, state->last_bytes);
	(void)write_line(report, state, usec, 1, 0);
}

void
report_end(struct report *report, uint64_t usec, const char *how, int64_t code)
{
	char body[256];

	report_settle(report, usec, 0);
	if (report->lost > 0) {
		(void)snprintf(body, sizeof(body),
		    ",\"by\":\"agent\",\"ev\":\"%s\",\"text\":"
		    "\"truncated: %" PRIu64 " events lost\"",
		    names[REPORT_AGENT_NOTE], report->lost);
		add_kept(report, usec, body, REPORT_AGENT_NOTE);
	}
	(void)snprintf(body, sizeof(body),
	    ",\"by\":\"agent\",\"ev\":\"%s\",\"how\":\"%s\",\"code\":%" PRId64,
	    names[REPORT_AGENT_END], how, code);
	add_kept(report, usec, body, REPORT_AGENT_END);
}
