/*
 * worker/names_text.c - octets of a mail as clean UTF-8.
 */
#include "worker/names_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Length and value of the UTF-8 sequence (RFC 3629) at s, or 0. */
static size_t
utf8_take(const unsigned char *s, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = 1;
	uint32_t value = s[0];

	if (s[0] >= 0xf0 && s[0] < 0xf5)
		n = 4, value = s[0] & 0x07;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		n = 3, value = s[0] & 0x0f;
	else if (s[0] >= 0xc2 && s[0] < 0xe0)
		n = 2, value = s[0] & 0x1f;
	else if (s[0] >= 0x80)
		return 0;
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (s[i] & 0x3f);
	}
	if (value < least[n] || value > 0x10ffff ||
	    (value >= 0xd800 && value < 0xe000))
		return 0;
	*ret = value;
	return n;
}

size_t
text_put(char out[5], uint32_t v)
{
	if (v < 0x80) {
		out[0] = (char)v;
		return 1;
	}
	if (v < 0x800) {
		out[0] = (char)(0xc0 | v >> 6);
		out[1] = (char)(0x80 | (v & 0x3f));
		return 2;
	}
	if (v < 0x10000) {
		out[0] = (char)(0xe0 | v >> 12);
		out[1] = (char)(0x80 | (v >> 6 & 0x3f));
		out[2] = (char)(0x80 | (v & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | v >> 18);
	out[1] = (char)(0x80 | (v >> 12 & 0x3f));
	out[2] = (char)(0x80 | (v >> 6 & 0x3f));
	out[3] = (char)(0x80 | (v & 0x3f));
	return 4;
}

/* Characters that turn, hide or join others when they are shown. */
static bool
is_invisible(uint32_t v)
{
	return (v >= 0x80 && v < 0xa0) || v == 0xad || v == 0x61c ||
	       v == 0x180e || (v >= 0x200b && v <= 0x200f) ||
	       (v >= 0x2028 && v <= 0x202e) || (v >= 0x2060 && v <= 0x206f) ||
	       v == 0xfeff || (v >= 0xe0000 && v <= 0xe007f);
}

/* One character as it is to stand, or as \xNN or \u{NNNN}. */
static size_t
show(char out[16], uint32_t v)
{
	if (v < 0x20 || v == 0x7f)
		return (size_t)snprintf(out, 16, "\\x%02X", v & 0xff);
	if (is_invisible(v))
		return (size_t)snprintf(out, 16, "\\u{%04X}", v & 0xfffff);
	return text_put(out, v);
}

size_t
text_clean(char *buf, size_t size, const char *raw, size_t len)
{
	const unsigned char *s = (const unsigned char *)raw;
	size_t used = 0;

	while (len > 0) {
		char one[16];
		uint32_t v = s[0];
		size_t n = utf8_take(s, len, &v);
		size_t shown;

		if (n == 0)
			n = 1, v = s[0]; /* Latin-1 */
		shown = show(one, v);
		if (used + shown >= size)
			break;
		memcpy(buf + used, one, shown);
		used += shown;
		s += n;
		len -= n;
	}
	buf[used] = '\0';
	return used;
}

size_t
text_visible(char *out, const char *raw, size_t len)
{
	const unsigned char *s = (const unsigned char *)raw;
	size_t used = 0, n;

	for (size_t at = 0; at < len; at += n) {
		uint32_t v = s[at];

		n = utf8_take(s + at, len - at, &v);
		if (n == 0)
			n = 1; /* Latin-1 */
		if (v < 0x20 || v == 0x7f || is_invisible(v))
			continue;
		memmove(out + used, raw + at, n);
		used += n;
	}
	return used;
}
