/*
 * worker/names_word.c - encoded words (RFC 2047) and UTF-16.
 */
#include "worker/mime_codec.h"
#include "worker/names_text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WORD_OCTETS (size_t)2048 /* of one word's text: all of a name's */

static size_t
from_utf16(const char *raw, size_t len, bool is_big, char *out, size_t size)
{
	const unsigned char *s = (const unsigned char *)raw;
	size_t used = 0;

	for (size_t i = 0; i + 1 < len && used + 4 < size; i += 2) {
		uint32_t v = is_big ? (uint32_t)s[i] << 8 | s[i + 1]
				    : (uint32_t)s[i + 1] << 8 | s[i];

		if (v == 0xfeff)
			continue;
		if (v >= 0xd800 && v < 0xe000)
			v = 0xfffd; /* names need no rarer characters */
		used += text_put(out + used, v);
	}
	return used;
}

/* Without a mark of the order the last character tells: it belongs to the
 * ending, which is ASCII if it is one that matters. */
static bool
is_big_endian(const char *raw, size_t len)
{
	for (size_t i = len & ~(size_t)1; i >= 2; i -= 2)
		if ((raw[i - 2] == 0) != (raw[i - 1] == 0))
			return raw[i - 2] == 0;
	return true;
}

/* "ESC ( B": its length at raw, or 0. */
static size_t
switch_length(const char *raw, size_t len)
{
	size_t n = 1;

	if (len == 0 || raw[0] != '\033')
		return 0;
	while (n < len && raw[n] >= '$' && raw[n] <= '/')
		n++;
	return n > 1 && n < len && raw[n] >= '0' && raw[n] <= '~' ? n + 1 : 0;
}

size_t
names_unescape(const char *raw, size_t len, char *out)
{
	bool has_switched = false;
	size_t used = 0;

	for (size_t i = 0; i < len;) {
		const size_t n = switch_length(raw + i, len - i);

		has_switched |= n > 0;
		i += n;
		if (n > 0)
			continue;
		if (!has_switched || (raw[i] != '\016' && raw[i] != '\017'))
			out[used++] = raw[i];
		i++;
	}
	return used;
}

static bool
is_charset(const char *charset, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(charset, name, len) == 0;
}

/* Is it neither absent nor one whose controls are controls? */
static bool
is_old_charset(const char *charset, size_t len)
{
	static const char *const plain[] = {
	    "utf-8", "utf8", "us-ascii", "ascii"};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (is_charset(charset, len, plain[i]))
			return false;
	return len > 0;
}

static size_t
from_old_charset(const char *raw, size_t len, char *out)
{
	const size_t used = names_unescape(raw, len, out);

	for (size_t i = 0; i < used; i++)
		if ((unsigned char)out[i] >= 0x80 &&
		    (unsigned char)out[i] < 0xa0)
			out[i] = '?';
	return used;
}

size_t
names_charset(const char *charset, size_t charset_len, const char *raw,
    size_t len, char *out, size_t size)
{
	bool is_big = true;

	if (charset_len < 6 || strncasecmp(charset, "utf-16", 6) != 0) {
		len = len < size ? len : size;
		if (is_old_charset(charset, charset_len))
			return from_old_charset(raw, len, out);
		memmove(out, raw, len);
		return len;
	}
	if (charset_len >= 8)
		is_big = (charset[6] | 32) == 'b';
	else if (len >= 2 && (memcmp(raw, "\xff\xfe", 2) == 0 ||
				 memcmp(raw, "\xfe\xff", 2) == 0))
		is_big = (unsigned char)raw[0] != 0xff;
	else
		is_big = is_big_endian(raw, len);
	return from_utf16(raw, len, is_big, out, size);
}

/* The text of a word between its last two question marks. */
static size_t
decode_word(char kind, const char *text, size_t len, char *out)
{
	if (len > WORD_OCTETS)
		len = WORD_OCTETS;
	if ((kind | 32) == 'b')
		return codec_base64(text, len, BASE64_RESTART, out, NULL);
	len = codec_qp(text, len, QP_KEEP, out, NULL);
	for (size_t i = 0; i < len; i++)
		if (out[i] == '_')
			out[i] = ' ';
	return len;
}

/* "=?charset?B?text?=" at raw: its length, decoded into out; or 0. */
static size_t
take_word(const char *raw, size_t len, char *out, size_t size, size_t *ret_used)
{
	char text[WORD_OCTETS + 8];
	const char *const end = raw + len;
	const char *kind, *stop;
	size_t n;

	if (len < 8 || raw[0] != '=' || raw[1] != '?')
		return 0;
	kind = memchr(raw + 2, '?', len - 2);
	if (!kind || end - kind < 4 || kind[2] != '?')
		return 0;
	stop = memmem(kind + 3, (size_t)(end - kind) - 3, "?=", 2);
	if (!stop)
		return 0;
	n = decode_word(kind[1], kind + 3, (size_t)(stop - kind) - 3, text);
	*ret_used = names_charset(
	    raw + 2, (size_t)(kind - raw) - 2, text, n, out, size);
	return (size_t)(stop + 2 - raw);
}

size_t
names_words(const char *raw, size_t len, char *out, size_t size)
{
	size_t used = 0;
	bool after_word = false;

	for (size_t i = 0; i < len && used < size;) {
		size_t got = 0;
		const size_t n =
		    take_word(raw + i, len - i, out + used, size - used, &got);

		if (n > 0) {
			i += n;
			used += got;
			after_word = true;
			continue;
		}
		/* White space between two words is none. */
		if (after_word) {
			size_t k = i;

			while (k < len && strchr(" \t\r\n", raw[k]) && raw[k])
				k++;
			after_word = false;
			if (k + 1 < len && raw[k] == '=' && raw[k + 1] == '?') {
				i = k;
				continue;
			}
		}
		out[used++] = raw[i++];
	}
	return used;
}
