/*
 * worker/cell_blob.c - parts: each content once, with all its names.
 */
#include "worker/cell_priv.h"

#include "common/cleanup.h"
#include "worker/archive.h"
#include "worker/carve.h"
#include "worker/links.h"
#include "worker/mef/extract.h"
#include "worker/mime.h"
#include "worker/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_ROOM 64
/* Times its size that a strange message may be looked at again. */
#define WORK_FACTOR 24
#define WORK_LEAST  (UINT64_C(16) << 20)

void
cell_status(struct cell *c, enum reading_status status, const char *text)
{
	if (c->status != READING_COMPLETE)
		return;
	c->status = status;
	c->text = text;
}

void
cell_hold(struct cell *c, uint32_t ambiguity, const char *text)
{
	if (c->status == READING_COMPLETE && !c->hold)
		c->text = text;
	c->ambiguity |= ambiguity;
	c->hold = true;
}

bool
cell_is_too_deep(struct cell *c, unsigned depth)
{
	if (depth <= c->limits->depth)
		return false;
	cell_status(c, READING_TOO_DEEP, "nested deeper than budget.depth");
	return true;
}

bool
cell_may_work(struct cell *c, size_t bytes)
{
	c->work_bytes += bytes;
	if (c->work_bytes <= WORK_LEAST + WORK_FACTOR * c->message.len)
		return true;
	cell_status(c, READING_TOO_LARGE, "too many contradictory readings");
	return false;
}

void
cell_drop(struct cell *c)
{
	writer_blob_drop(c->w);
}

/*
 * A multiply-and-fold hash (wyhash's mixing step).  Whoever makes two blobs
 * collide only makes us compare them: equality is always memcmp().
 */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
hash_blob(const char *at, size_t len)
{
	uint64_t h = UINT64_C(0xa0761d6478bd642f) ^ len;
	uint64_t words[2] = {0};

	while (len >= sizeof(words)) {
		memcpy(words, at, sizeof(words));
		h = mix(words[0] ^ UINT64_C(0xe7037ed1a0b428db), words[1] ^ h);
		at += sizeof(words);
		len -= sizeof(words);
	}
	words[0] = words[1] = 0;
	memcpy(words, at, len);
	return mix(words[0] ^ UINT64_C(0x8ebc6af09c88c6e3), words[1] ^ h);
}

static void
table_grow(struct cell *c)
{
	struct cell_blob *old = c->blobs;
	const size_t n = c->room_blobs;

	c->room_blobs = n ? 2 * n : FIRST_ROOM;
	c->blobs = calloc(c->room_blobs, sizeof(*c->blobs));
	if (!c->blobs)
		abort();
	for (size_t i = 0; i < n; i++) {
		size_t k = old[i].hash & (c->room_blobs - 1);

		if (old[i].off == 0)
			continue;
		while (c->blobs[k].off != 0)
			k = (k + 1) & (c->room_blobs - 1);
		c->blobs[k] = old[i];
	}
	free(old);
}

/* The slot of this content, or the free one where it belongs. */
static struct cell_blob *
table_slot(struct cell *c, uint64_t hash, const char *at, uint64_t bytes)
{
	size_t k;

	if (2 * c->n_blobs >= c->room_blobs)
		table_grow(c);
	for (k = hash & (c->room_blobs - 1); c->blobs[k].off != 0;
	     k = (k + 1) & (c->room_blobs - 1)) {
		const struct cell_blob *b = &c->blobs[k];

		if (b->hash == hash && b->bytes == bytes &&
		    memcmp(writer_at(c->w, b->off), at, bytes) == 0)
			break;
	}
	return &c->blobs[k];
}

static bool
is_over_parts(struct cell *c)
{
	if (writer_parts(c->w) < c->limits->parts)
		return false;
	cell_status(c, READING_TOO_MANY, "more parts than budget.parts");
	return true;
}

/* Names that were not looked at may be of any kind. */
static void
note_names(struct cell *c, const struct source *src)
{
	if (src->names && src->names->is_cut)
		cell_hold(c, AMBIGUOUS_NAME,
		    "a file with more names than can be told apart");
}

static int32_t
write_part(struct cell *c, const struct source *src, uint64_t off,
    uint64_t bytes, const char *type)
{
	const struct reading_part part = {
	    .off = off,
	    .bytes = bytes,
	    .parent = src->parent,
	    .depth = (uint16_t)src->depth,
	    .view = (uint16_t)src->view,
	    .flags = src->flags,
	    .n_names = src->names ? src->names->n : 0,
	    .names = src->names ? src->names->buf : "",
	    .declared = src->declared ? src->declared : "",
	    .type = type,
	};

	note_names(c, src);
	return writer_part(c->w, &part);
}

/* Declared as another type than it was before: who opens it by that type must
 * find it among the records. */
static void
repeat_declared(struct cell *c, const struct source *src, struct cell_blob *b)
{
	const char *type = writer_type(c->w, b->part);
	const struct span octets = {writer_at(c->w, b->off), b->bytes};
	int32_t index;

	if (!src->declared || !*src->declared ||
	    strcasecmp(src->declared, writer_declared(c->w, b->part)) == 0 ||
	    strcasecmp(src->declared, writer_declared(c->w, b->last)) == 0 ||
	    is_over_parts(c))
		return;
	index = write_part(c, src, b->off, b->bytes, type);
	b->last = index; /* b may move from here on */
	if (types_is_text(type))
		mime_inside(c, index, src, octets);
}

/* The same content again: it keeps its first place, and gains names. */
static int32_t
repeat_part(struct cell *c, const struct source *src, struct cell_blob *b)
{
	const char *name = src->names ? src->names->buf : NULL;
	const int32_t index = b->part;

	cell_drop(c);
	note_names(c, src);
	for (uint32_t i = 0; name && i < src->names->n; i++) {
		writer_name(c->w, index, name);
		name += strlen(name) + 1;
	}
	(void)writer_flags(c->w, index, src->flags);
	/* Thousands of names take records, too. */
	if (writer_parts(c->w) > c->limits->parts)
		cell_status(
		    c, READING_TOO_MANY, "more parts than budget.parts");
	repeat_declared(c, src, b);
	return index;
}

/* What it is in a word or two; anything else by its type. */
static const char *
type_words(const char *type)
{
	static const char *const words[][2] = {
	    {"application/zip", "zip archive"},
	    {"application/gzip", "gzip file"},
	    {"application/x-rar", "rar archive"},
	    {"application/x-7z-compressed", "7z archive"},
	    {"application/x-tar", "tar archive"},
	    {"application/x-dosexec", "Windows program"},
	    {"application/x-executable", "program"},
	    {"application/pdf", "PDF document"},
	    {"application/octet-stream", "file"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(type, words[i][0]) == 0)
			return words[i][1];
	return NULL;
}

/* Which reader shows a file that the standard one does not. */
static const char *
view_words(const struct source *src)
{
	switch (src->view) {
	case VIEW_FIRST:
		return "by the first of contradictory headers";
	case VIEW_LAST:
		return "by the last of contradictory headers";
	case VIEW_BOUNDARY:
		return "between boundaries that the standard reader ignores";
	case VIEW_OUTSIDE:
		return "outside of the parts of the message";
	case VIEW_ARCHIVE:
		return "in an archive that readers take differently";
	case VIEW_CARVED:
		return src->ambiguity & AMBIGUOUS_ENCODING
			   ? "in an encoding that readers undo differently"
			   : "that no standard reader shows";
	case VIEW_MIME:
	case VIEW_COUNT:
	default:
		return "in a text that is a message, too";
	}
}

static void
hold_file(struct cell *c, const struct source *src, const char *type)
{
	const char *what = type_words(type);

	if (!c->hold && c->status == READING_COMPLETE)
		(void)snprintf(c->words, sizeof(c->words), "a %s%.60s %s",
		    what ? "" : "file of type ", what ? what : type,
		    view_words(src));
	cell_hold(c, src->ambiguity, c->words);
}

/*
 * A reading that nobody else shares shows a file: hold.  Text with a name is
 * none: it is judged by its name and content like every part, and people do
 * quote the source of mail in mail.
 */
static void
note_contradiction(struct cell *c, const struct source *src, const char *type)
{
	if (src->ambiguity == 0 ||
	    (src->expected && strcmp(src->expected, type) == 0))
		return;
	c->ambiguity |= src->ambiguity;
	if (types_is_file(type) ||
	    (src->names && src->names->n > 0 && !types_is_text(type)))
		hold_file(c, src, type);
}

int32_t
cell_part_empty(struct cell *c, const struct source *src)
{
	if (is_over_parts(c))
		return -1;
	return write_part(
	    c, src, 0, 0, src->type ? src->type : "application/x-empty");
}

/* Another cell looks closer, if anybody wants to know. */
static struct source
as_program(const struct source *src, const char *at, uint64_t bytes)
{
	struct source own = *src;

	if (mef_kind_of(at, bytes) != MEF_OTHER)
		own.flags |= PART_PROGRAM;
	return own;
}

int32_t
cell_part(struct cell *c, const struct source *src)
{
	uint64_t bytes, off;
	const char *at = writer_blob(c->w, &bytes);
	const uint64_t hash = hash_blob(at, bytes);
	struct cell_blob *slot;
	struct source own;
	const char *type;
	int32_t index;

	if (bytes == 0)
		return cell_part_empty(c, src);
	slot = table_slot(c, hash, at, bytes);
	if (slot->off != 0)
		return repeat_part(c, src, slot);
	if (is_over_parts(c)) {
		cell_drop(c);
		return -1;
	}
	writer_blob_end(c->w, &off, &bytes);
	type = src->type ? src->type : types_detect(at, bytes);
	own = as_program(src, at, bytes);
	index = write_part(c, &own, off, bytes, type);
	*slot = (struct cell_blob){.hash = hash,
	    .off = off,
	    .bytes = bytes,
	    .part = index,
	    .last = index};
	c->n_blobs++;
	note_contradiction(c, src, type);
	if (archive_is_type(type))
		archive_read(c, index, src->depth, (struct span){at, bytes});
	else if (types_is_text(type))
		mime_inside(c, index, src, (struct span){at, bytes});
	archive_also(c, index, src->depth, (struct span){at, bytes});
	carve_page(c, index, src, (struct span){at, bytes});
	links_look(c, index, src, (struct span){at, bytes});
	return index;
}

void
cell_done(struct cell *c)
{
	writer_free(c->w);
	free(c->blobs);
	free(c->pairs);
	c->w = NULL;
	c->blobs = NULL;
	c->pairs = NULL;
}
