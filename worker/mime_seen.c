/*
 * worker/mime_seen.c - see mime_seen.h.
 */
#include "worker/mime_seen.h"

#include "worker/mime_budget.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
seen_add(struct mime_seen *seen, const struct seen_leaf *leaf)
{
	if (seen->n_leaves == seen->room) {
		seen->room = seen->room ? 2 * seen->room : 16;
		seen->leaves =
		    realloc(seen->leaves, seen->room * sizeof(*seen->leaves));
		if (!seen->leaves)
			abort();
	}
	seen->leaves[seen->n_leaves++] = *leaf;
}

/* Index of the first leaf that ends behind the octet. */
static size_t
first_after(const struct mime_seen *seen, const char *at)
{
	size_t low = 0, high = seen->n_leaves;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const struct span *s = &seen->leaves[mid].encoded;

		if (s->at + s->len <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct seen_leaf *
seen_at(const struct mime_seen *seen, const char *at)
{
	const size_t i = first_after(seen, at);

	return i < seen->n_leaves && seen->leaves[i].encoded.at == at
		   ? &seen->leaves[i]
		   : NULL;
}

bool
seen_covers(const struct mime_seen *seen, const char *at)
{
	const size_t i = first_after(seen, at);

	return i < seen->n_leaves && seen->leaves[i].encoded.at <= at;
}

void
seen_done(struct mime_seen *seen)
{
	free(seen->leaves);
	seen->leaves = NULL;
}

static bool
is_plain_encoding(const char *value)
{
	static const char *const known[] = {"7bit", "8bit", "binary", "base64",
	    "quoted-printable", "uuencode", "x-uuencode", "x-uue"};
	size_t len;

	value += strspn(value, " \t\r\n");
	len = strcspn(value, " \t\r\n");
	if (value[len + strspn(value + len, " \t\r\n")] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == len &&
		    strncasecmp(value, known[i], len) == 0)
			return true;
	return false;
}

static unsigned
count_word(const char *value, const char *word)
{
	unsigned n = 0;

	for (; (value = strcasestr(value, word)); value += strlen(word))
		n++;
	return n;
}

static bool
is_plain_parameters(const char *value)
{
	unsigned quotes = 0;

	for (const char *p = value; *p; p++) {
		const unsigned char c = (unsigned char)*p;

		if (c == '"')
			quotes++;
		else if (c >= 0x7f || c == '\\' || c == '(' || c == '*' ||
			 (c < 0x20 && !strchr("\t\r\n", c)))
			return false;
	}
	/* An equals sign has a name and a value on its line, unquoted. */
	if (quotes % 2 || strstr(value, "=?") || strstr(value, "= ") ||
	    strstr(value, " =") || strstr(value, "=\n"))
		return false;
	return count_word(value, "boundary") <= 1 &&
	       count_word(value, "name=") <= 1;
}

static bool
is_plain_type(const char *value)
{
	size_t len;

	value += strspn(value, " \t\r\n");
	len = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789-+._/");
	if (strncasecmp(value, "multi", 5) == 0 &&
	    strncasecmp(value, "multipart/", 10) != 0)
		return false;
	value += len;
	return len > 0 &&
	       (*value == ';' || value[strspn(value, " \t\r\n")] == '\0' ||
		   value[strspn(value, " \t\r\n")] == ';');
}

bool
seen_is_plain(const char *name, const char *value)
{
	if (strcasecmp(name, "Content-Transfer-Encoding") == 0)
		return is_plain_encoding(value);
	if (!is_plain_parameters(value))
		return false;
	return strcasecmp(name, "Content-Type") != 0 || is_plain_type(value);
}

/* The last line without its end; rest is what stands before it. */
static struct span
last_line(struct span *rest)
{
	const char *end = rest->at + rest->len;
	const char *nl;

	if (end > rest->at && end[-1] == '\n')
		end--;
	if (end > rest->at && end[-1] == '\r')
		end--;
	nl = memrchr(rest->at, '\n', (size_t)(end - rest->at));
	rest->len = nl ? (size_t)(nl + 1 - rest->at) : 0;
	return (struct span){
	    rest->at + rest->len, (size_t)(end - rest->at) - rest->len};
}

/* A continuation line, and something is on it. */
static bool
is_fold(struct span line)
{
	if (line.at[0] != ' ' && line.at[0] != '\t')
		return false;
	for (size_t i = 1; i < line.len; i++)
		if ((unsigned char)line.at[i] > ' ')
			return true;
	return false;
}

bool
seen_is_plain_head(struct span gap)
{
	if (last_line(&gap).len > 0)
		return false;
	while (gap.len > 0) {
		const struct span line = last_line(&gap);

		if (line.len == 0 ||
		    (line.len > 1 && line.at[0] == '-' && line.at[1] == '-'))
			return true;
		if (gap.len == 0 && line.len > 4 &&
		    memcmp(line.at, "From ", 5) == 0)
			return true;
		if (!is_fold(line) && !mime_is_field(line.at, line.len))
			return false;
	}
	return true;
}
