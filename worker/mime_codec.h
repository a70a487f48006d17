/*
 * worker/mime_codec.h - the transfer encodings, decoded as far as possible.
 *
 * Each decoder writes to out, where codec_room() octets must be, and returns
 * how many it wrote; it never reads or writes elsewhere.  What it met that a
 * second reader could take otherwise is left in ret_odd (may be NULL).
 */
#ifndef SLUICE_WORKER_MIME_CODEC_H
#define SLUICE_WORKER_MIME_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum codec {
	CODEC_IDENTITY,
	CODEC_BASE64,
	CODEC_QP,
	CODEC_UU,
	CODEC_YENC,
	CODEC_BINHEX,
	CODEC_UU64, /* base64 between begin-base64 and ==== */
	CODEC_COUNT
};

#define ODD_JUNK    UINT32_C(1)   /* characters outside the alphabet */
#define ODD_PAD     UINT32_C(2)   /* '=' before the end */
#define ODD_QUANTUM UINT32_C(4)   /* ends within a group of four */
#define ODD_ESCAPE  UINT32_C(8)   /* '=' that begins no octet */
#define ODD_OUTSIDE UINT32_C(16)  /* text before begin or after end */
#define ODD_LINES   UINT32_C(64)  /* a line ends within a group of four */
#define ODD_LOWER   UINT32_C(128) /* an escape with lower-case digits */
#define ODD_NOTHING UINT32_C(32)  /* no beginning found: nothing decoded */
#define ODD_REST    UINT32_C(256) /* more behind a well-formed uuencoded file */

/* How base64 readers differ about what the alphabet does not hold. */
enum base64_style {
	BASE64_RESTART, /* skip junk; '=' ends a group, then go on */
	BASE64_IGNORE,  /* skip junk and '=' alike */
	BASE64_STOP,    /* skip junk; '=' ends the data */
	BASE64_HALT,    /* anything but white space ends the data */
	BASE64_URL,     /* as IGNORE, with - and _ for + and / */
	BASE64_ZERO,    /* '=' stands for six zero bits */
	BASE64_LINES,   /* each line by itself, whole groups only */
	BASE64_STYLES
};

enum qp_style {
	QP_KEEP,  /* a bad escape stands for itself */
	QP_DROP,  /* its '=' vanishes */
	QP_ONE,   /* it vanishes with the character after it */
	QP_SKIP,  /* it vanishes with the two characters after it */
	QP_UPPER, /* as SKIP; lower-case digits are bad, too */
	QP_HALF,  /* one digit is enough */
	QP_WRAP,  /* any letter counts as a digit, as C code often computes */
	QP_STYLES
};

/* Octets that any decoder may write for len octets in. */
size_t codec_room(enum codec codec, size_t len);

size_t codec_base64(const char *in, size_t len, enum base64_style style,
    char *out, uint32_t *ret_odd);
size_t codec_qp(const char *in, size_t len, enum qp_style style, char *out,
    uint32_t *ret_odd);
/*
 * uuencode: from the first begin line (or, without one, from the start) to
 * end or the first line that is none.  yEnc: from =ybegin to =yend.  BinHex
 * 4.0: the data fork.  ret_name is what the encoding itself calls the file:
 * empty when it has no name.
 */
struct codec_name {
	const char *at; /* within in, or in buf */
	size_t len;
	char buf[64]; /* BinHex names have 63 octets at most */
};
size_t codec_uu(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name);
size_t codec_uu64(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name);
size_t codec_yenc(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name);
size_t codec_binhex(const char *in, size_t len, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name);

/* "begin 644 name" or "begin-base64 644 name", with any blanks, and without
 * the name if it is clear that 644 is a mode: the codec, or CODEC_COUNT. */
enum codec codec_uu_begin(
    const char *line, size_t len, struct codec_name *ret_name);

/* Three BinHex characters may stand for 255 octets; what unfolds to more
 * than this many times its length is cut, and odd. */
#define BINHEX_RUN 8

/* The first two characters of base64's alphabet in the octets, as 12 bits;
 * 4096 when there are none in the first look of them. */
unsigned codec_base64_peek(const char *in, size_t len, size_t look);

/* Value of a hexadecimal digit, or -1. */
int codec_hex(unsigned char c);

#endif
