/*
 * worker/mime_budget.c - see mime_budget.h.
 */
#include "worker/mime_budget.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Of one line; each one more costs the reader as much as a header line. */
#define PARAMETERS 16

enum where { IN_BODY, IN_HEADER };

struct count {
	uint32_t headers;
	uint32_t delimiters;
	uint32_t boundaries; /* parameters that declare one */
	enum where where;
	bool is_message; /* this header block announces another one */
};

bool
mime_is_field(const char *at, size_t len)
{
	size_t i = 0;

	while (i < len && at[i] > ' ' && at[i] < 127 && at[i] != ':')
		i++;
	return i > 0 && i < len && at[i] == ':';
}

static bool
has_word(const char *at, size_t len, const char *word)
{
	const size_t n = strlen(word);

	for (; len >= n; at++, len--)
		if ((*at | 32) == *word && strncasecmp(at, word, n) == 0)
			return true;
	return false;
}

static void
count_parameters(struct count *n, const char *at, size_t len)
{
	const char *const end = at + len;
	uint32_t found = 0;

	while ((at = memchr(at, ';', (size_t)(end - at)))) {
		at++;
		found++;
	}
	if (found > PARAMETERS)
		n->headers += found - PARAMETERS;
}

static void
count_header_line(struct count *n, const char *at, size_t len)
{
	if (len == 0) {
		/* After a message type the next block is a header again. */
		n->where = n->is_message ? IN_HEADER : IN_BODY;
		n->is_message = false;
		return;
	}
	n->headers++;
	if ((at[0] | 32) != 'c' && at[0] != ' ' && at[0] != '\t')
		return;
	count_parameters(n, at, len);
	n->is_message |= has_word(at, len, "message/");
	if (has_word(at, len, "boundary"))
		n->boundaries++;
}

static void
count_line(struct count *n, const char *at, size_t len)
{
	if (len > 0 && at[len - 1] == '\r')
		len--;
	if (len > 1 && at[0] == '-' && at[1] == '-') {
		n->delimiters++;
		n->where = IN_HEADER;
		n->is_message = false;
	} else if (n->where == IN_HEADER) {
		count_header_line(n, at, len);
		if (len > 0 && at[0] != ' ' && at[0] != '\t' &&
		    !mime_is_field(at, len))
			n->where = IN_BODY;
	}
}

/* Every line that begins with "--" may be prose or a patch: parts cost only
 * what was declared to be a delimiter. */
static bool
has_too_many_parts(const struct count *n, uint32_t limit)
{
	return n->boundaries > limit ||
	       (n->boundaries > 0 && n->delimiters > 4 * (limit + 1));
}

bool
mime_within_budget(struct cell *c, struct span octets)
{
	const char *const end = octets.at + octets.len;
	struct count n = {.where = IN_HEADER};

	for (const char *at = octets.at, *next; at < end; at = next) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		next = nl ? nl + 1 : end;
		count_line(&n, at, (size_t)((nl ? nl : end) - at));
	}
	c->headers += n.headers;
	if (c->headers > c->limits->headers) {
		cell_status(c, READING_HEADERS, "more than budget.headers");
		return false;
	}
	if (has_too_many_parts(&n, c->limits->parts)) {
		cell_status(c, READING_TOO_MANY, "more than budget.parts");
		return false;
	}
	return true;
}

bool
mime_has_odd_octets(struct span octets)
{
	const char *const end = octets.at + octets.len;
	const char *at = octets.at;

	if (memchr(at, '\0', octets.len))
		return true;
	while ((at = memchr(at, '\r', (size_t)(end - at)))) {
		at++;
		if (at == end || *at != '\n')
			return true;
	}
	return false;
}

bool
mime_looks_like_mail(struct span octets, bool is_declared)
{
	const char *const end = octets.at + octets.len;
	bool has_content = false;
	unsigned fields = 0;

	for (const char *at = octets.at, *next; at < end; at = next) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((nl ? nl : end) - at);

		next = nl ? nl + 1 : end;
		if (len > 0 && at[len - 1] == '\r')
			len--;
		if (len == 0)
			break;
		if (at[0] == ' ' || at[0] == '\t' ||
		    (fields == 0 && strncmp(at, "From ", 5) == 0))
			continue;
		if (!mime_is_field(at, len))
			break;
		fields++;
		if (len > 13 && strncasecmp(at, "content-", 8) == 0 &&
		    strchr("tTdD", at[8]))
			has_content = true;
	}
	return fields > 0 && (is_declared || has_content);
}
