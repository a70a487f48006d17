/*
 * worker/names_param.c - file names out of a header value, read as leniently
 * as the most lenient reader would.
 *
 * No grammar: wherever "name" stands before an equals sign, what follows is
 * one, up to each of the places where some reader would stop.
 */
#include "worker/names.h"

#include "worker/names_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SEGMENTS     32
#define SEGMENT_ROOM (size_t)1024
#define VALUE_MAX    (size_t)16384 /* of a header field */
#define MARKS_MAX    64            /* "name" in one value */

/* name*N*=text (RFC 2231); text lies in the header. */
struct segment {
	unsigned number;
	bool is_encoded; /* the second star */
	bool is_file;    /* filename, not name */
	const char *text;
	size_t len;
};

struct params {
	struct names *names;
	struct segment segments[SEGMENTS];
	unsigned n;
};

static size_t
skip_space(const char *v, size_t len, size_t i)
{
	unsigned depth = 0;

	for (; i < len; i++) {
		if (v[i] == '(')
			depth++;
		else if (v[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !isspace((unsigned char)v[i]))
			break;
	}
	return i;
}

/* A quoted string from its first quote on; unescaped into out. */
static size_t
unquote(const char *v, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 1; i < len && used < SEGMENT_ROOM; i++) {
		if (v[i] == '"')
			break;
		if (v[i] == '\\' && i + 1 < len)
			i++;
		out[used++] = v[i];
	}
	return used;
}

/* Where readers stop: at a quote, a semicolon, a blank, the line's end. */
static size_t
stop_at(const char *v, size_t len, const char *stops)
{
	size_t i = 0;

	while (i < len && !(v[i] && strchr(stops, v[i])))
		i++;
	return i;
}

/* Up to there, without the white space in front of it. */
static void
add_to(struct names *names, const char *v, size_t len)
{
	while (len > 0 && isspace((unsigned char)v[len - 1]))
		len--;
	names_add(names, v, len);
}

/* A semicolon with no other parameter behind it belongs to the name. */
static void
add_past_semicolon(struct names *names, const char *v, size_t len)
{
	const size_t semi = stop_at(v, len, ";");
	const size_t next =
	    semi < len ? stop_at(v + semi + 1, len - semi - 1, ";\r\n") : 0;

	if (next > 0 && !memchr(v + semi + 1, '=', next))
		add_to(names, v, semi + 1 + next);
}

static void
add_value(struct names *names, const char *v, size_t len)
{
	char out[SEGMENT_ROOM];
	size_t n;

	if (len > 0 && v[0] == '"') {
		names_add(names, out, unquote(v, len, out));
		n = stop_at(v + 1, len - 1, "\"");
		names_add(names, v + 1, n);
		/* A quote that does not end, or text right behind it. */
		if (n + 2 >= len || strchr("; \t\r\n", v[n + 2]))
			return;
		v++, len--;
	} else {
		n = stop_at(v, len, "; \t\r\n");
		names_add(names, v, n);
		if (n < len && v[n] == ';')
			add_past_semicolon(names, v, len);
		if (n == len || v[n] == ';')
			return;
	}
	add_to(names, v, stop_at(v, len, ";"));
	add_to(names, v, stop_at(v, len, ";\r\n"));
}

/* One segment's octets, decoded if it says so; returns the length. */
static size_t
segment_text(const struct segment *s, bool is_first, char *out, bool *is_cut)
{
	char quoted[SEGMENT_ROOM], plain[SEGMENT_ROOM];
	const char *v = s->text, *quote;
	size_t len = s->len;
	const char *charset = "";
	size_t charset_len = 0;

	if (len > 0 && v[0] == '"') {
		len = unquote(v, len, quoted);
		v = quoted;
	} else {
		len = stop_at(v, len, "; \t\r\n");
	}
	*is_cut |= len >= SEGMENT_ROOM;
	len = len < SEGMENT_ROOM ? len : SEGMENT_ROOM;
	if (is_first && (quote = memchr(v, '\'', len))) {
		const char *second =
		    memchr(quote + 1, '\'', len - (size_t)(quote + 1 - v));

		charset = v;
		charset_len = (size_t)(quote - v);
		if (second) {
			len -= (size_t)(second + 1 - v);
			v = second + 1;
		}
	}
	len = s->is_encoded ? names_percent(v, len, plain)
			    : (memcpy(plain, v, len), len);
	return names_charset(
	    charset, charset_len, plain, len, out, SEGMENT_ROOM);
}

/* Join the segments of one name in the given order. */
static void
join(struct names *names, const struct segment *const *list, unsigned n)
{
	char whole[2 * SEGMENT_ROOM];
	char one[SEGMENT_ROOM];
	size_t used = 0;

	for (unsigned i = 0; i < n; i++) {
		const size_t len =
		    segment_text(list[i], i == 0, one, &names->is_cut);

		if (used + len > sizeof(whole)) {
			names->is_cut = true;
			break;
		}
		memcpy(whole + used, one, len);
		used += len;
	}
	names_add(names, whole, used);
}

static void
sort_by_number(const struct segment **list, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		for (unsigned k = i;
		     k > 0 && list[k - 1]->number > list[k]->number; k--) {
			const struct segment *swap = list[k];

			list[k] = list[k - 1];
			list[k - 1] = swap;
		}
}

/* How many lead without a gap, from the number 0 or 1 on. */
static unsigned
without_gap(const struct segment *const *list, unsigned n)
{
	unsigned i = 1;

	while (i < n && list[i]->number == list[i - 1]->number + 1)
		i++;
	return i;
}

/* As they stand, sorted, up to the first gap, and each for itself. */
static void
add_segments(struct params *p, bool is_file)
{
	const struct segment *list[SEGMENTS];
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (p->segments[i].is_file == is_file)
			list[n++] = &p->segments[i];
	if (n == 0)
		return;
	join(p->names, list, n);
	sort_by_number(list, n);
	join(p->names, list, n);
	join(p->names, list, without_gap(list, n));
	for (unsigned i = 0; n > 1 && i < n; i++)
		join(p->names, list + i, 1);
}

/* "*", "*1" or "*1*" behind the name. */
static size_t
take_stars(const char *v, size_t len, size_t i, struct segment *s)
{
	s->number = 0;
	s->is_encoded = false;
	if (i == len || v[i] != '*')
		return i;
	for (i++; i < len && isdigit((unsigned char)v[i]); i++)
		s->number = (s->number * 10 + (unsigned)(v[i] - '0')) & 0xffff;
	if (v[i - 1] == '*')
		s->is_encoded = true;
	if (i < len && v[i] == '*') {
		s->is_encoded = true;
		i++;
	}
	return i;
}

/* The parameter whose "name" ends before i. */
static void
take_param(struct params *p, const char *v, size_t len, size_t i)
{
	struct segment s = {.is_file = i >= 8 && (v[i - 8] | 32) == 'f'};
	const size_t stars = take_stars(v, len, i, &s);
	size_t at = skip_space(v, len, stars);

	if (at == len || v[at] != '=')
		return;
	at++;
	/* A comment, or a name that begins like one: take both. */
	if (at < len && v[at] == '(')
		add_value(p->names, v + at, len - at);
	at = skip_space(v, len, at);
	p->names->is_cut |= stars > i && p->n == SEGMENTS;
	if (stars > i && p->n < SEGMENTS) {
		s.text = v + at;
		s.len = len - at;
		p->segments[p->n++] = s;
	}
	add_value(p->names, v + at, len - at);
}

static void
read_value(struct names *names, const char *value, size_t len)
{
	struct params p = {.names = names};
	unsigned marks = 0;

	for (size_t i = 0; i + 5 <= len; i++) {
		if ((value[i] | 32) != 'n' ||
		    strncasecmp(value + i, "name", 4) != 0)
			continue;
		if (++marks > MARKS_MAX) {
			names->is_cut = true;
			break;
		}
		take_param(&p, value, len, i + 4);
		i += 3;
	}
	if (p.n == 0)
		return;
	add_segments(&p, false);
	add_segments(&p, true);
}

static char *
room(size_t len)
{
	char *out = malloc(len > 0 ? len : 1);

	if (!out)
		abort();
	return out;
}

void
names_header(struct names *names, const char *value, size_t len)
{
	char *plain = NULL, *out;

	if (len > VALUE_MAX) {
		names->is_cut = true;
		len = VALUE_MAX;
	}
	while (len > 0 && isspace((unsigned char)value[len - 1]))
		len--;
	/* "ESC ( B" begins no comment. */
	if (memchr(value, '\033', len)) {
		plain = room(len);
		len = names_unescape(value, len, plain);
		value = plain;
	}
	read_value(names, value, len);
	/* A comment in the middle of the word "name". */
	if (memchr(value, '(', len)) {
		out = room(len);
		read_value(names, out, names_uncomment(value, len, out));
		free(out);
	}
	free(plain);
}
