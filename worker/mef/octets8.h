/*
 * worker/mef/octets8.h - questions asked of eight octets at once, as if a word
 * were a vector: fast on any machine, and in no dialect of one.
 *
 * Answers are the top bits of the octets.  No carry leaves an octet: what is
 * added to lower seven bits is at most 127 (Hacker's Delight, 2nd ed., 6-1).
 */
#ifndef SLUICE_WORKER_MEF_OCTETS8_H
#define SLUICE_WORKER_MEF_OCTETS8_H

#include <stdint.h>
#include <string.h>

#define EACH(octet) (UINT64_C(0x0101010101010101) * (uint64_t)(octet))
#define TOPS        EACH(0x80)

static inline uint64_t
octets8_at(const void *at)
{
	uint64_t eight;

	memcpy(&eight, at, sizeof(eight)); /* hosts are little-endian */
	return eight;
}

/* Which are from low to high (1 to 126), of octets without top bits. */
static inline uint64_t
octets8_between(uint64_t eight, unsigned int low, unsigned int high)
{
	return (eight + EACH(128 - low)) & ~(eight + EACH(127 - high));
}

/* What strings(1) shows: blank to tilde, and tabulators. */
static inline uint64_t
octets8_printable(uint64_t eight)
{
	const uint64_t low = eight & ~TOPS;
	const uint64_t not_tab = (low ^ EACH('\t')) + EACH(127);

	return (octets8_between(low, ' ', '~') | ~not_tab) & ~eight & TOPS;
}

static inline uint64_t
octets8_zero(uint64_t eight)
{
	return ~(((eight & ~TOPS) + EACH(127)) | eight) & TOPS;
}

static inline uint64_t
octets8_letters(uint64_t eight)
{
	const uint64_t low = (eight & ~TOPS) | EACH(0x20);

	return octets8_between(low, 'a', 'z') & ~eight & TOPS;
}

static inline uint64_t
octets8_digits(uint64_t eight)
{
	return octets8_between(eight & ~TOPS, '0', '9') & ~eight & TOPS;
}

/* Eight answers as eight bits, that of the first octet lowest. */
static inline uint64_t
octets8_bits(uint64_t tops)
{
	return (tops >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

#endif
