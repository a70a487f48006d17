/*
 * worker/archive_zip.c - see archive_zip.h (PKWARE APPNOTE 4.3).
 */
#include "worker/archive_zip.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define END_BYTES     22 /* end of central directory, without comment */
#define ENTRY_BYTES   46 /* an entry of it, without names */
#define LOCAL_BYTES   30
#define COMMENT_BYTES 65535
#define GAP_BYTES     26 /* a data descriptor between members, and slack */
#define SLACK         2  /* overlap of members that honest writers produce */
#define LARGE         UINT32_C(0xffffffff) /* the value is elsewhere: zip64 */

/* Extra fields: their own head, then those of Info-ZIP's Unicode path, which
 * takes the name's place (APPNOTE 4.6.9). */
#define FIELD_BYTES  4
#define UNICODE_PATH 0x7075
#define PATH_BYTES   5      /* version and CRC before the path */
#define SLACK_BYTES  131072 /* name and fields of one header */
#define ENDING_MAX   16     /* no program is started by a longer one */

struct member {
	size_t start; /* local header */
	size_t end;   /* of its data */
};

struct zip {
	struct span octets;
	size_t entries; /* offset of the central directory */
	size_t stop;    /* where its end record is */
	size_t base;    /* what was put in front of the archive */
	size_t n;
	bool has_gaps; /* octets that belong to no member */
	struct member *members;
};

static uint32_t
get16(const char *at)
{
	const uint8_t *p = (const uint8_t *)at;

	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t
get32(const char *at)
{
	return get16(at) | get16(at + 2) << 16;
}

/* The last end record whose comment reaches the end, or about so. */
static bool
find_end(struct zip *z)
{
	const char *const start = z->octets.at;
	const size_t least = z->octets.len > COMMENT_BYTES + END_BYTES
				 ? z->octets.len - COMMENT_BYTES - END_BYTES
				 : 0;

	if (z->octets.len < END_BYTES)
		return false;
	for (size_t n = z->octets.len - END_BYTES + 1; n > least;) {
		const char *p = memrchr(start + least, 'P', n - least);

		if (!p)
			return false;
		n = (size_t)(p - start);
		if (memcmp(p, "PK\5\6", 4) == 0) {
			z->stop = n;
			return true;
		}
	}
	return false;
}

/* False: zip64 or nonsense, which libarchive judges alone. */
static bool
read_end(struct zip *z)
{
	const char *end = z->octets.at + z->stop;
	const uint32_t bytes = get32(end + 12), off = get32(end + 16);

	z->n = get16(end + 10);
	if (z->n == 0xffff || bytes == LARGE || off == LARGE)
		return false;
	if (bytes > z->stop || off > z->stop - bytes)
		return false;
	z->entries = z->stop - bytes;
	z->base = z->entries - off;
	return true;
}

/* Does the local header say what the directory's entry says? */
static bool
is_same(const char *entry, const char *local, size_t name_room)
{
	const uint32_t name = get16(entry + 28);
	const bool is_late = (get16(entry + 8) & 8) != 0;

	if (get16(entry + 10) != get16(local + 8) ||
	    (get16(entry + 8) & 1) != (get16(local + 6) & 1))
		return false;
	if (get16(local + 26) != name || name > name_room ||
	    memcmp(entry + ENTRY_BYTES, local + LOCAL_BYTES, name) != 0)
		return false;
	/* With a data descriptor the sizes stand behind the data. */
	return is_late || get32(local + 18) == LARGE ||
	       (get32(entry + 20) == get32(local + 18) &&
		   get32(entry + 24) == get32(local + 22));
}

/* One entry at offset at; the next one's offset, or 0: they disagree. */
static size_t
check_entry(struct zip *z, size_t at, struct member *ret)
{
	const char *const start = z->octets.at;
	const char *entry = start + at;
	size_t local, names;

	if (z->stop - at < ENTRY_BYTES || memcmp(entry, "PK\1\2", 4) != 0)
		return 0;
	names =
	    (size_t)get16(entry + 28) + get16(entry + 30) + get16(entry + 32);
	if (names > z->stop - at - ENTRY_BYTES)
		return 0;
	local = z->base + get32(entry + 42);
	if (local > z->entries || z->entries - local < LOCAL_BYTES ||
	    memcmp(start + local, "PK\3\4", 4) != 0)
		return 0;
	if (!is_same(entry, start + local, z->entries - local - LOCAL_BYTES))
		return 0;
	ret->start = local;
	ret->end = local + LOCAL_BYTES + get16(start + local + 26) +
		   get16(start + local + 28) + get32(entry + 20);
	return ret->end <= z->entries ? at + ENTRY_BYTES + names : 0;
}

static int
by_start(const void *a, const void *b)
{
	const struct member *m = a, *n = b;

	return (m->start > n->start) - (m->start < n->start);
}

static bool
has_member(const struct zip *z, size_t from, size_t to)
{
	return from < to &&
	       memmem(z->octets.at + from, to - from, "PK\3\4", 4) != NULL;
}

/* Local headers that the directory doesn't know, members in each other. */
static bool
is_hiding(struct zip *z)
{
	size_t at = 0;

	qsort(z->members, z->n, sizeof(*z->members), by_start);
	for (size_t i = 0; i < z->n; i++) {
		if (z->members[i].start + SLACK < at ||
		    has_member(z, at, z->members[i].start))
			return true;
		if (z->members[i].start > at + GAP_BYTES)
			z->has_gaps = true;
		at = z->members[i].end;
	}
	if (z->entries > at + GAP_BYTES)
		z->has_gaps = true;
	return has_member(z, at, z->entries) ||
	       has_member(z, z->stop, z->octets.len);
}

static bool
is_consistent(struct zip *z)
{
	size_t at = z->entries, i;

	for (i = 0; i < z->n; i++) {
		at = check_entry(z, at, &z->members[i]);
		if (at == 0)
			return false;
	}
	return at == z->stop && !is_hiding(z);
}

enum zip_tables
archive_zip_tables(struct span octets)
{
	struct zip z = {.octets = octets};
	bool agrees;

	if (octets.len < 4 || memcmp(octets.at, "PK", 2) != 0 ||
	    !find_end(&z) || !read_end(&z))
		return ZIP_UNKNOWN;
	z.members = calloc(z.n + 1, sizeof(*z.members));
	if (!z.members)
		abort();
	agrees = is_consistent(&z);
	free(z.members);
	if (!agrees)
		return ZIP_DIFFERS;
	return z.has_gaps ? ZIP_UNKNOWN : ZIP_AGREES;
}

size_t
archive_zip_tail(struct span octets)
{
	const char *const start = octets.at;

	for (size_t n = octets.len; n >= END_BYTES;) {
		const char *p = memrchr(start, 'P', n - (END_BYTES - 1));

		if (!p)
			break;
		if (memcmp(p, "PK\5\6", 4) == 0)
			return (size_t)(p - start) + END_BYTES;
		n = (size_t)(p - start) + END_BYTES - 1;
	}
	return octets.len;
}

bool
archive_zip_is_at_end(struct span octets, bool *ret_is_exact)
{
	struct zip z = {.octets = octets};
	size_t entries, end;

	if (!find_end(&z))
		return false;
	entries = get32(octets.at + z.stop + 12);
	if (entries < ENTRY_BYTES || entries > z.stop ||
	    memcmp(octets.at + z.stop - entries, "PK\1\2", 4) != 0)
		return false;
	end = z.stop + END_BYTES + get16(octets.at + z.stop + 20);
	*ret_is_exact = octets.len <= end + SLACK;
	return true;
}

/* What decides how a file is opened: behind the last dot of its last name. */
static struct span
ending(struct span name)
{
	size_t i = name.len;

	while (i > 0 && !strchr("./\\", name.at[i - 1]))
		i--;
	if (i == 0 || name.at[i - 1] != '.')
		i = name.len;
	return (struct span){name.at + i, name.len - i};
}

/* ASCII, and nothing that writers put where a character set has no letter. */
static bool
is_plain(struct span s)
{
	if (s.len == 0 || s.len > ENDING_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isascii((unsigned char)s.at[i]) ||
		    (s.at[i] && strchr("?_#%", s.at[i])))
			return false;
	return true;
}

/* By their endings, in whatever character sets. */
static bool
is_other_kind(struct span a, struct span b)
{
	return (is_plain(a) || is_plain(b)) &&
	       (a.len != b.len || strncasecmp(a.at, b.at, a.len) != 0);
}

/* Is one of these extra fields a path, and that of another kind than name? */
static bool
extra_renames(struct span name, struct span extra)
{
	name = ending(name);
	while (extra.len >= FIELD_BYTES) {
		const size_t bytes = get16(extra.at + 2);
		const char *at = extra.at + FIELD_BYTES;

		if (bytes > extra.len - FIELD_BYTES)
			return false;
		if (get16(extra.at) == UNICODE_PATH && bytes > PATH_BYTES &&
		    is_other_kind(name, ending((struct span){at + PATH_BYTES,
					    bytes - PATH_BYTES})))
			return true;
		extra.at = at + bytes;
		extra.len -= FIELD_BYTES + bytes;
	}
	return false;
}

/* Headers may lie in each other, but honest ones take no more than the file
 * has: beyond that it is a file that only wastes time.
 *
 * head: octets of a header before the name, whose length is at lengths and
 * that of its extra fields behind it. */
static bool
some_renames(struct span octets, const char *mark, size_t head, size_t lengths)
{
	const char *const end = octets.at + octets.len;
	const char *at = octets.at;
	size_t budget = octets.len + SLACK_BYTES;

	while ((at = memmem(at, (size_t)(end - at), mark, 4))) {
		const size_t room = (size_t)(end - at);
		struct span name, extra;

		if (room < head)
			return false;
		name = (struct span){at + head, get16(at + lengths)};
		extra =
		    (struct span){name.at + name.len, get16(at + lengths + 2)};
		at += 4;
		if (name.len + extra.len > room - head)
			continue;
		if (name.len + extra.len > budget || extra_renames(name, extra))
			return true;
		budget -= name.len + extra.len;
	}
	return false;
}

bool
archive_zip_renames(struct span octets)
{
	return some_renames(octets, "PK\1\2", ENTRY_BYTES, 28) ||
	       some_renames(octets, "PK\3\4", LOCAL_BYTES, 26);
}
