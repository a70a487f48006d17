/*
 * worker/mime_leaf.c - decode one leaf in the ways that readers differ in.
 */
#include "worker/mime_leaf.h"

#include "worker/names_text.h"
#include "worker/types.h"
#include "worker/views.h"

#include <stdio.h>
#include <string.h>

void
mime_declared(const char *media, const char *sub, char *buf, size_t size)
{
	size_t used = text_clean(buf, size / 2, media, strlen(media));

	buf[used++] = '/';
	(void)text_clean(buf + used, size - used, sub, strlen(sub));
	for (char *p = buf; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
}

/* The decoder's own name for the file, if it is one that has it. */
static size_t
decode_into(const struct leaf *leaf, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name)
{
	const char *in = leaf->encoded.at;
	const size_t len = leaf->encoded.len;
	size_t used = 0;

	ret_name->len = 0;
	*ret_odd = 0;
	if (leaf->codec == CODEC_BASE64)
		return codec_base64(in, len, BASE64_RESTART, out, ret_odd);
	if (leaf->codec == CODEC_QP)
		return codec_qp(in, len, QP_KEEP, out, ret_odd);
	if (leaf->codec == CODEC_UU)
		used = codec_uu(in, len, out, ret_odd, ret_name);
	if (used > 0)
		return used;
	memcpy(out, in, len);
	return len;
}

/* Decode into the arena's current blob; false: no room. */
static bool
decode(struct cell *c, const struct leaf *leaf, uint32_t *ret_odd,
    struct codec_name *ret_name)
{
	char *out =
	    writer_reserve(c->w, codec_room(leaf->codec, leaf->encoded.len));

	if (!out) {
		cell_status(c, READING_TOO_LARGE, "more than budget.output");
		return false;
	}
	writer_advance(c->w, decode_into(leaf, out, ret_odd, ret_name));
	return true;
}

/* A file by its declaration whose octets nobody can be sure of. */
static bool
is_spoilt(const struct leaf *leaf, uint32_t odd)
{
	if (leaf->codec == CODEC_BASE64 ? !(odd & (ODD_JUNK | ODD_PAD))
					: !(odd & (ODD_ESCAPE | ODD_NOTHING)))
		return false;
	return leaf->source.names && leaf->source.names->n > 0 &&
	       leaf->source.declared &&
	       strncmp(leaf->source.declared, "text/", 5) != 0;
}

/* Other ways to decode, when the leaf leaves any doubt. */
static void
read_odd(struct cell *c, const struct leaf *leaf, uint32_t odd, int32_t index,
    const char *type, struct carve_seen *seen)
{
	struct source src = leaf->source;
	const uint32_t n_found = seen->found;
	char expected[128];
	unsigned found = 0;

	src.view = VIEW_CARVED;
	src.ambiguity |= AMBIGUOUS_ENCODING;
	if (type && index >= 0) {
		/* More than type may say; where it is may move. */
		(void)snprintf(
		    expected, sizeof(expected), "%s", writer_type(c->w, index));
		src.expected = expected;
	}
	carve_text(
	    c, leaf->encoded, leaf->encoded.at + leaf->encoded.len, &src, seen);
	if (leaf->codec == CODEC_BASE64)
		found = carve_base64(c, leaf->encoded, &src);
	else if (leaf->codec == CODEC_QP)
		found = carve_qp(c, leaf->encoded, &src);
	if (type || found > 0 || seen->found > n_found ||
	    !is_spoilt(leaf, odd) || index < 0)
		return;
	(void)writer_flags(c->w, index, PART_BROKEN);
	cell_hold(c, AMBIGUOUS_ENCODING,
	    "a file in an encoding that readers undo differently");
}

/* The name that the encoding itself gave the file. */
static void
add_inner_name(struct cell *c, int32_t index, const struct codec_name *inner)
{
	struct names names = {.n = 0};
	const char *name;

	names_add(&names, inner->at, inner->len);
	name = names.buf;
	for (uint32_t i = 0; i < names.n; i++, name += strlen(name) + 1)
		writer_name(c->w, index, name);
	names_done(&names);
}

/* May there be lines in it? */
static bool
is_readable(const char *type)
{
	return types_is_text(type) ||
	       strcmp(type, "application/octet-stream") == 0;
}

/* Headers in what only the encoding shows: no view of the mail has them. */
static void
read_headers(
    struct cell *c, const struct leaf *leaf, struct span decoded, int32_t index)
{
	static const struct mime_seen nothing = {.is_folder = false};
	struct source src = leaf->source;

	if (leaf->codec == CODEC_IDENTITY ||
	    (writer_flags(c->w, index, 0) & PART_CONTAINER))
		return;
	src.parent = index;
	src.depth++;
	views_read(c, decoded, &nothing, &src);
}

int32_t
mime_leaf(struct cell *c, const struct leaf *leaf, struct carve_seen *seen)
{
	const size_t n_parts = writer_parts(c->w);
	const uint32_t n_lines = seen->content_lines;
	struct codec_name name;
	struct span decoded;
	const char *type;
	uint32_t odd;
	int32_t index;

	if (!decode(c, leaf, &odd, &name))
		return -1;
	decoded.at = writer_blob(c->w, &decoded.len);
	type = types_magic(decoded.at, decoded.len);
	index = cell_part(c, &leaf->source);
	if (index < 0)
		return index;
	if (name.len > 0)
		add_inner_name(c, index, &name);
	/* A repetition's octets are gone, and were looked at before. */
	if ((size_t)index == n_parts && decoded.len > 0 &&
	    is_readable(writer_type(c->w, index)))
		carve_text(
		    c, decoded, decoded.at + decoded.len, &leaf->source, seen);
	if (seen->content_lines > n_lines)
		read_headers(c, leaf, decoded, index);
	odd &= ~ODD_QUANTUM;
	if (odd == 0)
		return index;
	read_odd(c, leaf, odd, index, type, seen);
	return index;
}
