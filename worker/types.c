/*
 * worker/types.c - the first octets, then text, then libmagic (which alone
 * costs more than all the rest of a small mail).
 */
#include "worker/types.h"

#include "common/cleanup.h"

#include <errno.h>
#include <magic.h>
#include <stdint.h>
#include <string.h>

#define MAGIC_BYTES (size_t)65536 /* that libmagic is shown */
#define TEXT_BYTES  (size_t)16384 /* that must look like text */
#define SNIFF_BYTES (size_t)1024  /* in which a document names itself */

/* Loaded once before the cells are forked; const afterwards. */
static magic_t database;
/* One bit for the first 12 bits of every signature. */
static uint8_t beginnings[4096 / 8];
/* By a file's first octet: which signatures it may have, a bit for each. */
static uint64_t candidates[256];

struct signature {
	const char *octets;
	uint8_t len;
	uint8_t off;
	const char *type;
};

#define SIG(off, octets, type) \
	{ \
		octets, sizeof(octets) - 1, off, type \
	}

/* Of what kind, libmagic tells: Word, Excel, an installer. */
static const char compound[] = "application/x-ole-storage";

/* What is unmistakable in its first octets and common in mail. */
static const struct signature signatures[] = {
    SIG(0, "PK\003\004", "application/zip"),
    SIG(0, "PK\005\006", "application/zip"),
    SIG(0, "PK00PK\003\004", "application/zip"),
    SIG(0, "PK\007\010PK\003\004", "application/zip"),
    SIG(0, "\177ELF", "application/x-executable"),
    SIG(0, "Rar!\032\007", "application/x-rar"),
    SIG(0, "7z\274\257\047\034", "application/x-7z-compressed"),
    SIG(0, "\037\213\010", "application/gzip"),
    SIG(0, "BZh91AY&SY", "application/x-bzip2"),
    SIG(0, "\3757zXZ", "application/x-xz"),
    SIG(0, "\050\265\057\375", "application/zstd"),
    SIG(0, "\004\042\115\030", "application/x-lz4"),
    SIG(0, "MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    SIG(7, "**ACE**", "application/x-ace"),
    SIG(2, "-lh", "application/x-lzh-compressed"),
    SIG(2, "-lz", "application/x-lzh-compressed"),
    SIG(0, "MSWIM\0\0\0", "application/x-ms-wim"),
    SIG(0, "!<arch>\n", "application/x-archive"),
    SIG(0, "xar!", "application/x-xar"),
    SIG(0, "ITSF\003\0\0\0", "application/vnd.ms-htmlhelp"),
    SIG(0, "\170\237\076\042", "application/vnd.ms-tnef"),
    SIG(0, "\344\122\134\173\214\330\247\115", "application/onenote"),
    SIG(0, "L\0\0\0\001\024\002\0", "application/x-ms-shortcut"),
    SIG(0, "vhdxfile", "application/x-vhdx"),
    SIG(0, "conectix", "application/x-virtualbox-vhd"),
    SIG(0, "\320\317\021\340\241\261\032\341", compound),
    SIG(0, "%PDF-", "application/pdf"),
    SIG(0, "%!PS", "application/postscript"),
    SIG(0, "{\\rt", "text/rtf"),
    SIG(0, "\211PNG\r\n\032\n", "image/png"),
    SIG(0, "GIF87a", "image/gif"),
    SIG(0, "GIF89a", "image/gif"),
    SIG(0, "\377\330\377", "image/jpeg"),
    SIG(0, "X5O!P%@AP[4\\PZX54(P^)7CC)7}", "application/x-dosexec"),
};

_Static_assert(ARRAY_SIZE(signatures) <= 64, "candidates[] has 64 bits");

static bool
is_signature(const struct signature *s, const char *at, size_t len)
{
	return len >= (size_t)s->off + s->len &&
	       memcmp(at + s->off, s->octets, s->len) == 0;
}

/* As far as the octets go. */
static bool
may_be_signature(const struct signature *s, const char *at, size_t len)
{
	size_t n = s->len;

	if (len <= s->off)
		return true;
	if (len - s->off < n)
		n = len - s->off;
	return memcmp(at + s->off, s->octets, n) == 0;
}

/* "MZ" alone is two letters; a program has a header that fits. */
static bool
is_dos_program(const char *at, size_t len)
{
	uint32_t pe;

	if (len < 64 || memcmp(at, "MZ", 2) != 0)
		return false;
	memcpy(&pe, at + 60, sizeof(pe));
	if (pe + UINT32_C(4) <= len && pe < UINT32_C(0x10000000) &&
	    (memcmp(at + pe, "PE\0\0", 4) == 0 ||
		memcmp(at + pe, "NE", 2) == 0 || memcmp(at + pe, "LE", 2) == 0))
		return true;
	return memchr(at, '\0', 64) != NULL;
}

/* Two octets, then the size of a basic header: 30 to 2600. */
static bool
is_arj(const char *at, size_t len)
{
	const unsigned size = len > 4 ? (unsigned)(unsigned char)at[2] |
					    (unsigned)(unsigned char)at[3] << 8
				      : 0;

	return size >= 30 && size <= 2600 && memcmp(at, "\140\352", 2) == 0;
}

bool
types_may_begin(unsigned bits12)
{
	return (beginnings[bits12 >> 3 & 511] >> (bits12 & 7) & 1) != 0;
}

static unsigned
first_bits(const char *at)
{
	return (unsigned)(unsigned char)at[0] << 4 |
	       (unsigned)(unsigned char)at[1] >> 4;
}

static void
note(const char *octets)
{
	const unsigned bits = first_bits(octets);

	beginnings[bits >> 3] |= (uint8_t)(1u << (bits & 7));
}

static void
note_beginnings(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		const struct signature *s = &signatures[i];

		if (s->off == 0) {
			note(s->octets);
			candidates[(unsigned char)s->octets[0]] |= UINT64_C(1)
								   << i;
			continue;
		}
		for (size_t k = 0; k < ARRAY_SIZE(candidates); k++)
			candidates[k] |= UINT64_C(1) << i;
	}
	note("MZ");
	note("\140\352");
}

/* Signatures that stand further in. */
static bool
may_be_late(const char *at, size_t len)
{
	return len > 16 && (at[2] == '-' || at[7] == '*');
}

const char *
types_magic(const char *at, size_t len)
{
	if (len < 2 ||
	    (!types_may_begin(first_bits(at)) && !may_be_late(at, len)))
		return NULL;
	for (uint64_t left = candidates[(unsigned char)at[0]]; left;
	     left &= left - 1) {
		const struct signature *s = &signatures[__builtin_ctzll(left)];

		if (is_signature(s, at, len))
			return s->type;
	}
	if (is_arj(at, len))
		return "application/x-arj";
	return is_dos_program(at, len) ? "application/x-dosexec" : NULL;
}

bool
types_may_be_magic(const char *at, size_t len)
{
	if (len < 2)
		return true;
	if (!types_may_begin(first_bits(at)) && len > 16 &&
	    !may_be_late(at, len))
		return false;
	for (uint64_t left = candidates[(unsigned char)at[0]]; left;
	     left &= left - 1)
		if (may_be_signature(
			&signatures[__builtin_ctzll(left)], at, len))
			return true;
	return memcmp(at, "MZ", 2) == 0 || memcmp(at, "\140\352", 2) == 0;
}

/* No octet that text never holds (the classes of file(1)). */
static bool
is_text(const char *at, size_t len)
{
	static const char never[256] = {[0] = 1,
	    [1] = 1,
	    [2] = 1,
	    [3] = 1,
	    [4] = 1,
	    [5] = 1,
	    [6] = 1,
	    [14] = 1,
	    [15] = 1,
	    [16] = 1,
	    [17] = 1,
	    [18] = 1,
	    [19] = 1,
	    [20] = 1,
	    [21] = 1,
	    [22] = 1,
	    [23] = 1,
	    [24] = 1,
	    [25] = 1,
	    [28] = 1,
	    [29] = 1,
	    [30] = 1,
	    [31] = 1};
	char bad = 0;

	for (size_t i = 0; i < len; i++)
		bad |= never[(unsigned char)at[i]];
	return !bad;
}

struct opening {
	const char *word;
	const char *type;
};

/* How a text names itself, after white space; letters of any case. */
static const char *
opening_type(const char *at, size_t len)
{
	static const struct opening openings[] = {
	    {"<!doctype html", "text/html"},
	    {"<html", "text/html"},
	    {"<head", "text/html"},
	    {"<body", "text/html"},
	    {"<title", "text/html"},
	    {"<script", "text/html"},
	    {"<iframe", "text/html"},
	    {"<table", "text/html"},
	    {"<meta", "text/html"},
	    {"<svg", "image/svg+xml"},
	    {"<job", "text/x-wsf"},
	    {"<hta:", "application/hta"},
	    {"<?xml", "text/xml"},
	    {"<?php", "text/x-php"},
	    {"#!", "text/x-shellscript"},
	    {"@echo ", "text/x-msdos-batch"},
	    {"windows registry editor", "text/x-ms-regedit"},
	    {"[internetshortcut]", "application/x-mswinurl"},
	};

	while (len > 0 && (*at == ' ' || (*at >= '\t' && *at <= '\r')))
		at++, len--;
	if (len >= 3 && memcmp(at, "\357\273\277", 3) == 0)
		at += 3, len -= 3;
	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		const size_t n = strlen(openings[i].word);

		if (len >= n && strncasecmp(at, openings[i].word, n) == 0)
			return openings[i].type;
	}
	return NULL;
}

static const char *
text_type(const char *at, size_t len)
{
	const size_t look = len < SNIFF_BYTES ? len : SNIFF_BYTES;
	const char *type = opening_type(at, look);

	if (type)
		return type;
	/* Browsers look further than the first word. */
	for (const char *p = memchr(at, '<', look); p;
	     p = memchr(p + 1, '<', look - (size_t)(p + 1 - at))) {
		type = opening_type(p, look - (size_t)(p - at));
		if (type && strcmp(type, "text/html") == 0)
			return type;
	}
	return "text/plain";
}

const char *
types_detect(const char *at, size_t len)
{
	const char *known = types_magic(at, len);
	const char *type = NULL;

	if (known && known != compound)
		return known;
	if (is_text(at, len < TEXT_BYTES ? len : TEXT_BYTES))
		return text_type(at, len);
	if (database)
		type = magic_buffer(
		    database, at, len < MAGIC_BYTES ? len : MAGIC_BYTES);
	if (type && strchr(type, '/'))
		return type;
	return known ? known : "application/octet-stream";
}

bool
types_is_text(const char *type)
{
	return strncmp(type, "text/", 5) == 0;
}

bool
types_is_file(const char *type)
{
	static const char *const vague[] = {"text/plain", "text/html",
	    "text/xml", "application/octet-stream", "application/x-empty",
	    "message/rfc822"};

	for (size_t i = 0; i < ARRAY_SIZE(vague); i++)
		if (strcmp(type, vague[i]) == 0)
			return false;
	return true;
}

int
types_prepare(void)
{
	if (database)
		return 0;
	note_beginnings();
	database = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
			      MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_TOKENS |
			      MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_JSON |
			      MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_ELF);
	if (!database)
		return -ENOMEM;
	if (magic_load(database, NULL) < 0) {
		magic_close(database);
		database = NULL;
		return -ENOENT;
	}
	/* The first question builds tables; the cells find them ready. */
	(void)magic_buffer(database, "\001\002\003\004", 4);
	return 0;
}
