/*
 * worker/mime_codec.c - base64 and quoted-printable in the ways of many
 * readers; for flawless input all ways are one.
 */
#include "worker/mime_codec.h"

#include <string.h>

#define BAD 0x80
#define SPC 0x81 /* white space */
#define PAD 0x82 /* = */
#define DSH 0x83 /* - and _ are 62 and 63 in the alphabet for URLs */
#define UND 0x84

/* RFC 2045 6.8; high bit: not of the alphabet. */
/* clang-format off */
static const uint8_t six_bits[256] = {
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, SPC, SPC, BAD, BAD, SPC, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	SPC, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, 62, BAD, DSH, BAD, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, BAD, BAD, BAD, PAD, BAD, BAD,
	BAD, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, BAD, BAD, BAD, BAD, UND,
	BAD, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
};
/* clang-format on */

size_t
codec_room(enum codec codec, size_t len)
{
	switch (codec) {
	case CODEC_BASE64:
		/* A group cut short after two characters gives an octet. */
		return len / 2 + len / 4 + 8;
	case CODEC_BINHEX:
		return len * BINHEX_RUN + 8;
	case CODEC_IDENTITY:
	case CODEC_QP:
	case CODEC_UU:
	case CODEC_YENC:
	case CODEC_UU64:
	case CODEC_COUNT:
	default:
		return len + 8;
	}
}

struct groups {
	char *out;
	size_t used;
	uint32_t bits;
	unsigned n;  /* characters of the unfinished group */
	bool padded; /* a '=' was met */
};

static void
take_six(struct groups *g, uint32_t six)
{
	g->bits = g->bits << 6 | six;
	if (++g->n < 4)
		return;
	g->out[g->used++] = (char)(g->bits >> 16);
	g->out[g->used++] = (char)(g->bits >> 8);
	g->out[g->used++] = (char)g->bits;
	g->n = 0;
}

/* What an unfinished group holds in whole octets. */
static void
flush_group(struct groups *g)
{
	if (g->n >= 2)
		g->out[g->used++] = (char)(g->bits >> (6 * g->n - 8));
	if (g->n == 3)
		g->out[g->used++] = (char)(g->bits >> 2);
	g->n = 0;
}

/* Whole groups without anything odd; returns how far it came. */
static size_t
take_fast(struct groups *g, const uint8_t *in, size_t len)
{
	size_t i = 0;

	for (; g->n == 0 && i + 4 <= len; i += 4) {
		const uint32_t a = six_bits[in[i]], b = six_bits[in[i + 1]],
			       c = six_bits[in[i + 2]], d = six_bits[in[i + 3]];
		const uint32_t bits = a << 18 | b << 12 | c << 6 | d;

		if ((a | b | c | d) & BAD)
			break;
		g->out[g->used] = (char)(bits >> 16);
		g->out[g->used + 1] = (char)(bits >> 8);
		g->out[g->used + 2] = (char)bits;
		g->used += 3;
	}
	return i;
}

/* One character that is not in the alphabet; false ends the data. */
static bool
take_odd(struct groups *g, uint8_t in, enum base64_style style, uint32_t *odd)
{
	const uint8_t kind = six_bits[in];

	if (kind == SPC) {
		if (in == '\n' && g->n != 0 && !g->padded)
			*odd |= ODD_LINES;
		if (style == BASE64_LINES && in == '\n')
			g->n = 0;
		return true;
	}
	if (kind != PAD) {
		*odd |= ODD_JUNK;
		if (style == BASE64_URL && (kind == DSH || kind == UND))
			take_six(g, kind == DSH ? 62 : 63);
		return style != BASE64_HALT;
	}
	g->padded = true;
	if (style == BASE64_ZERO)
		take_six(g, 0);
	else if (style == BASE64_RESTART || style == BASE64_LINES)
		flush_group(g);
	return style != BASE64_STOP && style != BASE64_HALT;
}

size_t
codec_base64(const char *in, size_t len, enum base64_style style, char *out,
    uint32_t *ret_odd)
{
	const uint8_t *at = (const uint8_t *)in;
	struct groups g = {.out = out};
	uint32_t odd = 0;

	for (size_t i = 0; i < len; i++) {
		const uint8_t six = six_bits[at[i]];

		if (six & BAD) {
			if (!take_odd(&g, at[i], style, &odd))
				break;
			continue;
		}
		if (g.padded)
			odd |= ODD_PAD;
		if (g.n == 0) {
			i += take_fast(&g, at + i, len - i);
			if (i == len || (six_bits[at[i]] & BAD)) {
				i--; /* the loop's own step */
				continue;
			}
		}
		take_six(&g, six_bits[at[i]]);
	}
	if (g.n != 0)
		odd |= ODD_QUANTUM;
	flush_group(&g);
	if (ret_odd)
		*ret_odd = odd;
	return g.used;
}

unsigned
codec_base64_peek(const char *in, size_t len, size_t look)
{
	unsigned bits = 0, n = 0;

	for (size_t i = 0; i < len && i < look; i++) {
		const uint8_t six = six_bits[(uint8_t)in[i]];

		if (six & BAD)
			continue;
		bits = bits << 6 | six;
		if (++n == 2)
			return bits;
	}
	return 4096;
}

int
codec_hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Octets of a soft line break after '=': blanks and the line's end; or 0. */
static size_t
soft_break(const char *in, size_t len)
{
	size_t i = 0;

	while (i < len && (in[i] == ' ' || in[i] == '\t'))
		i++;
	if (i == len)
		return len;
	if (in[i] == '\n')
		return i + 1;
	if (in[i] == '\r')
		return i + 1 < len && in[i + 1] == '\n' ? i + 2 : i + 1;
	return 0;
}

/* What careless code takes any character for, when it expects a digit. */
static unsigned
wrapped(char c)
{
	return (c >= 'A' ? ((unsigned)c | 32) - 'a' + 10 : (unsigned)c - '0') &
	       15;
}

/* A bad escape at in[0] == '='; returns the octets read, adds to out. */
static size_t
bad_escape(
    const char *in, size_t len, enum qp_style style, char *out, size_t *used)
{
	const int high = len > 1 ? codec_hex((uint8_t)in[1]) : -1;

	switch (style) {
	case QP_DROP:
		return 1;
	case QP_ONE:
		return len < 2 ? len : 2;
	case QP_SKIP:
	case QP_UPPER:
		return len < 3 ? len : 3;
	case QP_HALF:
		if (high < 0)
			break;
		out[(*used)++] = (char)high;
		return 2;
	case QP_WRAP:
		if (len < 3)
			break;
		out[(*used)++] = (char)(wrapped(in[1]) << 4 | wrapped(in[2]));
		return 3;
	case QP_KEEP:
	case QP_STYLES:
	default:
		break;
	}
	out[(*used)++] = '=';
	return 1;
}

static bool
is_lower(const char *two)
{
	return two[0] >= 'a' || two[1] >= 'a';
}

size_t
codec_qp(const char *in, size_t len, enum qp_style style, char *out,
    uint32_t *ret_odd)
{
	size_t used = 0;
	uint32_t odd = 0;

	for (size_t i = 0; i < len;) {
		const char *eq = memchr(in + i, '=', len - i);
		const size_t plain = eq ? (size_t)(eq - in) - i : len - i;
		size_t skip;
		int high, low;

		memcpy(out + used, in + i, plain);
		used += plain;
		i += plain;
		if (!eq)
			break;
		high = i + 2 < len ? codec_hex((uint8_t)in[i + 1]) : -1;
		low = i + 2 < len ? codec_hex((uint8_t)in[i + 2]) : -1;
		if (high >= 0 && low >= 0 &&
		    !(style == QP_UPPER && is_lower(in + i + 1))) {
			if (is_lower(in + i + 1))
				odd |= ODD_LOWER;
			out[used++] = (char)(high << 4 | low);
			i += 3;
			continue;
		}
		skip = soft_break(in + i + 1, len - i - 1);
		if (skip > 0 || i + 1 == len) {
			i += skip + 1;
			continue;
		}
		odd |= ODD_ESCAPE;
		i += bad_escape(in + i, len - i, style, out, &used);
	}
	if (ret_odd)
		*ret_odd = odd;
	return used;
}
