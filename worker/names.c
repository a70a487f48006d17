/*
 * worker/names.c - every form of one file name.
 */
#include "worker/names.h"

#include "worker/mime_codec.h"
#include "worker/names_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_OCTETS 255
#define NAMES_MAX   64
/* Raw octets of a name that are looked at: the last ones decide. */
#define RAW_OCTETS (size_t)2048

static bool
has(const struct names *names, const char *name)
{
	const char *at = names->buf;

	for (uint32_t i = 0; i < names->n; i++, at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

static void
append(struct names *names, const char *name, size_t len)
{
	if (has(names, name))
		return;
	if (names->n == NAMES_MAX) {
		names->is_cut = true;
		return;
	}
	if (names->used + len + 1 > names->room) {
		names->room = 2 * names->room + NAME_OCTETS + 1;
		names->buf = realloc(names->buf, names->room);
		if (!names->buf)
			abort();
	}
	memcpy(names->buf + names->used, name, len + 1);
	names->used += len + 1;
	names->n++;
}

/*
 * A name that doesn't fit, be it only as it is shown, is known by both its
 * ends; the last one decides, so nothing unseen may push it out.
 */
static void
add_end(struct names *names, const char *raw, size_t len)
{
	char out[RAW_OCTETS], name[NAME_OCTETS + 1];
	size_t n = len < NAME_OCTETS / 2 ? len : NAME_OCTETS / 2;

	n = text_clean(name, sizeof(name), raw + len - n, n);
	append(names, name, n);
	len = text_visible(out, raw, len);
	n = len < NAME_OCTETS / 2 ? len : NAME_OCTETS / 2;
	n = text_clean(name, sizeof(name), out + len - n, n);
	if (n > 0)
		append(names, name, n);
}

static void
add_clean(struct names *names, const char *raw, size_t len)
{
	char name[NAME_OCTETS + 1];
	size_t n;

	while (len > 0 && isspace((unsigned char)raw[0]))
		raw++, len--;
	n = text_clean(name, sizeof(name), raw, len);
	if (n > 0)
		append(names, name, n);
	if (n >= NAME_OCTETS - TEXT_SHOWN_MAX)
		add_end(names, raw, len);
}

/* Without what file systems drop from a name's end. */
static size_t
trimmed(const char *raw, size_t len)
{
	while (len > 0 && ((unsigned char)raw[len - 1] <= ' ' ||
			      strchr(".\"';", raw[len - 1])))
		len--;
	return len;
}

static void
add_trimmed(struct names *names, const char *raw, size_t len)
{
	const size_t n = trimmed(raw, len);
	const char *slash = memrchr(raw, '/', n);
	const char *back = memrchr(raw, '\\', n);

	if (n == 0)
		return;
	add_clean(names, raw, n);
	if (back > slash)
		slash = back;
	if (slash && slash + 1 < raw + n)
		add_clean(names, slash + 1, n - (size_t)(slash + 1 - raw));
}

size_t
names_uncomment(const char *raw, size_t len, char *out)
{
	unsigned depth = 0;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (raw[i] == '(')
			depth++;
		else if (raw[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0)
			out[used++] = raw[i];
	}
	return used;
}

static size_t
without(const char *raw, size_t len, const char *these, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++)
		if (raw[i] == '\0' || !strchr(these, raw[i]))
			out[used++] = raw[i];
	return used;
}

size_t
names_percent(const char *raw, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		const int high = raw[i] == '%' && i + 2 < len
				     ? codec_hex((unsigned char)raw[i + 1])
				     : -1;
		const int low =
		    high >= 0 ? codec_hex((unsigned char)raw[i + 2]) : -1;

		if (low < 0) {
			out[used++] = raw[i];
			continue;
		}
		out[used++] = (char)(high << 4 | low);
		i += 2;
	}
	return used;
}

/* The forms that only some readers show. */
static void
add_rare(struct names *names, const char *raw, size_t len)
{
	char out[RAW_OCTETS];
	const char *nul = memchr(raw, '\0', len);
	size_t n;

	if (nul)
		add_trimmed(names, raw, (size_t)(nul - raw));
	if (memchr(raw, '(', len)) {
		n = names_uncomment(raw, len, out);
		add_trimmed(names, out, n);
	}
	if (memchr(raw, '%', len)) {
		n = names_percent(raw, len, out);
		n = names_unescape(out, n, out);
		add_trimmed(names, out, n);
	}
	if (memchr(raw, '\\', len) || memchr(raw, '"', len) ||
	    memchr(raw, '\r', len) || memchr(raw, '\n', len)) {
		n = without(raw, len, "\\\"\r\n", out);
		add_trimmed(names, out, n);
	}
}

static bool
is_simple(const char *raw, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)raw[i]) &&
		    !(raw[i] && strchr(" -_.+,@", raw[i])))
			return false;
	return len > 0;
}

/* A line end before white space is none, wherever a header was folded; some
 * readers leave the white space out as well. */
static size_t
unfold(const char *raw, size_t len, bool all, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		const size_t at = i + (raw[i] == '\r');

		if (at + 1 < len && raw[at] == '\n' &&
		    (raw[at + 1] == ' ' || raw[at + 1] == '\t')) {
			if (!all)
				out[used++] = ' ';
			i = at + 1;
			while (all && i + 1 < len &&
			       (raw[i + 1] == ' ' || raw[i + 1] == '\t'))
				i++;
			continue;
		}
		out[used++] = raw[i];
	}
	return used;
}

static void
add_forms(struct names *names, const char *raw, size_t len)
{
	char out[RAW_OCTETS];
	size_t n;

	add_clean(names, raw, len);
	add_trimmed(names, raw, len);
	if (is_simple(raw, len))
		return;
	add_rare(names, raw, len);
	if (!memmem(raw, len, "=?", 2))
		return;
	n = names_words(raw, len, out, sizeof(out));
	add_trimmed(names, out, n);
	add_rare(names, out, n);
}

void
names_add(struct names *names, const char *raw, size_t len)
{
	char out[RAW_OCTETS];
	size_t n;

	if (len > sizeof(out)) {
		/* The beginning is shown, the end says what it is. */
		n = names_unescape(raw, NAME_OCTETS, out);
		add_clean(names, out, n);
		raw += len - sizeof(out);
		len = sizeof(out);
	}
	n = unfold(raw, len, false, out);
	n = names_unescape(out, n, out);
	add_forms(names, out, n);
	if (!memchr(raw, '\n', len))
		return;
	n = unfold(raw, len, true, out);
	n = names_unescape(out, n, out);
	add_forms(names, out, n);
}

/* What decides how a name is opened: 1 to 8 characters behind the dot. */
static const char *
extension(const char *name)
{
	const char *dot = strrchr(name, '.');
	const size_t len = dot ? strlen(dot + 1) : 0;

	return len > 0 && len <= 8 && dot > name ? dot + 1 : NULL;
}

bool
names_disagree(const struct names *names)
{
	const char *first = NULL;
	const char *at = names->buf;

	for (uint32_t i = 0; i < names->n; i++, at += strlen(at) + 1) {
		const char *ext = extension(at);

		if (ext && first && strcasecmp(ext, first) != 0)
			return true;
		if (ext)
			first = ext;
	}
	return false;
}

void
names_done(struct names *names)
{
	free(names->buf);
	*names = (struct names){.buf = NULL};
}
