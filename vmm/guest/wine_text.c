#include "vmm/guest/wine_text.h"

#include <string.h>

/* Append a code point while there is room for all of it. */
static void
put(char *ret, size_t size, size_t *used, uint32_t c)
{
	unsigned char out[3];
	size_t n;

	if (c < 0x80) {
		out[0] = (unsigned char)c;
		n = 1;
	} else if (c < 0x800) {
		out[0] = (unsigned char)(0xc0 | c >> 6);
		out[1] = (unsigned char)(0x80 | (c & 0x3f));
		n = 2;
	} else {
		out[0] = (unsigned char)(0xe0 | c >> 12);
		out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (c & 0x3f));
		n = 3;
	}
	if (*used + n >= size)
		return;
	memcpy(ret + *used, out, n);
	*used += n;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly n digits. */
static bool
hex_digits(const char *at, int n, uint32_t *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		if (hex_digit(at[i]) < 0)
			return false;
		*ret = *ret << 4 | (uint32_t)hex_digit(at[i]);
	}
	return true;
}

/* What follows a backslash. */
static uint32_t
escaped(const char **at, bool is_wide)
{
	static const char letters[] = "nrt0", meant[] = "\n\r\t";
	const char *letter;
	uint32_t c;

	if (is_wide && hex_digits(*at, 4, &c)) {
		*at += 4;
		return c;
	}
	if (**at == 'x' && hex_digits(*at + 1, 2, &c)) {
		*at += 3;
		return c;
	}
	letter = strchr(letters, **at);
	c = letter && **at ? (unsigned char)meant[letter - letters]
			   : (unsigned char)**at;
	*at += **at != '\0';
	return c;
}

bool
wine_text_string(const char **at, char *ret, size_t size)
{
	const char *s = *at;
	const bool is_wide = *s == 'L';
	size_t used = 0;

	s += is_wide;
	if (*s++ != '"')
		return false;
	while (*s && *s != '"') {
		uint32_t c = (unsigned char)*s++;

		if (c == '\\')
			c = escaped(&s, is_wide);
		put(ret, size, &used, c);
	}
	ret[used] = '\0';
	*at = s + (*s == '"');
	return true;
}

bool
wine_text_next(const char **at, char *ret, size_t size)
{
	const char *quote = strchr(*at, '"');

	if (!quote)
		return false;
	*at = quote > *at && quote[-1] == 'L' ? quote - 1 : quote;
	return wine_text_string(at, ret, size);
}

bool
wine_text_number(const char **at, uint64_t *ret)
{
	const char *s = *at;

	*ret = 0;
	if (wine_text_skip(at, "(nil)"))
		return true;
	if (s[0] == '0' && s[1] == 'x')
		s += 2;
	if (hex_digit(*s) < 0)
		return false;
	for (; hex_digit(*s) >= 0; s++)
		*ret = *ret << 4 | (uint64_t)hex_digit(*s);
	*at = s;
	return true;
}

bool
wine_text_skip(const char **at, const char *word)
{
	const size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

const char *
wine_text_argument(const char *at, unsigned int n)
{
	bool is_quoted = false;

	for (; *at && n > 0; at++) {
		if (*at == '\\' && is_quoted && at[1])
			at++;
		else if (*at == '"')
			is_quoted = !is_quoted;
		else if (*at == ',' && !is_quoted)
			n--;
		else if (*at == ')' && !is_quoted)
			return NULL;
	}
	return n == 0 && *at ? at : NULL;
}

void
wine_text_utf16(const unsigned char *at, size_t n, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		const uint32_t c = at[i] | (uint32_t)at[i + 1] << 8;

		if (c == 0)
			break;
		put(ret, size, &used, c);
	}
	ret[used] = '\0';
}
