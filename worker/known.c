#include "worker/known.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"

struct row {
	struct digest digest;
	bool is_malicious;
	unsigned int line;
};

struct known {
	struct row *rows;
	size_t n, room;
};

DEFINE_CLEANUP(struct known *, known_free);

/* The next word of [*at, end), or NULL; a # begins a comment. */
static const char *
next_word(const char **at, const char *end, size_t *ret_len)
{
	const char *p = *at;

	while (p < end && strchr(BLANKS, *p))
		p++;
	*at = p;
	while (*at < end && !strchr(BLANKS "#", **at))
		(*at)++;
	*ret_len = (size_t)(*at - p);
	return *ret_len > 0 ? p : NULL;
}

static bool
is_word(const char *at, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(at, word, len) == 0;
}

/* NULL: it is fine, and *ret is filled unless the line is empty. */
static const char *
read_line(const char *at, const char *end, struct row *ret, bool *ret_is_row)
{
	char hex[DIGEST_HEX];
	const char *word;
	size_t len;

	*ret_is_row = false;
	word = next_word(&at, end, &len);
	if (!word)
		return NULL;
	ret->is_malicious = is_word(word, len, "malicious");
	if (!ret->is_malicious && !is_word(word, len, "benign"))
		return "write malicious or benign, then the SHA-256";
	word = next_word(&at, end, &len);
	if (!word || len != DIGEST_HEX - 1)
		return "write the SHA-256 in 64 hexadecimal digits";
	memcpy(hex, word, len);
	hex[len] = '\0';
	if (digest_parse(hex, &ret->digest) < 0)
		return "write the SHA-256 in 64 hexadecimal digits";
	if (next_word(&at, end, &len))
		return "write # in front of a comment";
	*ret_is_row = true;
	return NULL;
}

static int
by_digest(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return memcmp(&x->digest, &y->digest, sizeof(x->digest));
}

static int
say(char *err, size_t err_size, const char *path, unsigned int line,
    const char *what)
{
	(void)snprintf(
	    err, err_size, "%s:%u: %s (mef.known)", path, line, what);
	return -EINVAL;
}

static int
check_double(
    const struct known *known, const char *path, char *err, size_t err_size)
{
	for (size_t i = 1; i < known->n; i++) {
		const struct row *a = &known->rows[i - 1], *b = a + 1;

		if (by_digest(a, b) == 0)
			return say(err, err_size, path,
			    a->line > b->line ? a->line : b->line,
			    "that file is on the list already: write it once");
	}
	return 0;
}

static void
add(struct known *known, const struct row *row)
{
	if (known->n == known->room) {
		known->room = known->room ? 2 * known->room : 64;
		known->rows = reallocarray(
		    known->rows, known->room, sizeof(*known->rows));
		if (!known->rows)
			abort();
	}
	known->rows[known->n++] = *row;
}

int
known_parse(const char *text, size_t len, const char *path, struct known **ret,
    char *err, size_t err_size)
{
	CLEANUP(known_freep) struct known *known = xcalloc(1, sizeof(*known));
	const char *at = text, *all_end = text + len;
	int r;

	for (unsigned int line = 1; at < all_end; line++) {
		const char *nl = memchr(at, '\n', (size_t)(all_end - at));
		const char *end = nl ? nl : all_end;
		struct row row = {.line = line};
		const char *wrong;
		bool is_row;

		wrong = memchr(at, '\0', (size_t)(end - at))
			    ? "a NUL: write plain text"
			    : read_line(at, end, &row, &is_row);
		if (wrong)
			return say(err, err_size, path, line, wrong);
		if (is_row)
			add(known, &row);
		at = end + 1;
	}
	if (known->n > 0)
		qsort(known->rows, known->n, sizeof(*known->rows), by_digest);
	r = check_double(known, path, err, err_size);
	if (r == 0)
		*ret = TAKE_PTR(known);
	return r;
}

int
known_load(const char *path, struct known **ret, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len = 0;
	int r;

	if (strcmp(path, "none") == 0)
		return known_parse("", 0, path, ret, err, err_size);
	r = read_file(AT_FDCWD, path, KNOWN_FILE_MAX, &text, &len);
	if (r < 0) {
		(void)snprintf(err, err_size,
		    "%s: %s: write it, or name another (mef.known)", path,
		    strerror(-r));
		return r;
	}
	return known_parse(text, len, path, ret, err, err_size);
}

struct known *
known_free(struct known *known)
{
	if (!known)
		return NULL;
	free(known->rows);
	free(known);
	return NULL;
}

bool
known_find(const struct known *known, const struct digest *digest,
    bool *ret_is_malicious)
{
	const struct row key = {.digest = *digest};
	const struct row *row =
	    known->n == 0
		? NULL
		: bsearch(&key, known->rows, known->n, sizeof(key), by_digest);

	if (row)
		*ret_is_malicious = row->is_malicious;
	return row != NULL;
}
