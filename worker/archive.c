/*
 * worker/archive.c - which passes an archive needs, so that nothing which
 * some reader shows stays unseen.
 */
#include "worker/archive.h"

#include "worker/archive_priv.h"
#include "worker/archive_rar5.h"
#include "worker/archive_zip.h"
#include "worker/types.h"

#include "common/cleanup.h"

#include <archive.h>
#include <string.h>

/* An empty zip is its end record. */
#define EMPTY_BYTES    22
#define EMBEDDED_BYTES (size_t)1048576 /* as far as unpackers look */

struct archive_type {
	const char *type;
	enum archive_form form;
	int filter;
};

static const struct archive_type known[] = {
    {"application/zip", FORM_ZIP, 0},
    {"application/java-archive", FORM_ZIP, 0},
    {"application/epub+zip", FORM_ZIP, 0},
    {"application/gzip", FORM_FILE, ARCHIVE_FILTER_GZIP},
    {"application/x-bzip2", FORM_FILE, ARCHIVE_FILTER_BZIP2},
    {"application/x-xz", FORM_FILE, ARCHIVE_FILTER_XZ},
    {"application/zstd", FORM_FILE, ARCHIVE_FILTER_ZSTD},
    {"application/x-lz4", FORM_FILE, ARCHIVE_FILTER_LZ4},
    {"application/x-lzma", FORM_FILE, ARCHIVE_FILTER_LZMA},
    {"application/x-lzip", FORM_FILE, ARCHIVE_FILTER_LZIP},
    {"application/lzip", FORM_FILE, ARCHIVE_FILTER_LZIP},
    {"application/x-compress", FORM_FILE, ARCHIVE_FILTER_COMPRESS},
    {"application/x-rar", FORM_RAR, 0},
    {"application/vnd.rar", FORM_RAR, 0},
    {"application/x-7z-compressed", FORM_7ZIP, 0},
    {"application/x-tar", FORM_TAR, 0},
    {"application/x-gtar", FORM_TAR, 0},
    {"application/x-ustar", FORM_TAR, 0},
    {"application/vnd.ms-cab-compressed", FORM_CAB, 0},
    {"application/x-lzh-compressed", FORM_LHA, 0},
    {"application/x-lharc", FORM_LHA, 0},
    {"application/x-lha", FORM_LHA, 0},
    {"application/x-cpio", FORM_CPIO, 0},
    {"application/x-iso9660-image", FORM_ISO, 0},
    {"application/x-archive", FORM_AR, 0},
};

static const struct archive_type *
find_type(const char *type)
{
	/* OOXML, OpenDocument: zips with a better name. */
	if (strncmp(type, "application/vnd.openxmlformats", 30) == 0 ||
	    strncmp(type, "application/vnd.oasis.opendocument", 34) == 0)
		return &known[0];
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(type, known[i].type) == 0)
			return &known[i];
	return NULL;
}

bool
archive_is_type(const char *type)
{
	return find_type(type) != NULL;
}

/* The octets from at on, as a part. */
static void
submit_rest(struct reader *r, const char *at, const struct source *source)
{
	const size_t n = (size_t)(r->octets.at + r->octets.len - at);

	if (!cell_may_work(r->c, n))
		return;
	if (writer_append(r->c->w, at, n) < 0) {
		cell_status(r->c, READING_TOO_LARGE,
		    "archive larger than budget.output");
		return;
	}
	(void)cell_part(r->c, source);
}

/* What follows the archive's own end is a part by itself: another archive,
 * perhaps, that other readers go on to. */
static void
read_tail(struct reader *r)
{
	const char *const end = r->octets.at + r->octets.len;
	const char *at = r->octets.at + r->used;
	const struct source source = {.parent = r->index,
	    .depth = r->depth,
	    .view = VIEW_ARCHIVE,
	    .ambiguity = AMBIGUOUS_ARCHIVE,
	    .flags = PART_ATTACHMENT};

	if (!r->is_at_end || r->used == 0 || r->used > r->octets.len)
		return;
	while (at < end && *at == '\0')
		at++;
	if (at < end)
		submit_rest(r, at, &source);
}

/*
 * A compressed file is read as an archive if it holds one.  Whatever that
 * archive's reader does not account for is in the file as a whole.
 */
static void
read_file(struct reader *r)
{
	if (!archive_pass(r, FORM_FILE)) {
		(void)writer_flags(r->c->w, r->index, PART_BROKEN);
		return;
	}
	if (r->is_raw || r->c->status != READING_COMPLETE)
		return;
	if (r->n == 0 || !r->is_at_end || archive_has_more(r))
		(void)archive_pass(r, FORM_RAW);
}

/* The directory at the zip's end first.  By the headers before the members,
 * too, where those may tell otherwise, and where the directory calls a member
 * a link or a device, which half of all readers don't care about. */
static void
read_zip(struct reader *r)
{
	const enum zip_tables tables = archive_zip_tables(r->octets);
	uint32_t n;

	(void)archive_pass(r, FORM_ZIP);
	if (archive_zip_renames(r->octets))
		cell_hold(r->c, AMBIGUOUS_ARCHIVE,
		    "a zip that gives a file two names");
	if (r->is_full_folder)
		cell_hold(r->c, AMBIGUOUS_ARCHIVE,
		    "a zip with a folder that has content");
	if (tables == ZIP_AGREES && !r->is_odd)
		return;
	if (tables == ZIP_DIFFERS)
		cell_hold(
		    r->c, AMBIGUOUS_ARCHIVE, "a zip whose two tables differ");
	else if (r->n > 0)
		r->ambiguity = AMBIGUOUS_ARCHIVE;
	n = r->n;
	(void)archive_pass(r, FORM_ZIP_LOCAL);
	r->n += n;
}

static void
read_by(struct reader *r, const struct archive_type *type)
{
	switch (type->form) {
	case FORM_FILE:
		read_file(r);
		break;
	case FORM_ZIP:
		read_zip(r);
		break;
	case FORM_RAR:
		if (archive_rar5_is_encrypted(r->octets))
			(void)writer_flags(r->c->w, r->index, PART_ENCRYPTED);
		(void)archive_pass(r, type->form);
		read_tail(r);
		break;
	case FORM_TAR:
	case FORM_CPIO:
	case FORM_LHA:
		(void)archive_pass(r, type->form);
		read_tail(r);
		break;
	case FORM_7ZIP:
	case FORM_AR:
	case FORM_CAB:
	case FORM_ISO:
	case FORM_NONE:
	case FORM_RAW:
	case FORM_ZIP_LOCAL:
	default:
		(void)archive_pass(r, type->form);
		break;
	}
	/* An archive that shows nothing is not read, as far as we know. */
	if (r->n == 0 && r->octets.len > EMPTY_BYTES)
		(void)writer_flags(r->c->w, r->index, PART_BROKEN);
}

void
archive_read(struct cell *c, int32_t index, unsigned depth, struct span octets)
{
	const struct archive_type *type = find_type(writer_type(c->w, index));
	struct reader r = {.c = c,
	    .index = index,
	    .depth = depth + 1,
	    .octets = octets,
	    .filter = type ? type->filter : 0};

	if (!type || cell_is_too_deep(c, depth + 1))
		return;
	(void)writer_flags(c->w, index, PART_CONTAINER);
	read_by(&r, type);
}

/* A program in front of an archive is its unpacker, and openly so. */
static bool
is_program(const char *type)
{
	return strcmp(type, "application/x-dosexec") == 0 ||
	       strstr(type, "executable") != NULL;
}

static bool
has_octets_at(struct span octets, size_t at, const char *word, size_t n)
{
	return octets.len >= at + n && memcmp(octets.at + at, word, n) == 0;
}

/* One more form, if the octets are of it. */
static void
pass_also(struct reader *r, enum archive_form form, uint32_t ambiguity)
{
	if (r->c->status != READING_COMPLETE ||
	    cell_is_too_deep(r->c, r->depth))
		return;
	r->ambiguity = ambiguity;
	(void)archive_pass(r, form);
	if (r->n > 0)
		(void)writer_flags(r->c->w, r->index, PART_CONTAINER);
}

/* What its own reader shows whole, whatever stands behind it: nobody sees
 * that there is an archive, too.  Mail and documents may hold one openly. */
static bool
is_shown_alone(const char *type)
{
	return strcmp(type, "application/octet-stream") == 0 ||
	       strcmp(type, "application/pdf") == 0 ||
	       strncmp(type, "image/", 6) == 0 ||
	       strncmp(type, "audio/", 6) == 0 ||
	       strncmp(type, "video/", 6) == 0;
}

/* Unpackers look for their archive behind whatever stands before it. */
static void
read_embedded(struct reader *r, size_t from)
{
	static const struct span marks[] = {
	    {"Rar!\032\007", 6}, {"7z\274\257\047\034", 6}};
	const size_t look = r->octets.len < from + EMBEDDED_BYTES
				? r->octets.len
				: from + EMBEDDED_BYTES;
	const struct source source = {.parent = r->index,
	    .depth = r->depth,
	    .view = VIEW_ARCHIVE,
	    .ambiguity = AMBIGUOUS_ARCHIVE,
	    .flags = PART_ATTACHMENT};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *at = from < look
				     ? memmem(r->octets.at + from, look - from,
					   marks[i].at, marks[i].len)
				     : NULL;

		if (at && !cell_is_too_deep(r->c, r->depth))
			submit_rest(r, at, &source);
	}
}

void
archive_also(struct cell *c, int32_t index, unsigned depth, struct span octets)
{
	const char *name = writer_type(c->w, index);
	const struct archive_type *type = find_type(name);
	const enum archive_form form = type ? type->form : FORM_NONE;
	const uint32_t ambiguity = is_program(name) ? 0 : AMBIGUOUS_ARCHIVE;
	struct reader r = {
	    .c = c, .index = index, .depth = depth + 1, .octets = octets};
	bool is_exact = false;

	if (form != FORM_ZIP && archive_zip_is_at_end(octets, &is_exact))
		pass_also(&r, FORM_ZIP, is_exact ? ambiguity : 0);
	/* ECMA-119 8.2; POSIX ustar. */
	if (form != FORM_ISO && has_octets_at(octets, 32769, "CD001", 5))
		pass_also(&r, FORM_ISO, ambiguity);
	if (form != FORM_TAR && has_octets_at(octets, 257, "ustar", 5))
		pass_also(&r, FORM_TAR, ambiguity);
	if (is_shown_alone(name))
		read_embedded(&r, 0);
	else if (form == FORM_ZIP)
		read_embedded(&r, archive_zip_tail(octets));
}
