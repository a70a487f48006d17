/*
 * worker/reading.c - decode what a cell left behind; trusts no number of it.
 */
#include "worker/reading.h"

#include "common/cleanup.h"
#include "common/utf8.h"
#include "worker/reading_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_WRITE)

/* The strings that are still to be taken. */
struct cursor {
	const char *at;
	const char *end;
};

struct reading *
reading_free(struct reading *reading)
{
	if (!reading)
		return NULL;
	if (reading->map)
		(void)munmap(
		    (void *)(uintptr_t)reading->map, reading->map_bytes);
	free(reading->parts);
	free(reading);
	return NULL;
}

void
reading_freep(struct reading **reading)
{
	*reading = reading_free(*reading);
}

static bool
is_clean_text(const char *s, size_t len)
{
	const unsigned char *at = (const unsigned char *)s;

	while (len > 0) {
		const size_t n = utf8_length(at, len);

		if (n == 0 || at[0] < 0x20 || at[0] == 0x7f)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

/* Take one string of at most max octets: valid UTF-8 without controls. */
static int
take_string(struct cursor *c, size_t max, const char **ret)
{
	const size_t left = (size_t)(c->end - c->at);
	const size_t look = left < max + 1 ? left : max + 1;
	const size_t len = strnlen(c->at, look);

	if (len == look || !is_clean_text(c->at, len))
		return -EBADMSG;
	*ret = c->at;
	c->at += len + 1;
	return 0;
}

/* n strings, one after the other; *ret_names is the first. */
static int
take_names(struct cursor *c, uint32_t n, size_t max, const char **ret_names)
{
	const char *first = "";

	for (uint32_t i = 0; i < n; i++) {
		const char *name;
		const int r = take_string(c, max, &name);

		if (r < 0)
			return r;
		if (i == 0)
			first = name;
	}
	*ret_names = first;
	return 0;
}

static bool
is_record_sane(
    const struct reading_record *rec, int64_t index, uint64_t blobs_end)
{
	if (rec->parent < -1 || rec->parent >= index)
		return false;
	if (rec->view >= VIEW_COUNT || (rec->flags & ~PART_FLAGS) != 0)
		return false;
	if (rec->off == 0)
		return rec->bytes == 0;
	return rec->off >= READING_HEAD_BYTES && rec->off <= blobs_end &&
	       rec->bytes <= blobs_end - rec->off &&
	       !(rec->flags & PART_NO_CONTENT);
}

static int
take_part(struct reading *r, size_t index, const struct reading_head *head,
    struct cursor *c)
{
	struct reading_part *part = &r->parts[index];
	struct reading_record rec;
	int err;

	memcpy(
	    &rec, r->map + head->parts_off + index * sizeof(rec), sizeof(rec));
	if (!is_record_sane(&rec, (int64_t)index, head->parts_off))
		return -EBADMSG;
	part->off = rec.off;
	part->bytes = rec.bytes;
	part->parent = rec.parent;
	part->depth = rec.depth;
	part->view = rec.view;
	part->flags = rec.flags;
	part->n_names = rec.n_names;
	err = rec.n_names > READING_NAMES_MAX
		  ? -EBADMSG
		  : take_names(c, rec.n_names, READING_NAME_MAX, &part->names);
	if (err == 0)
		err = take_string(c, READING_NAME_MAX, &part->declared);
	if (err == 0)
		err = take_string(c, READING_NAME_MAX, &part->type);
	return err;
}

/* Everything of the head that can be checked by itself. */
static int
check_head(const struct reading_head *head, uint64_t bytes)
{
	const uint64_t records =
	    (uint64_t)head->n_parts * sizeof(struct reading_record);

	if (head->magic == 0)
		return -ENODATA;
	if (head->magic != READING_MAGIC || head->pad)
		return -EBADMSG;
	if (head->n_parts > READING_PARTS_MAX || head->hold > 1 ||
	    head->n_links > READING_LINKS_MAX || head->links_cut > 1 ||
	    head->status >= READING_STATUS_COUNT ||
	    (head->ambiguity & ~AMBIGUOUS_BITS) != 0)
		return -EBADMSG;
	if (head->parts_off < READING_HEAD_BYTES || head->parts_off > bytes ||
	    records > bytes - head->parts_off ||
	    head->strings_off != head->parts_off + records ||
	    head->strings_bytes != bytes - head->strings_off)
		return -EBADMSG;
	return 0;
}

static int
decode(struct reading *r)
{
	struct reading_head head;
	struct cursor c;
	int err;

	memcpy(&head, r->map, sizeof(head));
	err = check_head(&head, r->map_bytes);
	if (err < 0)
		return err;
	r->status = (enum reading_status)head.status;
	r->ambiguity = head.ambiguity;
	r->hold = head.hold != 0;
	r->n_parts = head.n_parts;
	r->parts = calloc(head.n_parts ? head.n_parts : 1, sizeof(*r->parts));
	if (!r->parts)
		return -ENOMEM;
	c.at = r->map + head.strings_off;
	c.end = c.at + head.strings_bytes;
	for (size_t i = 0; err == 0 && i < r->n_parts; i++)
		err = take_part(r, i, &head, &c);
	if (err == 0)
		err = take_string(&c, READING_TEXT_MAX, &r->text);
	r->n_links = head.n_links;
	r->links_cut = head.links_cut != 0;
	if (err == 0)
		err = take_names(&c, r->n_links, READING_LINK_MAX, &r->links);
	return err;
}

static int
check_seals(int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return errno == EINVAL ? -EPERM : -errno;
	return (seals & SEALS_NEEDED) == SEALS_NEEDED ? 0 : -EPERM;
}

int
reading_open(int fd, struct reading **ret_reading)
{
	CLEANUP(reading_freep) struct reading *r = NULL;
	struct stat st;
	void *map;
	int err = check_seals(fd);

	if (err < 0)
		return err;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < READING_HEAD_BYTES)
		return -ENODATA;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r->map = map;
	r->map_bytes = (size_t)st.st_size;
	r->text = "";
	err = decode(r);
	if (err < 0)
		return err;
	*ret_reading = TAKE_PTR(r);
	return 0;
}

const char *
reading_view_name(enum reading_view view)
{
	static const char *const names[VIEW_COUNT] = {
	    [VIEW_MIME] = "mime",
	    [VIEW_FIRST] = "first",
	    [VIEW_LAST] = "last",
	    [VIEW_BOUNDARY] = "boundary",
	    [VIEW_OUTSIDE] = "outside",
	    [VIEW_CARVED] = "carved",
	    [VIEW_ARCHIVE] = "archive",
	};

	assert(view < VIEW_COUNT);
	return names[view];
}

const char *
reading_status_text(enum reading_status status)
{
	static const char *const texts[READING_STATUS_COUNT] = {
	    [READING_COMPLETE] = "complete",
	    [READING_TOO_DEEP] = "too deep",
	    [READING_TOO_MANY] = "too many parts",
	    [READING_TOO_LARGE] = "too large",
	    [READING_HEADERS] = "too many headers",
	    [READING_FAILED] = "failed",
	};

	assert(status < READING_STATUS_COUNT);
	return texts[status];
}

char *
reading_ambiguity_text(uint32_t bits, char *buf, size_t size)
{
	static const char *const names[] = {"type", "encoding", "boundary",
	    "name", "outside", "carved", "archive"};
	size_t used = 0;

	assert(size > 0);
	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int n;

		if (!(bits & UINT32_C(1) << i) || used >= size)
			continue;
		n = snprintf(
		    buf + used, size - used, "%s%s", used ? " " : "", names[i]);
		used += n > 0 ? (size_t)n : 0;
	}
	return buf;
}
