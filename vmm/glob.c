#include "vmm/glob.h"

#include "common/io.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct piece {
	const char *text;
	size_t length;
	bool has_any; /* a ? */
};

struct glob {
	bool begins_open, ends_open; /* with an asterisk */
	size_t least;                /* octets of all pieces */
	size_t n_pieces;
	struct piece *pieces;
	struct glob *last; /* what the last part of a path must fit */
	struct glob_marks needs;
	char pattern[];
};

static void
mark_pair(char a, char b, struct glob_marks *marks)
{
	const unsigned int pair =
	    (unsigned int)(unsigned char)a << 8 | (unsigned char)b;
	const unsigned int h = pair * 40503u >> 8 & 0xff;

	marks->bits[h >> 6] |= UINT64_C(1) << (h & 63);
}

void
glob_mark(const char *text, size_t length, struct glob_marks *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 1; i < length; i++)
		mark_pair(text[i - 1], text[i], ret);
}

static void
mark_needs(const char *pattern, size_t length, struct glob_marks *needs)
{
	for (size_t i = 1; i < length; i++)
		if (!memchr("*?", pattern[i - 1], 2) &&
		    !memchr("*?", pattern[i], 2))
			mark_pair(pattern[i - 1], pattern[i], needs);
}

bool
glob_may_fit(const struct glob *glob, const struct glob_marks *marks)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < 4; i++)
		missing |= glob->needs.bits[i] & ~marks->bits[i];
	return missing == 0;
}

bool
glob_is_open(const struct glob *glob)
{
	return glob->begins_open && glob->ends_open && !glob->last;
}

static struct glob *
simple_new(const char *pattern, size_t length)
{
	struct glob *glob = xcalloc(1, sizeof(*glob) + length + 1);
	size_t stars = 0;
	const char *at, *end;

	memcpy(glob->pattern, pattern, length);
	mark_needs(pattern, length, &glob->needs);
	for (size_t i = 0; i < length; i++)
		stars += pattern[i] == '*';
	glob->begins_open = length > 0 && pattern[0] == '*';
	glob->ends_open = length > 0 && pattern[length - 1] == '*';
	glob->pieces = xcalloc(stars + 1, sizeof(*glob->pieces));
	end = glob->pattern + length;
	for (at = glob->pattern; at < end;) {
		const char *star = memchr(at, '*', (size_t)(end - at));
		const size_t n = (size_t)((star ? star : end) - at);

		if (n > 0)
			glob->pieces[glob->n_pieces++] =
			    (struct piece){at, n, memchr(at, '?', n) != NULL};
		glob->least += n;
		at += n + 1;
	}
	return glob;
}

struct glob *
glob_new(const char *pattern, size_t length)
{
	const char *mark = memmem(pattern, length, "/<>", 3);
	const size_t dir = mark ? (size_t)(mark - pattern) + 1 : length;
	struct glob *glob;
	char last[GLOB_MAX + 1] = "*";

	assert(length <= GLOB_MAX);
	if (!mark || memchr(mark + 1, '/', length - dir))
		return simple_new(pattern, length);
	memcpy(last + 1, mark + 3, length - dir - 2);
	glob = simple_new(pattern, dir);
	glob->last = simple_new(last, length - dir - 1);
	mark_needs(last, length - dir - 1, &glob->needs);
	return glob;
}

struct glob *
glob_free(struct glob *glob)
{
	if (!glob)
		return NULL;
	(void)glob_free(glob->last);
	free(glob->pieces);
	free(glob);
	return NULL;
}

static bool
piece_fits(const struct piece *piece, const char *text)
{
	if (!piece->has_any)
		return memcmp(piece->text, text, piece->length) == 0;
	for (size_t i = 0; i < piece->length; i++)
		if (piece->text[i] != '?' && piece->text[i] != text[i])
			return false;
	return true;
}

static const char *
piece_find(const struct piece *piece, const char *text, size_t length)
{
	if (!piece->has_any)
		return memmem(text, length, piece->text, piece->length);
	for (; length >= piece->length; text++, length--)
		if (piece_fits(piece, text))
			return text;
	return NULL;
}

static bool
simple_fits(const struct glob *glob, const char *text, size_t length)
{
	const struct piece *piece = glob->pieces;
	const struct piece *end = piece + glob->n_pieces;

	if (length < glob->least)
		return false;
	if (glob->n_pieces == 0)
		return glob->begins_open || length == 0;
	if (glob->n_pieces == 1 && !glob->begins_open && !glob->ends_open)
		return length == piece->length && piece_fits(piece, text);
	if (!glob->begins_open) {
		if (!piece_fits(piece, text))
			return false;
		text += piece->length;
		length -= piece->length;
		piece++;
	}
	if (!glob->ends_open) {
		end--;
		if (length < end->length ||
		    !piece_fits(end, text + length - end->length))
			return false;
		length -= end->length;
	}
	for (; piece < end; piece++) {
		const char *found = piece_find(piece, text, length);

		if (!found)
			return false;
		found += piece->length;
		length -= (size_t)(found - text);
		text = found;
	}
	return true;
}

bool
glob_fits(const struct glob *glob, const char *text, size_t length)
{
	const char *slash = glob->last ? memrchr(text, '/', length) : NULL;
	const size_t dir = slash ? (size_t)(slash - text) + 1 : 0;

	if (!glob->last)
		return simple_fits(glob, text, length);
	return simple_fits(glob, text, dir) &&
	       simple_fits(glob->last, text + dir, length - dir);
}
