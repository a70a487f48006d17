/*
 * worker/archive_rar5.c - see archive_rar5.h (RAR 5.0 archive format, RARLAB
 * technote).
 *
 * A block is CRC32, size of the header, header, data.  A header is type,
 * flags, size of its extra area, size of the data, fields of the type, extra
 * area.  Numbers have seven bits an octet, the lowest first.
 */
#include "worker/archive_rar5.h"

#include <string.h>

#define MARK_BYTES   8
#define CRC_BYTES    4
#define NUMBER_BYTES 10 /* of 64 bits */

#define BLOCK_FILE       2
#define BLOCK_SERVICE    3
#define BLOCK_ENCRYPTION 4 /* of all headers from here on */
#define BLOCK_END        5

#define HEADER_HAS_EXTRA UINT64_C(1)
#define HEADER_HAS_DATA  UINT64_C(2)

#define EXTRA_ENCRYPTION 1 /* in a file's or a service's block */

/* Take a number off the front; false: none is whole there. */
static bool
take_number(struct span *s, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s->len && i < NUMBER_BYTES; i++) {
		const unsigned char c = (unsigned char)s->at[i];

		value |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c & 0x80)
			continue;
		s->at += i + 1;
		s->len -= i + 1;
		*ret = value;
		return true;
	}
	return false;
}

/* Take that many octets off the front into *ret, or false. */
static bool
take_span(struct span *s, uint64_t len, struct span *ret)
{
	if (len > s->len)
		return false;
	*ret = (struct span){s->at, (size_t)len};
	s->at += len;
	s->len -= (size_t)len;
	return true;
}

static bool
has_encryption(struct span extra)
{
	struct span record;
	uint64_t len, type;

	while (take_number(&extra, &len) && take_span(&extra, len, &record))
		if (take_number(&record, &type) && type == EXTRA_ENCRYPTION)
			return true;
	return false;
}

/* What a header says, as far as it matters. */
struct header {
	uint64_t type;
	uint64_t data_bytes;
	struct span extra;
};

static bool
take_header(struct span s, struct header *ret)
{
	uint64_t flags, extra = 0;

	ret->data_bytes = 0;
	if (!take_number(&s, &ret->type) || !take_number(&s, &flags) ||
	    ((flags & HEADER_HAS_EXTRA) && !take_number(&s, &extra)) ||
	    ((flags & HEADER_HAS_DATA) && !take_number(&s, &ret->data_bytes)) ||
	    extra > s.len)
		return false;
	ret->extra = (struct span){s.at + s.len - (size_t)extra, (size_t)extra};
	return true;
}

bool
archive_rar5_is_encrypted(struct span octets)
{
	struct span s = octets, skipped, head;
	struct header h;
	uint64_t len;

	if (s.len < MARK_BYTES || memcmp(s.at, "Rar!\032\007\1", MARK_BYTES))
		return false;
	(void)take_span(&s, MARK_BYTES, &skipped);
	while (take_span(&s, CRC_BYTES, &skipped) && take_number(&s, &len) &&
	       take_span(&s, len, &head) && take_header(head, &h)) {
		if (h.type == BLOCK_ENCRYPTION)
			return true;
		if ((h.type == BLOCK_FILE || h.type == BLOCK_SERVICE) &&
		    has_encryption(h.extra))
			return true;
		if (h.type == BLOCK_END ||
		    !take_span(&s, h.data_bytes, &skipped))
			return false;
	}
	return false;
}
