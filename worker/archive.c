/*
 * worker/archive.c - members of archives as parts, by libarchive.
 *
 * Only formats and filters that libarchive decodes itself: none that would
 * start a program.
 */
#include "worker/archive.h"

#include "worker/archive_zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define CHUNK_BYTES 65536
/* More than this many times its own size in one archive is a bomb; RFC 1951
 * can't do more than 1032. */
#define RATIO       UINT64_C(1500)
#define RATIO_LEAST (UINT64_C(1) << 20)

enum way {
	AS_ARCHIVE,
	AS_ONE_FILE,      /* without a name, if it is no tar or the like */
	BY_LOCAL_HEADERS, /* a zip as programs read it from a pipe */
};

/* One archive that is being read. */
struct reader {
	struct cell *c;
	struct archive *a;
	int32_t index;
	unsigned depth; /* of the members */
	uint64_t bytes; /* of the archive */
	uint64_t out;   /* of its members so far */
	enum way way;
};

bool
archive_is_type(const char *type)
{
	static const char *const types[] = {"application/zip",
	    "application/gzip", "application/x-bzip2", "application/x-xz",
	    "application/zstd", "application/x-lz4", "application/x-rar",
	    "application/x-7z-compressed", "application/x-tar",
	    "application/x-gtar", "application/vnd.ms-cab-compressed",
	    "application/x-lzh-compressed", "application/x-lzma",
	    "application/x-compress", "application/x-cpio",
	    "application/x-iso9660-image", "application/java-archive",
	    "application/x-archive", "application/x-lzip",
	    "application/epub+zip"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	/* OOXML, OpenDocument: zips with a better name. */
	return strncmp(type, "application/vnd.openxmlformats", 30) == 0 ||
	       strncmp(type, "application/vnd.oasis.opendocument", 34) == 0;
}

static void
support(struct archive *a, enum way way)
{
	if (way == BY_LOCAL_HEADERS) {
		(void)archive_read_support_format_zip_streamable(a);
		return;
	}
	if (way == AS_ONE_FILE)
		(void)archive_read_support_format_raw(a);
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_lzma(a);
	(void)archive_read_support_filter_lzip(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_filter_lz4(a);
	(void)archive_read_support_filter_compress(a);
	(void)archive_read_support_format_zip(a);
	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_format_7zip(a);
	(void)archive_read_support_format_rar(a);
	(void)archive_read_support_format_rar5(a);
	(void)archive_read_support_format_cab(a);
	(void)archive_read_support_format_lha(a);
	(void)archive_read_support_format_cpio(a);
	(void)archive_read_support_format_iso9660(a);
	(void)archive_read_support_format_ar(a);
}

/* Octets of the member into the arena; returns flags for its part. */
static uint32_t
copy_member(struct reader *r)
{
	char *out;
	la_ssize_t n;

	for (;;) {
		out = writer_reserve(r->c->w, CHUNK_BYTES);
		if (!out) {
			cell_status(r->c, READING_TOO_LARGE,
			    "archive larger than budget.output");
			return PART_BROKEN;
		}
		n = archive_read_data(r->a, out, CHUNK_BYTES);
		if (n < 0)
			return PART_BROKEN;
		if (n == 0)
			return 0;
		writer_advance(r->c->w, (uint64_t)n);
		r->out += (uint64_t)n;
		if (r->out > RATIO_LEAST && r->out / RATIO > r->bytes) {
			cell_status(
			    r->c, READING_TOO_LARGE, "archive unfolds too far");
			return PART_BROKEN;
		}
	}
}

static void
member_names(
    const struct reader *r, struct archive_entry *entry, struct names *names)
{
	const char *path = archive_entry_pathname(entry);

	/* The locale is UTF-8 (cell_prepare): what has no path in it has
	 * none, or one of octets that are no text. */
	if (!path)
		path = archive_entry_pathname_utf8(entry);
	if (path && !(r->way == AS_ONE_FILE && strcmp(path, "data") == 0))
		names_add(names, path, strlen(path));
}

static void
read_member(struct reader *r, struct archive_entry *entry)
{
	struct names names = {.n = 0};
	struct source source = {.parent = r->index,
	    .depth = r->depth,
	    .view = VIEW_ARCHIVE,
	    .flags = PART_ATTACHMENT,
	    .names = &names};
	uint64_t bytes;

	member_names(r, entry, &names);
	if (archive_entry_is_encrypted(entry)) {
		source.flags |= PART_ENCRYPTED | PART_NO_CONTENT;
		source.type = "application/octet-stream";
		(void)cell_part_empty(r->c, &source);
		(void)writer_flags(r->c->w, r->index, PART_ENCRYPTED);
	} else {
		/* What says that it is a directory may have content, too. */
		source.flags |= copy_member(r);
		if (source.flags & PART_BROKEN)
			(void)writer_flags(r->c->w, r->index, PART_BROKEN);
		(void)writer_blob(r->c->w, &bytes);
		if (bytes > 0 || archive_entry_filetype(entry) != AE_IFDIR)
			(void)cell_part(r->c, &source);
	}
	names_done(&names);
}

static void
read_members(struct reader *r)
{
	struct archive_entry *entry;
	int got = ARCHIVE_EOF; /* gcc can't see that it is set */

	while (r->c->status == READING_COMPLETE &&
	       ((got = archive_read_next_header(r->a, &entry)) == ARCHIVE_OK ||
		   got == ARCHIVE_WARN))
		read_member(r, entry);
	if (r->c->status != READING_COMPLETE)
		return;
	if (archive_read_has_encrypted_entries(r->a) == 1)
		(void)writer_flags(r->c->w, r->index, PART_ENCRYPTED);
	else if (got != ARCHIVE_EOF)
		(void)writer_flags(r->c->w, r->index, PART_BROKEN);
}

/* False: nothing there that libarchive takes for an archive. */
static bool
read_as(struct reader *r, struct span octets, enum way way)
{
	bool opened;

	r->a = archive_read_new();
	r->way = way;
	if (!r->a)
		return false;
	support(r->a, way);
	opened =
	    archive_read_open_memory(r->a, octets.at, octets.len) == ARCHIVE_OK;
	if (opened)
		read_members(r);
	(void)archive_read_free(r->a);
	return opened;
}

/* A single compressed file: gzip and its like. */
static bool
is_filter(const char *type)
{
	static const char *const types[] = {"application/gzip",
	    "application/x-bzip2", "application/x-xz", "application/zstd",
	    "application/x-lz4", "application/x-lzma", "application/x-compress",
	    "application/x-lzip"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

void
archive_read(struct cell *c, int32_t index, unsigned depth, struct span octets)
{
	struct reader r = {
	    .c = c, .index = index, .depth = depth + 1, .bytes = octets.len};

	if (cell_is_too_deep(c, depth + 1))
		return;
	(void)writer_flags(c->w, index, PART_CONTAINER);
	if (!read_as(&r, octets,
		is_filter(writer_type(c->w, index)) ? AS_ONE_FILE : AS_ARCHIVE))
		(void)writer_flags(c->w, index, PART_BROKEN);
	if (archive_zip_agrees(octets))
		return;
	c->ambiguity |= AMBIGUOUS_ARCHIVE;
	c->hold = true;
	(void)read_as(&r, octets, BY_LOCAL_HEADERS);
}
