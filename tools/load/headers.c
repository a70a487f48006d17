/* tools/load/headers.c - header lines as sendmail tells them from body. */
#include "headers.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool
is_field(const char *line, size_t len)
{
	size_t i = 0;

	if (len >= 2 && line[0] == '-' && line[1] == '-')
		return false; /* a MIME boundary, whatever follows */
	while (i < len && line[i] > ' ' && line[i] != ':')
		i++; /* bytes above 127 are negative here and end the name */
	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i < len && line[i] == ':';
}

enum header_kind
header_line(const char *line, size_t len, bool is_first)
{
	if (len == 0 || line[0] == '\n' ||
	    (len >= 2 && line[0] == '\r' && line[1] == '\n'))
		return HEADER_BLANK;
	if (line[0] == ' ' || line[0] == '\t')
		return is_first ? HEADER_BODY : HEADER_FIELD;
	if (is_first && len >= 5 && memcmp(line, "From ", 5) == 0)
		return HEADER_FIELD;
	return is_field(line, len) ? HEADER_FIELD : HEADER_BODY;
}

/* The length of a field with its continuation lines. */
static size_t
field_length(const char *p, size_t len)
{
	size_t used = 0;

	while (used < len) {
		const char *nl = memchr(p + used, '\n', len - used);

		used = nl ? (size_t)(nl - p) + 1 : len;
		if (used < len && p[used] != ' ' && p[used] != '\t')
			break;
	}
	return used;
}

/* Copy without line ends; runs of blanks become one. */
static void
unfold(const char *p, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < cap; i++) {
		const unsigned char c = (unsigned char)p[i];

		if (!isspace(c))
			out[n++] = (char)c;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

bool
header_value(const char *block, size_t len, const char *name, bool want_first,
    char *ret_value, size_t cap)
{
	const size_t name_len = strlen(name);
	bool found = false;

	while (len > 0) {
		const size_t n = field_length(block, len);

		if (n > name_len && block[name_len] == ':' &&
		    strncasecmp(block, name, name_len) == 0) {
			unfold(block + name_len + 1, n - name_len - 1,
			    ret_value, cap);
			found = true;
			if (want_first)
				break;
		}
		block += n;
		len -= n;
	}
	return found;
}
