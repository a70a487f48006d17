/*
 * worker/mime.c - GMime's reading of a message, leaf by leaf.
 *
 * The parser works on the mapped octets; contents are runs of them, which
 * mime_leaf.c decodes straight into the arena.
 */
#include "worker/mime.h"

#include "worker/mime_budget.h"
#include "worker/mime_leaf.h"
#include "worker/mime_seen.h"
#include "worker/views.h"

#include <gmime/gmime.h>
#include <string.h>

/* One entity's octets and what was seen in them. */
struct walk {
	struct cell *c;
	struct span octets;
	enum reading_view view;
	uint32_t ambiguity;
	struct mime_seen seen;
};

static void walk_object(
    struct walk *w, GMimeObject *object, int32_t parent, unsigned depth);

int
mime_prepare(void)
{
	/* No converters of character sets are loaded: a cell can open no
	 * file, and each one kept ready would cost five mappings a fork.  UTF-8
	 * and UTF-16 need none (names_word.c); a name in another set stays as
	 * its octets are, and what matters of it, its ending, is ASCII. */
	g_mime_init();
	return 0;
}

static enum codec
codec_of(GMimeContentEncoding encoding)
{
	switch (encoding) {
	case GMIME_CONTENT_ENCODING_BASE64:
		return CODEC_BASE64;
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
		return CODEC_QP;
	case GMIME_CONTENT_ENCODING_UUENCODE:
		return CODEC_UU;
	case GMIME_CONTENT_ENCODING_DEFAULT:
	case GMIME_CONTENT_ENCODING_7BIT:
	case GMIME_CONTENT_ENCODING_8BIT:
	case GMIME_CONTENT_ENCODING_BINARY:
	default:
		return CODEC_IDENTITY;
	}
}

/* Where the part's encoded content lies. */
static struct span
content_span(const struct walk *w, GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream =
	    content ? g_mime_data_wrapper_get_stream(content) : NULL;
	int64_t start, end;

	if (!stream || !GMIME_IS_STREAM_MEM(stream))
		return (struct span){.at = w->octets.at, .len = 0};
	start = stream->bound_start;
	end =
	    stream->bound_end < 0 ? (int64_t)w->octets.len : stream->bound_end;
	if (start < 0 || end < start || end > (int64_t)w->octets.len)
		return (struct span){.at = w->octets.at, .len = 0};
	return (struct span){
	    .at = w->octets.at + start, .len = (size_t)(end - start)};
}

static void
add_name(struct names *names, const char *name)
{
	if (name)
		names_add(names, name, strlen(name));
}

static bool
is_content_field(const char *key)
{
	return g_ascii_strcasecmp(key, "Content-Type") == 0 ||
	       g_ascii_strcasecmp(key, "Content-Disposition") == 0 ||
	       g_ascii_strcasecmp(key, "Content-Transfer-Encoding") == 0;
}

/* One field that says what the object is: count it, and take its names. */
static void
see_field(struct walk *w, const char *key, const char *raw, struct names *names,
    unsigned counts[3])
{
	/* [8]: T for both Type and Transfer-Encoding; [9] parts them. */
	const unsigned kind = (key[8] | 32) == 'd'   ? 0
			      : (key[9] | 32) == 'y' ? 1
						     : 2;

	w->seen.content_headers++;
	if (++counts[kind] > 1 || !seen_is_plain(key, raw))
		w->seen.is_strange = true;
	if (kind != 2)
		names_header(names, raw, strlen(raw));
}

/* Parts of one name may stand in two fields: read them as one, too. */
static void
joined_names(GMimeHeaderList *headers, struct names *names)
{
	const int n = g_mime_header_list_get_count(headers);
	GString *all = g_string_new(NULL);

	for (int i = 0; i < n; i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(headers, i);
		const char *raw = g_mime_header_get_raw_value(h);

		if (raw && is_content_field(g_mime_header_get_name(h)))
			g_string_append_printf(all, "%s;", raw);
	}
	names_header(names, all->str, all->len);
	(void)g_string_free(all, TRUE);
}

/* GMime's names first, then those of every other reader. */
static void
object_names(struct walk *w, GMimeObject *object, struct names *names)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	const int n = g_mime_header_list_get_count(headers);
	unsigned counts[3] = {0};

	add_name(names, g_mime_object_get_content_disposition_parameter(
			    object, "filename"));
	add_name(
	    names, g_mime_object_get_content_type_parameter(object, "name"));
	for (int i = 0; i < n; i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(headers, i);
		const char *key = g_mime_header_get_name(h);
		const char *raw = g_mime_header_get_raw_value(h);

		if (raw && is_content_field(key))
			see_field(w, key, raw, names, counts);
	}
	if (counts[0] > 1 || counts[1] > 1)
		joined_names(headers, names);
	if (names->n > 1 && names_disagree(names))
		w->c->ambiguity |= AMBIGUOUS_NAME;
}

static void
declared_type(GMimeObject *object, char *buf, size_t size)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *media = g_mime_content_type_get_media_type(type);
	const char *sub = g_mime_content_type_get_media_subtype(type);

	mime_declared(media ? media : "", sub ? sub : "", buf, size);
}

static bool
is_shown_as_file(GMimeObject *object, const struct names *names)
{
	const char *how = g_mime_object_get_disposition(object);

	return names->n > 0 ||
	       (how && g_ascii_strcasecmp(how, "attachment") == 0);
}

static void
walk_leaf(struct walk *w, GMimePart *part, int32_t parent, unsigned depth)
{
	GMimeObject *object = GMIME_OBJECT(part);
	struct names names = {.n = 0};
	char declared[256];
	struct leaf leaf = {
	    .encoded = content_span(w, part),
	    .codec = codec_of(g_mime_part_get_content_encoding(part)),
	    .source = {.parent = parent,
		.depth = depth,
		.view = w->view,
		.ambiguity = w->ambiguity,
		.declared = declared,
		.names = &names},
	};

	object_names(w, object, &names);
	declared_type(object, declared, sizeof(declared));
	leaf.source.flags = is_shown_as_file(object, &names) ? PART_ATTACHMENT
			    : strncmp(declared, "text/", 5) == 0 ? PART_BODY
								 : 0;
	/* Where a header promises a body, some reader may find one. */
	if (leaf.encoded.len == 0 &&
	    (leaf.codec != CODEC_IDENTITY || names.n > 0))
		w->seen.is_strange = true;
	seen_add(&w->seen, &(struct seen_leaf){.encoded = leaf.encoded,
			       .codec = leaf.codec,
			       .part = mime_leaf(w->c, &leaf, &w->seen.lines)});
	names_done(&names);
}

static void
walk_message(
    struct walk *w, GMimeMessagePart *part, int32_t parent, unsigned depth)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	struct names names = {.n = 0};
	const struct source source = {.parent = parent,
	    .depth = depth,
	    .view = w->view,
	    .flags = PART_CONTAINER,
	    .declared = "message/rfc822",
	    .type = "message/rfc822",
	    .names = &names};
	int32_t index;

	object_names(w, GMIME_OBJECT(part), &names);
	index = cell_part_empty(w->c, &source);
	names_done(&names);
	if (message && g_mime_message_get_mime_part(message))
		walk_object(
		    w, g_mime_message_get_mime_part(message), index, depth + 1);
}

/* What no boundary divides is a leaf to other readers, whatever its type. */
static void
walk_undivided(struct walk *w, GMimeMultipart *multi, struct source *src)
{
	const char *text = g_mime_multipart_get_prologue(multi);
	const char *encoding = g_mime_object_get_header(
	    GMIME_OBJECT(multi), "Content-Transfer-Encoding");
	struct leaf leaf = {.source = *src};

	leaf.source.view = VIEW_CARVED;
	leaf.source.ambiguity |= AMBIGUOUS_CARVED;
	w->seen.is_strange = true;
	leaf.encoded.at = text ? text : "";
	leaf.encoded.len = strlen(leaf.encoded.at);
	leaf.codec =
	    encoding ? codec_of(g_mime_content_encoding_from_string(encoding))
		     : CODEC_IDENTITY;
	if (leaf.encoded.len > 0 || src->names->n > 0)
		(void)mime_leaf(w->c, &leaf, &w->seen.lines);
}

static void
walk_multipart(
    struct walk *w, GMimeMultipart *multi, int32_t parent, unsigned depth)
{
	const int n = g_mime_multipart_get_count(multi);
	struct names names = {.n = 0};
	char declared[256];
	struct source src = {.parent = parent,
	    .depth = depth,
	    .view = w->view,
	    .ambiguity = w->ambiguity,
	    .declared = declared,
	    .names = &names};

	object_names(w, GMIME_OBJECT(multi), &names);
	declared_type(GMIME_OBJECT(multi), declared, sizeof(declared));
	if (is_shown_as_file(GMIME_OBJECT(multi), &names))
		src.flags = PART_ATTACHMENT;
	if (n == 0)
		walk_undivided(w, multi, &src);
	else if (names.n > 0)
		(void)cell_part_empty(w->c, &src);
	names_done(&names);
	for (int i = 0; i < n; i++)
		walk_object(
		    w, g_mime_multipart_get_part(multi, i), parent, depth + 1);
}

static void
walk_object(struct walk *w, GMimeObject *object, int32_t parent, unsigned depth)
{
	if (cell_is_too_deep(w->c, depth) || w->c->status == READING_TOO_MANY)
		return;
	if (GMIME_IS_MULTIPART(object))
		walk_multipart(w, GMIME_MULTIPART(object), parent, depth);
	else if (GMIME_IS_MESSAGE_PART(object))
		walk_message(w, GMIME_MESSAGE_PART(object), parent, depth);
	else if (GMIME_IS_PART(object))
		walk_leaf(w, GMIME_PART(object), parent, depth);
}

/* A stream over octets that stay ours. */
static GMimeStream *
stream_over(struct span octets, GByteArray **ret_array)
{
	GMimeStream *stream = g_mime_stream_mem_new();

	*ret_array =
	    g_byte_array_new_take((guint8 *)(uintptr_t)octets.at, octets.len);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), *ret_array);
	return stream;
}

static void
walk_octets(struct walk *w, int32_t parent, unsigned depth)
{
	GByteArray *array;
	GMimeStream *stream = stream_over(w->octets, &array);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message && g_mime_message_get_mime_part(message))
		walk_object(
		    w, g_mime_message_get_mime_part(message), parent, depth);
	if (!w->c->tidy)
		return;
	if (message)
		g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
	(void)g_byte_array_free(array, FALSE);
}

/* Headers, preambles, epilogues: all that is not within a leaf. */
static void
carve_gaps(struct walk *w, const struct source *src)
{
	const char *at = w->octets.at;
	const char *const end = at + w->octets.len;
	for (size_t i = 0; i <= w->seen.n_leaves; i++) {
		const struct span last = {end, 0};
		const struct span leaf =
		    i < w->seen.n_leaves ? w->seen.leaves[i].encoded : last;

		if (leaf.at > at) {
			const struct span gap = {at, (size_t)(leaf.at - at)};

			if (leaf.len > 0 && !seen_is_plain_head(gap))
				w->seen.is_strange = true;
			carve_text(w->c, gap, end, src, &w->seen.lines);
		}
		if (leaf.at + leaf.len > at)
			at = leaf.at + leaf.len;
	}
}

/* Did the standard reader explain every line that looks like structure? */
static bool
is_explained(const struct walk *w)
{
	return !w->seen.is_strange &&
	       w->seen.lines.content_lines == w->seen.content_headers &&
	       !mime_has_odd_octets(w->octets);
}

/* One entity by every reader; src says where it is. */
static void
read_entity(struct cell *c, struct span octets, const struct source *src)
{
	struct walk w = {.c = c,
	    .octets = octets,
	    .view = src->view,
	    .ambiguity = src->ambiguity};

	if (cell_is_too_deep(c, src->depth))
		return;
	if (mime_within_budget(c, octets))
		walk_octets(&w, src->parent, src->depth);
	carve_gaps(&w, src);
	if (!is_explained(&w))
		views_read(c, octets, &w.seen, src);
	seen_done(&w.seen);
}

void
mime_message(struct cell *c)
{
	const struct source src = {.parent = -1, .view = VIEW_MIME};

	read_entity(c, c->message, &src);
}

/* A folder of messages begins like that; what is said of the first one does
 * not hold for the others. */
static bool
is_folder(struct span octets)
{
	return octets.len > 5 && memcmp(octets.at, "From ", 5) == 0;
}

void
mime_inside(
    struct cell *c, int32_t index, const struct source *src, struct span octets)
{
	static const struct mime_seen folder = {.is_folder = true};
	struct source inner = *src;
	const bool is_declared =
	    src->declared && (strcmp(src->declared, "message/rfc822") == 0 ||
				 strcmp(src->declared, "message/global") == 0 ||
				 strcmp(src->declared, "message/news") == 0);

	bool is_mail;

	if (octets.len > 3 && memcmp(octets.at, "\357\273\277", 3) == 0)
		octets = (struct span){octets.at + 3, octets.len - 3};
	is_mail = mime_looks_like_mail(octets, is_declared);
	if (!is_mail && !is_folder(octets))
		return;
	inner.parent = index;
	inner.depth++;
	/* Who opens an attached message sees it; in a text nobody does. */
	if (!is_declared && !(src->flags & PART_ATTACHMENT))
		inner.ambiguity |= AMBIGUOUS_TYPE;
	if (is_mail) {
		(void)writer_flags(c->w, index, PART_CONTAINER);
		read_entity(c, octets, &inner);
	} else {
		views_read(c, octets, &folder, &inner);
	}
}
