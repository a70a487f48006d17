/*
 * worker/archive_pass.c - worker/archive_priv.h, by libarchive.
 *
 * Only formats and filters that libarchive decodes itself: none that would
 * start a program.
 */
#include "worker/archive_priv.h"

#include "worker/types.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#define CHUNK_BYTES 65536
/* More than this many times its own size in one archive is a bomb; RFC 1951
 * can't do more than 1032. */
#define RATIO       UINT64_C(1500)
#define RATIO_LEAST (UINT64_C(1) << 20)

static void
support(struct archive *a, const struct reader *r, enum archive_form form)
{
	switch (form) {
	case FORM_ZIP:
		(void)archive_read_support_format_zip(a);
		break;
	case FORM_ZIP_LOCAL:
		(void)archive_read_support_format_zip_streamable(a);
		break;
	case FORM_7ZIP:
		(void)archive_read_support_format_7zip(a);
		break;
	case FORM_RAR:
		(void)archive_read_support_format_rar(a);
		(void)archive_read_support_format_rar5(a);
		break;
	case FORM_TAR:
		(void)archive_read_support_format_tar(a);
		break;
	case FORM_CPIO:
		(void)archive_read_support_format_cpio(a);
		break;
	case FORM_AR:
		(void)archive_read_support_format_ar(a);
		break;
	case FORM_CAB:
		(void)archive_read_support_format_cab(a);
		break;
	case FORM_LHA:
		(void)archive_read_support_format_lha(a);
		break;
	case FORM_ISO:
		(void)archive_read_support_format_iso9660(a);
		break;
	case FORM_FILE:
		(void)archive_read_support_format_tar(a);
		(void)archive_read_support_format_cpio(a);
		(void)archive_read_support_format_raw(a);
		(void)archive_read_append_filter(a, r->filter);
		break;
	case FORM_RAW:
		(void)archive_read_support_format_raw(a);
		(void)archive_read_append_filter(a, r->filter);
		break;
	case FORM_NONE:
	default:
		break;
	}
}

/* What libarchive couldn't do for want of memory is a budget's end, not an
 * archive's. */
static bool
is_out_of_memory(struct archive *a)
{
	const char *text = archive_error_string(a);

	return archive_errno(a) == ENOMEM || (text && strstr(text, "memory"));
}

static void
note_error(struct reader *r, struct archive *a)
{
	if (is_out_of_memory(a))
		cell_status(r->c, READING_TOO_LARGE,
		    "an archive needs more than budget.memory");
	(void)writer_flags(r->c->w, r->index, PART_BROKEN);
}

static bool
is_bomb(struct reader *r, uint64_t more)
{
	r->out += more;
	if (r->out <= RATIO_LEAST || r->out / RATIO <= r->octets.len)
		return false;
	cell_status(r->c, READING_TOO_LARGE, "archive unfolds too far");
	return true;
}

/* Octets of the member into the arena; returns flags for its part. */
static uint32_t
copy_member(struct reader *r, struct archive *a)
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
		n = archive_read_data(a, out, CHUNK_BYTES);
		if (n < 0) {
			note_error(r, a);
			return PART_BROKEN;
		}
		if (n == 0)
			return 0;
		writer_advance(r->c->w, (uint64_t)n);
		if (is_bomb(r, (uint64_t)n))
			return PART_BROKEN;
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
	if (path && !(r->is_raw && strcmp(path, "data") == 0))
		names_add(names, path, strlen(path));
}

static void
read_member(struct reader *r, struct archive *a, struct archive_entry *entry)
{
	struct names names = {.n = 0};
	struct source source = {.parent = r->index,
	    .depth = r->depth,
	    .view = VIEW_ARCHIVE,
	    .flags = PART_ATTACHMENT,
	    .ambiguity = r->ambiguity,
	    .names = &names};
	const unsigned kind = archive_entry_filetype(entry);
	uint64_t bytes;
	int32_t index;

	r->n++;
	r->is_odd |=
	    kind == AE_IFDIR ? archive_entry_size(entry) > 0 : kind != AE_IFREG;
	r->is_raw = (archive_format(a) & ARCHIVE_FORMAT_BASE_MASK) ==
		    ARCHIVE_FORMAT_RAW;
	member_names(r, entry, &names);
	if (archive_entry_is_encrypted(entry)) {
		source.flags |= PART_ENCRYPTED | PART_NO_CONTENT;
		source.type = "application/octet-stream";
		(void)cell_part_empty(r->c, &source);
		(void)writer_flags(r->c->w, r->index, PART_ENCRYPTED);
	} else {
		/* What says that it is a directory may have content, too. */
		source.flags |= copy_member(r, a);
		if (source.flags & PART_BROKEN)
			(void)writer_flags(r->c->w, r->index, PART_BROKEN);
		(void)writer_blob(r->c->w, &bytes);
		r->is_full_folder |= kind == AE_IFDIR && bytes == 0 &&
				     archive_entry_size(entry) > 0;
		if (bytes > 0 || kind != AE_IFDIR) {
			index = cell_part(r->c, &source);
			if (r->is_raw)
				cell_unfolded(r->c, r->index, index);
		}
	}
	names_done(&names);
}

/* The next member; past damaged headers, as other readers go. */
static int
next_member(struct reader *r, struct archive *a, struct archive_entry **ret)
{
	int64_t at = -1;
	int got;

	while ((got = archive_read_next_header(a, ret)) == ARCHIVE_RETRY &&
	       archive_filter_bytes(a, 0) > at) {
		at = archive_filter_bytes(a, 0);
		r->is_skipped = true;
	}
	return got;
}

static void
read_members(struct reader *r, struct archive *a)
{
	struct archive_entry *entry;
	int got = ARCHIVE_EOF; /* gcc can't see that it is set */

	while (r->c->status == READING_COMPLETE &&
	       ((got = next_member(r, a, &entry)) == ARCHIVE_OK ||
		   got == ARCHIVE_WARN))
		read_member(r, a, entry);
	if (r->c->status != READING_COMPLETE)
		return;
	r->used = (uint64_t)archive_filter_bytes(a, 0);
	r->is_at_end = got == ARCHIVE_EOF;
	if (archive_read_has_encrypted_entries(a) == 1)
		(void)writer_flags(r->c->w, r->index, PART_ENCRYPTED);
	else if (!r->is_at_end)
		note_error(r, a);
	if (r->is_skipped)
		(void)writer_flags(r->c->w, r->index, PART_BROKEN);
}

static struct archive *
open_as(struct reader *r, enum archive_form form)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	support(a, r, form);
	if (archive_read_open_memory(a, r->octets.at, r->octets.len) ==
	    ARCHIVE_OK)
		return a;
	note_error(r, a);
	(void)archive_read_free(a);
	return NULL;
}

bool
archive_pass(struct reader *r, enum archive_form form)
{
	struct archive *a = open_as(r, form);

	r->n = 0;
	r->is_raw = r->is_at_end = r->is_odd = r->is_full_folder = false;
	if (!a)
		return false;
	read_members(r, a);
	(void)archive_read_free(a);
	return true;
}

static bool
has_octets(const char *at, size_t len)
{
	return len > 0 && (at[0] != 0 || memcmp(at, at + 1, len - 1) != 0);
}

/* One block at offset of the unfolded file. */
static bool
is_telling(const struct reader *r, const char *at, size_t len, uint64_t offset)
{
	const size_t known = offset >= r->used ? 0
			     : r->used - offset >= len
				 ? len
				 : (size_t)(r->used - offset);

	return (offset == 0 && types_magic(at, len)) ||
	       has_octets(at + known, len - known);
}

bool
archive_has_more(struct reader *r)
{
	struct archive *a = open_as(r, FORM_RAW);
	struct archive_entry *entry;
	bool has_more = false;
	const void *block;
	la_int64_t offset;
	size_t len;

	if (!a)
		return false;
	if (archive_read_next_header(a, &entry) == ARCHIVE_OK)
		while (!has_more && r->c->status == READING_COMPLETE &&
		       archive_read_data_block(a, &block, &len, &offset) ==
			   ARCHIVE_OK) {
			has_more = is_telling(r, block, len, (uint64_t)offset);
			if ((uint64_t)offset > r->c->limits->output_bytes)
				cell_status(r->c, READING_TOO_LARGE,
				    "archive larger than budget.output");
		}
	(void)archive_read_free(a);
	return has_more;
}
