/*
 * vmm/detector_evidence.c - what was found, as one line of JSON.
 *
 * The guest's strings are decoded UTF-8 by now (vmm/report.h) and are quoted
 * afresh: nothing of the guest's own JSON is passed on.
 */
#include "vmm/detector_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_SHOWN 256u /* octets of a field */

struct out {
	char *at;
	size_t n, room;
};

static void
put(struct out *out, const char *text, size_t n)
{
	if (out->n + n + 1 > out->room) {
		out->room = 2 * (out->n + n + 1);
		out->at = realloc(out->at, out->room);
		if (!out->at)
			abort();
	}
	memcpy(out->at + out->n, text, n);
	out->n += n;
	out->at[out->n] = '\0';
}

static void __attribute__((format(printf, 2, 3)))
put_format(struct out *out, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(out, text, strlen(text));
}

/* In quotes, cut before a character that would go beyond STRING_SHOWN. */
static void
put_string(struct out *out, const char *text)
{
	size_t n = strlen(text);
	const bool is_cut = n > STRING_SHOWN;

	if (is_cut)
		for (n = STRING_SHOWN; n > 0 && (text[n] & 0xc0) == 0x80;)
			n--;
	put(out, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			put_format(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			put_format(out, "\\%c", c);
		else
			put(out, &text[i], 1);
	}
	if (is_cut)
		put(out, "...", 3);
	put(out, "\"", 1);
}

static void
put_event(struct out *out, const struct guest_event *e)
{
	put_format(out, "{\"t\":%" PRIu32 ".%03" PRIu32, e->msec / 1000,
	    e->msec % 1000);
	if (e->pid)
		put_format(out, ",\"pid\":%" PRIu32, e->pid);
	put_format(out, ",\"ev\":\"%s\"", guest_kind_name(e->kind));
	if (e->times > 1)
		put_format(out, ",\"n\":%" PRIu32, e->times);
	for (size_t i = 0; i < GUEST_FIELDS; i++) {
		if (!e->field[i])
			continue;
		put_format(
		    out, ",\"%s\":", guest_field_name((enum guest_field)i));
		put_string(out, e->field[i]);
	}
	put(out, "}", 1);
}

/* A kept line, if it takes no more than *room; that is then less. */
static void
put_cited(const struct detector *d, struct out *out, uint32_t line, bool first,
    size_t *room)
{
	CLEANUP(free_ptr)
	struct guest_event *event = xcalloc(1, sizeof(*event));
	struct out text = {NULL, 0, 0};
	const char *at = d->kept + line;
	const char *newline = memchr(at, '\n', d->n_kept - line);

	if (!newline || report_read(at, (size_t)(newline - at), event) < 0)
		return;
	if (!first)
		put(&text, ",", 1);
	put_event(&text, event);
	if (text.n <= *room) {
		*room -= text.n;
		put(out, text.at, text.n);
	} else {
		*room = 0;
	}
	free(text.at);
}

static void
put_behaviour(const struct detector *d, struct out *out, unsigned int number,
    size_t *room)
{
	const struct rules_behaviour *b = &d->rules->behaviours[number];
	const struct found *found = &d->found[number];
	size_t before;

	put(out, "{\"id\":", 6);
	put_string(out, b->id);
	put(out, ",\"name\":", 8);
	put_string(out, b->name);
	put_format(out,
	    ",\"attack\":\"%s\",\"weight\":%" PRIu32 ",\"events\":[", b->attack,
	    b->weight);
	before = out->n;
	for (uint32_t i = 0; i<found->n_lines && * room> 0; i++)
		put_cited(d, out, found->lines[i], out->n == before, room);
	put(out, "]}", 2);
}

/* The found behaviours' numbers, the weightiest first; how many. */
static size_t
in_order(const struct detector *d, unsigned int *ret)
{
	const struct rules_behaviour *b = d->rules->behaviours;
	size_t n = 0;

	for (unsigned int i = 0; i < d->rules->n_behaviours; i++) {
		size_t at = n;

		if (!d->found[i].is_found)
			continue;
		for (; at > 0 && b[ret[at - 1]].weight < b[i].weight; at--)
			ret[at] = ret[at - 1];
		ret[at] = i;
		n++;
	}
	return n;
}

/* The first n behaviours, with events of at most room octets, fairly. */
static void
put_all(const struct detector *d, struct out *out, const unsigned int *order,
    size_t n, size_t room)
{
	put_format(out,
	    "{\"score\":%" PRIu32 ",\"threshold\":%" PRIu32 ",\"behaviours\":[",
	    d->score, d->rules->threshold);
	for (size_t i = 0; i < n; i++) {
		size_t share = room / (n - i);

		room -= share;
		if (i > 0)
			put(out, ",", 1);
		put_behaviour(d, out, order[i], &share);
		room += share;
	}
	put_format(out,
	    "],\"events\":%" PRIu64 ",\"malformed\":%" PRIu64
	    ",\"lost\":%" PRIu64 ",\"truncated\":%s}",
	    d->events, d->malformed, d->lost,
	    d->is_truncated ? "true" : "false");
}

char *
detector_evidence(const struct detector *d, size_t max)
{
	unsigned int order[RULES_BEHAVIOURS];
	size_t n = in_order(d, order);
	struct out bare = {NULL, 0, 0}, out = {NULL, 0, 0};

	put_all(d, &bare, order, n, 0);
	while (bare.n > max && n > 0) {
		bare.n = 0;
		put_all(d, &bare, order, --n, 0);
	}
	if (bare.n <= max)
		put_all(d, &out, order, n, max - bare.n);
	free(bare.at);
	return out.at;
}

const char *
detector_reason(const struct detector *d)
{
	unsigned int order[RULES_BEHAVIOURS];

	return in_order(d, order) > 0 ? d->rules->behaviours[order[0]].name
				      : "";
}
