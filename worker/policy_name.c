/*
 * worker/policy_name.c - what a file's name amounts to.
 */
#include "worker/policy_priv.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS_ODD   8   /* so many in a row hide what follows */
#define LENGTH_ODD   255 /* characters; the limit of NTFS, ext4 and others */
#define FNV32_OFFSET UINT32_C(0x811c9dc5)
#define FNV32_PRIME  UINT32_C(0x01000193)

/* Length of the UTF-8 sequence at p (1 for whatever isn't one), its value. */
static size_t
character(const unsigned char *p, uint32_t *ret)
{
	static const struct {
		unsigned char mask, lead, value;
	} forms[] = {{0xe0, 0xc0, 0x1f}, {0xf0, 0xe0, 0x0f}, {0xf8, 0xf0, 7}};

	for (size_t i = 0; p[0] >= 0x80 && i < 3; i++) {
		uint32_t c = p[0] & forms[i].value;
		size_t k = 1;

		if ((p[0] & forms[i].mask) != forms[i].lead)
			continue;
		while (k < i + 2 && (p[k] & 0xc0) == 0x80)
			c = c << 6 | (p[k++] & 0x3f);
		if (k == i + 2) {
			*ret = c;
			return k;
		}
	}
	*ret = p[0] < 0x80 ? p[0] : 0xfffd;
	return 1;
}

static bool
within(uint32_t c, uint32_t first, uint32_t last)
{
	return c >= first && c <= last;
}

static bool
is_bidi(uint32_t c)
{
	return within(c, 0x202a, 0x202e) || within(c, 0x2066, 0x2069);
}

/* Not 0x80 to 0x9f: where the character set isn't known these are letters,
 * quotes and dashes of Windows'. */
static bool
is_control(uint32_t c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static bool
is_invisible(uint32_t c)
{
	return is_control(c) || within(c, 0x80, 0x9f) || c == 0xad ||
	       c == 0x61c || c == 0x180e || within(c, 0x200b, 0x200f) ||
	       within(c, 0x2028, 0x202e) || within(c, 0x2060, 0x206f) ||
	       c == 0xfeff || within(c, 0xe0000, 0xe007f);
}

/* How many of p's digits make up *ret: 0 unless least to most of them. */
static size_t
hex(const char *p, size_t least, size_t most, uint32_t *ret)
{
	const size_t len = strspn(p, "0123456789ABCDEF");

	*ret = 0;
	if (len < least || len > most)
		return 0;
	*ret = (uint32_t)strtoul(p, NULL, 16);
	return len;
}

/*
 * The reader of a mail shows what cannot be seen as \xNN or \u{NNNN}
 * (worker/names_text.h).  Returns the length, or 0: p is none of these.
 */
static size_t
escaped(const char *p, uint32_t *ret)
{
	uint32_t c = 0;
	size_t n = 0;

	if (p[0] != '\\')
		return 0;
	if (p[1] == 'x' && p[2] && p[3]) {
		const char two[] = {p[2], p[3], '\0'};

		n = hex(two, 2, 2, &c) ? 4 : 0;
	} else if (p[1] == 'u' && p[2] == '{') {
		n = hex(p + 3, 4, 6, &c);
		n = n > 0 && p[3 + n] == '}' ? n + 4 : 0;
	}
	if (n == 0 || !is_invisible(c))
		return 0;
	*ret = c;
	return n;
}

static bool
is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == 0xa0 || c == 0x1680 ||
	       within(c, 0x2000, 0x200a) || c == 0x202f || c == 0x205f ||
	       c == 0x2800 || c == 0x3000;
}

/* What best-fit conversions turn into ASCII, and upper into lower case. */
static uint32_t
fold(uint32_t c)
{
	if (within(c, 0xff01, 0xff5e))
		c -= 0xff01 - '!';
	if (is_blank(c))
		return ' ';
	if (c == 0x2024) /* one dot leader */
		return '.';
	if (c == 0x17f) /* long s */
		return 's';
	if (c == 0x212a) /* Kelvin */
		return 'k';
	return within(c, 'A', 'Z') ? c + ('a' - 'A') : c;
}

static bool
is_clsid(const char *end)
{
	static const char form[] = ".{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'x'
			? !end[i] || !strchr("0123456789abcdef", end[i])
			: end[i] != form[i])
			return false;
	return true;
}

static size_t
trim_end(char *text, size_t len)
{
	static const char stream[] = "::$data";
	const size_t tail = sizeof(stream) - 1;

	for (;;) {
		if (len && strchr(" .\"'`;,<>|/\\", text[len - 1]))
			len--;
		else if (len > tail &&
			 memcmp(text + len - tail, stream, tail) == 0)
			len -= tail;
		else
			break;
	}
	text[len] = '\0';
	return len;
}

uint32_t
policy_hash(const char *text, size_t len)
{
	uint32_t hash = FNV32_OFFSET;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * FNV32_PRIME;
	return hash;
}

/* Copy name into ret->text, folded; returns its length. */
static size_t
fold_name(struct policy_name *ret, const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	size_t len = 0, blanks = 0, count = 0;

	for (; *p; count++) {
		uint32_t c;
		size_t n = escaped((const char *)p, &c);

		if (n == 0)
			n = character(p, &c);
		ret->odd |= is_bidi(c) ? ODD_BIDI : 0;
		ret->odd |= is_control(c) ? ODD_CONTROL : 0;
		if (!is_blank(c) && blanks >= BLANKS_ODD)
			ret->odd |= ODD_BLANKS;
		blanks = is_blank(c) ? blanks + 1 : 0;
		if (c == '/' || c == '\\')
			count = 0;
		if (count > LENGTH_ODD)
			ret->odd |= ODD_LONG;
		if (len + n >= sizeof(ret->text)) {
			ret->cut = true;
			ret->odd |= ODD_LONG;
			break;
		}
		if (is_invisible(c)) {
			;
		} else if (fold(c) < 0x80) {
			ret->text[len++] = (char)fold(c);
		} else {
			memcpy(ret->text + len, p, n);
			len += n;
		}
		p += n;
	}
	return len;
}

void
policy_name_set(struct policy_name *ret, const char *name)
{
	static const size_t clsid = sizeof(".{}") - 1 + 36;
	const char *slash, *dot;
	size_t len;

	ret->odd = 0;
	ret->cut = false;
	len = trim_end(ret->text, fold_name(ret, name));
	slash = memrchr(ret->text, '/', len);
	ret->base = slash ? slash + 1 : ret->text;
	slash = strrchr(ret->base, '\\');
	ret->base = slash ? slash + 1 : ret->base;
	dot = strrchr(ret->base, '.');
	ret->ext = dot ? dot + 1 : "";
	ret->ext_len = strlen(ret->ext);
	ret->hash = policy_hash(ret->ext, ret->ext_len);
	if (len >= clsid && is_clsid(ret->text + len - clsid))
		ret->odd |= ODD_CLSID;
}

static const char *
next_character(const char *text)
{
	text++;
	while ((*text & 0xc0) == 0x80)
		text++;
	return text;
}

/* The usual two pointers: only the last * is ever tried again. */
bool
policy_glob(const char *glob, const char *text)
{
	const char *star = NULL, *from = NULL;

	for (;;) {
		if (*glob == '*') {
			star = ++glob;
			from = text;
			continue;
		}
		if (!*text && !*glob)
			return true;
		if (*text && *glob == '?') {
			glob++;
			text = next_character(text);
			continue;
		}
		if (*text && *glob) {
			const char *literal =
			    glob[0] == '\\' && glob[1] ? glob + 1 : glob;

			if (*literal == *text) {
				glob = literal + 1;
				text++;
				continue;
			}
		}
		if (!star || !*from)
			return false;
		glob = star;
		text = ++from;
	}
}
