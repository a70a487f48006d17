/*
 * common/utf8.h - which octets are UTF-8 (RFC 3629), for all who must not
 * pass on what isn't: journal, reading, report, and the agent in a guest.
 */
#ifndef SLUICE_COMMON_UTF8_H
#define SLUICE_COMMON_UTF8_H

#include <stddef.h>

/*
 * The length of the well-formed character at s, of which n octets (at least
 * one) may be read; 0: there is none.  Of a text that ends with a NUL n may be
 * SIZE_MAX: nothing behind the NUL is read.
 */
static inline size_t
utf8_length(const void *s, size_t n)
{
	const unsigned char *p = s;
	const size_t want = *p < 0x80   ? 1
			    : *p < 0xc2 ? 0
			    : *p < 0xe0 ? 2
			    : *p < 0xf0 ? 3
			    : *p < 0xf5 ? 4
					: 0;

	if (want > n)
		return 0;
	for (size_t i = 1; i < want; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0; /* overlong, a surrogate, or above U+10FFFF */
	return want;
}

#endif
