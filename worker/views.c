/*
 * worker/views.c - headers wherever they stand.
 */
#include "worker/views.h"

#include "worker/mime_codec.h"
#include "worker/types.h"
#include "worker/views_field.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define BLOCK_BYTES (size_t)65536 /* of a header that is looked at */

struct view {
	struct cell *c;
	struct span octets;
	const struct mime_seen *seen;
	const struct source *src;
	bool cr; /* a bare CR ends a line, too */
	/* The first delimiter line behind searched, if any was looked for. */
	const char *searched, *delimiter;
};

/* Where the line ends: LF, or in this view also a CR by itself. */
static const char *
line_end(const struct view *v, const char *at, const char *end)
{
	const char *nl;

	if (!v->cr) {
		nl = memchr(at, '\n', (size_t)(end - at));
		return nl ? nl : end;
	}
	while (at < end && *at != '\n' && *at != '\r')
		at++;
	return at;
}

/* One line without its end; returns the next one. */
static const char *
take_line(const struct view *v, const char *at, struct span *ret)
{
	const char *end = v->octets.at + v->octets.len;
	const char *stop = line_end(v, at, end);

	*ret = (struct span){at, (size_t)(stop - at)};
	if (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n')
		stop++;
	return stop < end ? stop + 1 : end;
}

static bool
is_blank(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.at[i] > ' ')
			return false;
	return true;
}

static bool
is_folded(struct span line)
{
	return line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t') &&
	       !is_blank(line);
}

/* Take the fields up to the blank line; the three places where the body may
 * begin are behind that line, behind the last field and at the first line
 * that is none. */
static void
read_block(const struct view *v, const char *at, struct block *b)
{
	const char *end = v->octets.at + v->octets.len;
	const char *const start = at;
	struct span line;

	b->body = b->after_field = b->no_field = b->stop = end;
	while (at < end && (size_t)(at - start) < BLOCK_BYTES) {
		const char *next = take_line(v, at, &line);
		struct span field = line;

		if (is_blank(line)) {
			b->body = next;
			break;
		}
		if (line.len > 2 && memcmp(line.at, "--", 2) == 0) {
			b->body = at;
			break;
		}
		while (next < end) {
			const char *more = take_line(v, next, &line);

			/* An indented field may be one of its own. */
			if (!is_folded(line) || field_is_content(line))
				break;
			field.len = (size_t)(line.at + line.len - field.at);
			next = more;
		}
		if (field_take(b, field))
			b->after_field = next;
		else if (b->no_field == end)
			b->no_field = at;
		at = next;
	}
	b->stop = at;
}

/* The next line that begins with "--" at or behind from, or the end: each
 * octet is searched once, however many bodies there are. */
static const char *
next_delimiter(struct view *v, const char *from)
{
	const char *end = v->octets.at + v->octets.len;
	const char *stop = end, *rest = end;

	if (v->delimiter && from >= v->searched && from <= v->delimiter)
		return v->delimiter;
	if (v->delimiter && from < v->searched) {
		rest = v->delimiter;
		stop = end - v->searched > 2 ? v->searched + 2 : end;
	}
	v->delimiter = memmem(from, (size_t)(stop - from), "\n--", 3);
	if (!v->delimiter)
		v->delimiter = rest;
	v->searched = from;
	return v->delimiter;
}

static struct span
body_from(struct view *v, const char *at)
{
	const char *end = v->octets.at + v->octets.len;
	const char *stop;
	size_t len;

	if (at >= end)
		return (struct span){end, 0};
	stop = next_delimiter(v, at > v->octets.at ? at - 1 : at);
	len = stop >= at ? (size_t)(stop - at) : 0;
	if (len > 0 && at[len - 1] == '\r')
		len--;
	return (struct span){at, len};
}

/* Returns the octets written; ret_is_clean: the body proves its encoding,
 * for prose is no base64. */
static size_t
decode(struct span body, enum codec codec, char *out, bool *ret_is_clean)
{
	uint32_t odd;
	size_t n;

	*ret_is_clean = false;
	if (codec == CODEC_QP)
		return codec_qp(body.at, body.len, QP_KEEP, out, NULL);
	if (codec != CODEC_BASE64) {
		memcpy(out, body.at, body.len);
		return body.len;
	}
	n = codec_base64(body.at, body.len, BASE64_RESTART, out, &odd);
	*ret_is_clean = odd == 0;
	return n;
}

/* Decode as a field says; keep it when it is a file or has a name. */
static void
read_declared(const struct view *v, struct span body, enum codec codec,
    struct source *src)
{
	bool is_clean = false;
	char *out;
	size_t n;

	if (codec == CODEC_UU || codec == CODEC_YENC || codec == CODEC_BINHEX) {
		(void)carve_old(v->c, body, codec, src);
		return;
	}
	if (!cell_may_work(v->c, body.len))
		return;
	out = writer_reserve(v->c->w, codec_room(codec, body.len));
	if (!out) {
		cell_status(v->c, READING_TOO_LARGE, "more than budget.output");
		return;
	}
	n = decode(body, codec, out, &is_clean);
	if (n == 0 || (!is_clean && !(src->names && src->names->n > 0) &&
			  !carve_is_file(out, n)))
		return;
	writer_advance(v->c->w, n);
	(void)cell_part(v->c, src);
}

/* By the first and the last encoding, then by any that gives a file. */
static void
read_body(
    const struct view *v, struct block *b, struct span body, struct source *src)
{
	const enum reading_view view = src->view;

	if (body.len == 0)
		return;
	src->view = b->n_codecs > 1 ? VIEW_FIRST : view;
	if (b->n_codecs > 0)
		read_declared(v, body, b->first_codec, src);
	src->view = VIEW_LAST;
	if (b->n_codecs > 1 && b->last_codec != b->first_codec)
		read_declared(v, body, b->last_codec, src);
	src->view = view;
	if (b->n_codecs == 0 && src->names && src->names->n > 0 && !b->is_known)
		read_declared(v, body, CODEC_IDENTITY, src);
	if (!b->is_odd)
		return;
	b->is_decoded |= carve_base64(v->c, body, src) > 0;
	b->is_decoded |= carve_qp(v->c, body, src) > 0;
}

/* A file by its declaration, in an encoding that nobody knows: whether it is
 * one can't be said. */
static void
hold_unknown(const struct view *v, const struct block *b, int32_t part)
{
	if (!b->is_odd || b->is_decoded || b->names.n == 0 || part < 0 ||
	    types_is_text(b->declared) || b->n_types == 0 ||
	    types_is_file(writer_type(v->c->w, part)))
		return;
	(void)writer_flags(v->c->w, part, PART_BROKEN);
	cell_hold(v->c, AMBIGUOUS_ENCODING,
	    "a file in an encoding that nobody knows");
}

/*
 * For a reader to whom the header ends with its fields, the body is there.
 * A line that a fold lost stands there, too: behind one, a name proves
 * nothing.
 */
static void
read_early(struct view *v, struct block *b, const char *at,
    const struct source *src, bool is_named)
{
	const char *end = v->octets.at + v->octets.len;
	struct source early = *src;
	struct span line;

	while (at < b->body) {
		const char *next = take_line(v, at, &line);

		if (!is_blank(line))
			break;
		at = next;
	}
	if (at >= end || at >= b->body || seen_at(v->seen, at))
		return;
	if (!is_named)
		early.names = NULL;
	read_body(v, b, body_from(v, at), &early);
}

static void
read_leaf(struct view *v, struct block *b)
{
	const struct seen_leaf *leaf = seen_at(v->seen, b->body);
	struct source src = *v->src;
	const char *name = b->names.buf;

	b->is_known = leaf != NULL;
	/* The standard reader overlooked the field, or took it for another. */
	b->is_odd |= leaf && b->n_codecs > 0 && b->first_codec != leaf->codec;
	for (uint32_t i = 0; leaf && leaf->part >= 0 && i < b->names.n; i++) {
		writer_name(v->c->w, leaf->part, name);
		name += strlen(name) + 1;
	}
	src.flags = PART_ATTACHMENT;
	src.names = &b->names;
	src.declared = b->declared;
	src.view = leaf                            ? VIEW_CARVED
		   : seen_covers(v->seen, b->body) ? VIEW_BOUNDARY
						   : VIEW_OUTSIDE;
	src.ambiguity = b->n_codecs > 1 || b->is_odd ? AMBIGUOUS_ENCODING : 0;
	if (b->n_types > 1)
		src.ambiguity |= AMBIGUOUS_TYPE;
	if (v->seen->is_folder)
		src.ambiguity |= v->src->ambiguity;
	else if (!leaf)
		src.ambiguity |= src.view == VIEW_OUTSIDE ? AMBIGUOUS_OUTSIDE
							  : AMBIGUOUS_BOUNDARY;
	if (!leaf || b->is_odd)
		read_body(v, b, body_from(v, b->body), &src);
	read_early(v, b, b->after_field, &src, !leaf || b->is_odd);
	if (b->no_field != b->after_field)
		read_early(v, b, b->no_field, &src, false);
	if (leaf)
		hold_unknown(v, b, leaf->part);
}

static void
read_all(struct view *v)
{
	const char *end = v->octets.at + v->octets.len;
	const char *at = v->octets.at;

	while (at < end && v->c->status == READING_COMPLETE) {
		struct block b = {.n_types = 0};
		struct span line;
		const char *next = take_line(v, at, &line);

		if (field_is_content(line)) {
			read_block(v, at, &b);
			if (!b.is_container)
				read_leaf(v, &b);
			names_done(&b.names);
			next = b.stop > at ? b.stop : next;
		}
		at = next;
	}
}

void
views_read(struct cell *c, struct span octets, const struct mime_seen *seen,
    const struct source *src)
{
	struct view v = {.c = c, .octets = octets, .seen = seen, .src = src};

	if (cell_is_too_deep(c, src->depth))
		return;
	read_all(&v);
	v.cr = memchr(octets.at, '\r', octets.len) != NULL;
	if (v.cr)
		read_all(&v);
}
