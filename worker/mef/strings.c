/*
 * worker/mef/strings.c - printable strings and the words in them.
 *
 * Strings are those of strings(1), ASCII and UTF-16, cut at 64 characters so
 * that lists of others, which are cut there, have the same.  The lowest bits
 * of a string's hash say how long it is and what of, so that a model can
 * tell the shape of all strings from the bag alone.
 *
 * Most octets of a program belong to no string, so those are passed over 64 at
 * a time: where strings begin is found in bit sets, without a branch for each
 * octet.  tests/prop/prop_mef_extract.c has the same read plainly.
 */
#include "worker/mef/extract_priv.h"
#include "worker/mef/octets8.h"
#include "worker/mef/shape.h"

#define LEAST          4u /* characters, as strings(1) */
#define MOST           64u
#define LEAST_OF_WORDS 5u /* shorter strings are machine code, mostly */

/* A string and, as bit sets, which of its characters are what. */
struct text {
	uint64_t octets[MOST / 8];
	unsigned int n;
	uint64_t all, letters, lower, digits;
};

static unsigned int
lowest(uint64_t set)
{
	return (unsigned int)__builtin_ctzll(set);
}

static void
look_at(struct text *text)
{
	for (unsigned int i = 0; 8 * i < text->n; i++) {
		const uint64_t eight = text->octets[i];
		const uint64_t letters = octets8_letters(eight);

		text->letters |= octets8_bits(letters) << 8 * i;
		/* 0x20 tells lower case. */
		text->lower |= octets8_bits(letters & eight << 2) << 8 * i;
		text->digits |= octets8_bits(octets8_digits(eight)) << 8 * i;
	}
	text->all = ~UINT64_C(0) >> (MOST - text->n);
	text->letters &= text->all;
	text->lower &= text->all;
	text->digits &= text->all;
}

/* See worker/mef/shape.h. */
static unsigned int
shape_of(const struct text *text)
{
	const unsigned int n = text->n;
	const uint64_t not_lower = text->all & ~text->lower;
	/* Half octaves from 4 on: 4, 5.7, 8, 11.3, ... 64. */
	const unsigned int octaves =
	    31u - (unsigned int)__builtin_clz(n * n | 16);
	const unsigned int length =
	    octaves - 4 < SHAPE_LENGTHS - 1 ? octaves - 4 : SHAPE_LENGTHS - 1;
	unsigned int made_of = 4;

	if (text->letters == text->all)
		made_of = (not_lower & (not_lower - 1)) == 0 ? 0 : 1;
	else if ((text->letters | text->digits) == text->all)
		made_of = 2;
	else if (10 * __builtin_popcountll(text->letters) > 7 * (int)n)
		made_of = 3;
	return made_of * SHAPE_LENGTHS + length;
}

/* The octets are in lower case. */
static void
add_word(struct mef_bag *bag, const char *word, unsigned int n)
{
	/* Lists are published with links that nobody can click on. */
	if (n == 4 && memcmp(word, "http", 4) == 0)
		word = "hxxp";
	mef_bag_add(bag, MEF_WORDS, mef_hash(word, n));
}

/* One word of LoadLibraryExA from i on: "Load"; "GUID"; its end. */
static unsigned int
piece_end(const struct text *text, unsigned int i)
{
	const uint64_t upper = (text->letters & ~text->lower) >> i;

	if ((upper & 3) == 3) {
		const unsigned int end = i + 1 + lowest(~(upper >> 1));

		/* XMLReader: XML, Reader */
		return end < MOST && text->lower >> end & 1 ? end - 1 : end;
	}
	return i + 1 + lowest(~(text->lower >> i >> 1));
}

static void
add_words(struct mef_bag *bag, const struct text *text)
{
	const uint64_t l = text->letters;
	uint64_t begins = l & l >> 1 & l >> 2 & l >> 3 & ~(l << 1);
	uint64_t low[MOST / 8];

	if (begins == 0)
		return;
	for (unsigned int i = 0; 8 * i < text->n; i++)
		low[i] = text->octets[i] | EACH(0x20);
	for (; begins != 0; begins &= begins - 1) {
		unsigned int i = lowest(begins);

		while (i < MOST && l >> i & 1) {
			const unsigned int end = piece_end(text, i);

			if (end - i >= 3)
				add_word(bag, (const char *)low + i, end - i);
			i = end;
		}
	}
}

static void
add_text(struct mef_bag *bag, struct text *text)
{
	look_at(text);
	mef_bag_add(bag, MEF_STRINGS,
	    (mef_hash(text->octets, text->n) & ~(uint64_t)(SHAPE_ROOM - 1)) |
		shape_of(text));
	if (text->n >= LEAST_OF_WORDS)
		add_words(bag, text);
}

void
strings_one(struct mef_bag *bag, const char *octets, size_t n)
{
	struct text text = {.n = n < MOST ? (unsigned int)n : MOST};

	if (n < LEAST)
		return;
	memcpy(text.octets, octets, text.n);
	add_text(bag, &text);
}

/* 64 octets as bit sets, the first lowest; beyond the end is neither. */
struct block {
	uint64_t printable, zero;
};

static struct block
block_at(struct octets part, size_t at)
{
	unsigned char copy[64];
	const unsigned char *from = part.at + at;
	struct block block = {0, 0};

	if (at >= part.n)
		return block;
	if (part.n - at < sizeof(copy)) {
		memset(copy, 0xff, sizeof(copy));
		memcpy(copy, from, part.n - at);
		from = copy;
	}
	for (unsigned int i = 0; i < 64; i += 8) {
		const uint64_t eight = octets8_at(from + i);

		block.printable |= octets8_bits(octets8_printable(eight)) << i;
		block.zero |= octets8_bits(octets8_zero(eight)) << i;
	}
	return block;
}

/* Bits from `by` on (1 to 63) of a set and the one that follows it. */
static uint64_t
ahead(uint64_t set, uint64_t next, unsigned int by)
{
	return set >> by | next << (64 - by);
}

/* Where four or more characters begin; before is 1 if one ends here. */
static uint64_t
narrow_begins(struct block now, struct block next, uint64_t before)
{
	const uint64_t p = now.printable, q = next.printable;

	return p & ahead(p, q, 1) & ahead(p, q, 2) & ahead(p, q, 3) &
	       ~(p << 1 | before);
}

/* Where four or more characters of UTF-16 are, or the rest of more. */
static uint64_t
wide_begins(struct block now, struct block next)
{
	const uint64_t w = now.printable & ahead(now.zero, next.zero, 1);
	const uint64_t v = next.printable & next.zero >> 1;

	return w & ahead(w, v, 2) & ahead(w, v, 4) & ahead(w, v, 6);
}

static void
read_narrow(struct mef_bag *bag, struct octets part, size_t at, uint64_t run)
{
	struct text text;

	text.n = ~run ? lowest(~run) : MOST; /* the rest is cut off */
	text.letters = text.lower = text.digits = 0;
	if (part.n - at >= sizeof(text.octets))
		memcpy(text.octets, part.at + at, sizeof(text.octets));
	else
		memcpy(text.octets, part.at + at, text.n);
	add_text(bag, &text);
}

/* Returns where it ends. */
static size_t
read_wide(struct mef_bag *bag, struct octets part, size_t at)
{
	char text[MOST];
	size_t n = 0;

	for (; at + 1 < part.n && part.at[at + 1] == 0 &&
	       octets8_printable(part.at[at]) & 0x80;
	     at += 2)
		if (n < MOST)
			text[n++] = (char)part.at[at];
	strings_one(bag, text, n);
	return at;
}

void
strings_read(struct mef_bag *bag, struct octets part)
{
	struct block now = block_at(part, 0), next;
	uint64_t before = 0;
	size_t done = 0; /* as UTF-16 */

	for (size_t base = 0; base < part.n; base += 64) {
		uint64_t narrow, begins;

		next = block_at(part, base + 64);
		narrow = narrow_begins(now, next, before);
		begins = narrow | wide_begins(now, next);
		for (; begins != 0; begins &= begins - 1) {
			const unsigned int i = lowest(begins);

			if (narrow >> i & 1)
				read_narrow(bag, part, base + i,
				    now.printable >> i | next.printable
							     << 1 << (63 - i));
			else if (base + i >= done)
				done = read_wide(bag, part, base + i);
		}
		before = now.printable >> 63;
		now = next;
	}
}
