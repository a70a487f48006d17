/*
 * worker/mime_codec_old.c - uuencode, yEnc and BinHex 4.0: the encodings that
 * carry their own file name.
 */
#include "worker/mime_codec.h"

#include <string.h>

/* One line without its end; returns where the next one starts. */
static const char *
take_line(const char *at, const char *end, size_t *ret_len)
{
	const char *nl = memchr(at, '\n', (size_t)(end - at));
	size_t len = (size_t)((nl ? nl : end) - at);

	if (len > 0 && at[len - 1] == '\r')
		len--;
	*ret_len = len;
	return nl ? nl + 1 : end;
}

static bool
begins(const char *at, size_t len, const char *word)
{
	const size_t n = strlen(word);

	return len >= n && memcmp(at, word, n) == 0;
}

/* Octets of one uuencoded line into out; 0: not such a line or its end. */
static size_t
uu_line(const char *at, size_t len, char *out)
{
	const size_t n = len ? ((uint8_t)at[0] - 32) & 63 : 0;
	size_t used = 0;

	if (n == 0 || (uint8_t)at[0] < 32 || (uint8_t)at[0] > 96 ||
	    len < 1 + n / 3 * 4)
		return 0;
	for (size_t i = 1; used < n; i += 4) {
		uint32_t bits = 0;

		for (size_t k = 0; k < 4; k++) {
			/* Blanks at the end of a line get lost under way. */
			const uint8_t c = i + k < len ? (uint8_t)at[i + k] : 32;

			if (c < 32 || c > 96)
				return 0;
			bits = bits << 6 | ((c - 32u) & 63u);
		}
		for (int shift = 16; shift >= 0 && used < n; shift -= 8)
			out[used++] = (char)(bits >> shift);
	}
	return used;
}

static size_t
skip_blanks(const char *at, size_t len, size_t i)
{
	while (i < len && (at[i] == ' ' || at[i] == '\t'))
		i++;
	return i;
}

enum codec
codec_uu_begin(const char *line, size_t len, struct codec_name *ret_name)
{
	const bool is_64 = begins(line, len, "begin-base64");
	const size_t word = is_64 ? 12 : 5;
	size_t mode, i, name;

	if (!is_64 && !begins(line, len, "begin"))
		return CODEC_COUNT;
	i = mode = skip_blanks(line, len, word);
	while (i < len && line[i] >= '0' && line[i] <= '7')
		i++;
	name = skip_blanks(line, len, i);
	if (mode == word || i == mode || i > mode + 6 ||
	    (name == i && name < len) ||
	    (name == len && i != mode + 3 && i != mode + 4))
		return CODEC_COUNT;
	ret_name->at = line + name;
	ret_name->len = len - name;
	return is_64 ? CODEC_UU64 : CODEC_UU;
}

static bool
is_begin(const char *at, size_t len, struct codec_name *ret_name)
{
	return codec_uu_begin(at, len, ret_name) == CODEC_UU;
}

static bool
is_all_blank(const char *at, const char *end)
{
	while (at < end && (uint8_t)*at <= ' ')
		at++;
	return at == end;
}

size_t
codec_uu(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name)
{
	const char *const end = in + len;
	bool begun = false, ended = false;
	uint32_t odd = 0;
	size_t used = 0, n;

	ret_name->at = in;
	ret_name->len = 0;
	for (const char *at = in, *next; at < end && !ended; at = next) {
		size_t line, got;

		next = take_line(at, end, &line);
		if (!begun && used == 0 && is_begin(at, line, ret_name)) {
			begun = true;
			continue;
		}
		got = uu_line(at, line, out + used);
		used += got;
		if (got > 0 || line == 0)
			continue;
		if (begins(at, line, "end")) {
			ended = true;
			if (!is_all_blank(next, end))
				odd |= ODD_REST;
		} else if (at[0] == '`' || at[0] == ' ')
			continue;
		else if (begun || used > 0)
			break;
		else
			odd |= ODD_OUTSIDE;
	}
	n = begun + ended;
	if (used == 0)
		odd |= ODD_NOTHING;
	else if (n != 2)
		odd |= ODD_OUTSIDE;
	*ret_odd = odd;
	return used;
}

size_t
codec_uu64(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name)
{
	const char *const end = in + len;
	const char *body = NULL, *stop = NULL;
	size_t used;

	ret_name->at = in;
	ret_name->len = 0;
	*ret_odd = ODD_NOTHING;
	for (const char *at = in, *next; at < end && !stop; at = next) {
		size_t line;

		next = take_line(at, end, &line);
		if (body && begins(at, line, "===="))
			stop = at;
		else if (!body &&
			 codec_uu_begin(at, line, ret_name) == CODEC_UU64)
			body = next;
	}
	if (!body)
		return 0;
	used = codec_base64(body, (size_t)((stop ? stop : end) - body),
	    BASE64_RESTART, out, ret_odd);
	if (!stop)
		*ret_odd |= ODD_OUTSIDE;
	return used;
}

/* The value after name= up to the end of the line. */
static void
yenc_name(const char *at, size_t len, struct codec_name *ret_name)
{
	const char *name = memmem(at, len, " name=", 6);

	if (!name)
		return;
	ret_name->at = name + 6;
	ret_name->len = (size_t)(at + len - ret_name->at);
}

static size_t
yenc_line(const char *at, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)at[i];

		if (c == '=' && i + 1 < len)
			c = (uint8_t)((uint8_t)at[++i] - 64);
		out[used++] = (char)(c - 42);
	}
	return used;
}

size_t
codec_yenc(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name)
{
	const char *const end = in + len;
	bool begun = false;
	size_t used = 0;

	ret_name->at = in;
	ret_name->len = 0;
	*ret_odd = ODD_OUTSIDE; /* until =yend is seen */
	for (const char *at = in, *next; at < end; at = next) {
		size_t line;

		next = take_line(at, end, &line);
		if (begins(at, line, "=yend")) {
			*ret_odd = 0;
			break;
		}
		if (begins(at, line, "=ybegin")) {
			yenc_name(at, line, ret_name);
			begun = true;
		} else if (begun && !begins(at, line, "=ypart")) {
			used += yenc_line(at, line, out + used);
		}
	}
	if (used == 0)
		*ret_odd |= ODD_NOTHING;
	return used;
}

/* Octets of the BinHex stream after its run-length coding. */
struct binhex {
	char *out;
	size_t used;
	size_t room;
	uint8_t last;
	bool repeat; /* 0x90 was met: a count follows */
};

static void
binhex_put(struct binhex *b, uint8_t c)
{
	if (b->used < b->room)
		b->out[b->used++] = (char)c;
	b->last = c;
}

static void
binhex_octet(struct binhex *b, uint8_t c)
{
	if (b->repeat) {
		b->repeat = false;
		if (c == 0)
			binhex_put(b, 0x90);
		for (; c > 1; c--)
			binhex_put(b, b->last);
	} else if (c == 0x90) {
		b->repeat = true;
	} else {
		binhex_put(b, c);
	}
}

static void
binhex_stream(struct binhex *b, const char *at, const char *end)
{
	static const char digits[] = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNP"
				     "QRSTUVXYZ[`abcdefhijklmpqr";
	uint32_t bits = 0;
	unsigned n = 0;

	for (; at < end && *at != ':'; at++) {
		const char *digit = *at ? strchr(digits, *at) : NULL;

		if (!digit)
			continue;
		bits = bits << 6 | (uint32_t)(digit - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			binhex_octet(b, (uint8_t)(bits >> n));
		}
	}
}

static uint32_t
big_endian(const char *at)
{
	const uint8_t *p = (const uint8_t *)at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

size_t
codec_binhex(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name)
{
	struct binhex b = {.out = out, .room = codec_room(CODEC_BINHEX, len)};
	const char *note = memmem(in, len, "BinHex", 6);
	const char *from = note ? note : in;
	const char *colon = memchr(from, ':', (size_t)(in + len - from));
	size_t head, data;

	*ret_odd = ODD_NOTHING;
	ret_name->at = in;
	ret_name->len = 0;
	if (!colon)
		return 0;
	binhex_stream(&b, colon + 1, in + len);
	/* name length, name, 0, type, creator, flags, lengths, CRC */
	head = b.used ? (uint8_t)out[0] + 22u : 0;
	if (head == 0 || b.used < head)
		return 0;
	data = big_endian(out + head - 10);
	*ret_odd = note && data <= b.used - head ? 0 : ODD_OUTSIDE;
	if (data > b.used - head)
		data = b.used - head;
	ret_name->len = head - 22 < sizeof(ret_name->buf) ? head - 22 : 0;
	memcpy(ret_name->buf, out + 1, ret_name->len);
	ret_name->at = ret_name->buf;
	memmove(out, out + head, data);
	return data;
}
