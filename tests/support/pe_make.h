/*
 * tests/support/pe_make.h - a small PE program with one section and imports,
 * which does nothing; and ways to make it look like another.
 */
#ifndef SLUICE_TESTS_PE_MAKE_H
#define SLUICE_TESTS_PE_MAKE_H

#include <stdint.h>
#include <string.h>

#define PE_BYTES    2048u
#define PE_SECTIONS 0x138u /* of the table: 0x40 + 4 + 20 + 224 */
#define PE_RAW      0x400u
#define PE_RVA      0x1000u

static inline void
put(unsigned char *at, unsigned int off, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		at[off + i] = (unsigned char)(value >> (8 * i));
}

static inline void
pe_section(unsigned char *at, unsigned int i, const char *name)
{
	const unsigned int off = PE_SECTIONS + 40 * i;

	memcpy(at + off, name, strlen(name));
	put(at, off + 8, 0x400, 4); /* octets in memory */
	put(at, off + 12, PE_RVA + 0x1000 * i, 4);
	put(at, off + 16, 0x400, 4); /* in the file */
	put(at, off + 20, PE_RAW, 4);
	put(at, off + 36, 0xe0000020, 4);
}

/* Fills at[PE_BYTES]; the section's second half is filled from a seed. */
static inline void
pe_make(unsigned char *at, uint64_t seed)
{
	memset(at, 0, PE_BYTES);
	memcpy(at, "MZ", 2);
	put(at, 0x3c, 0x40, 4);
	memcpy(at + 0x40, "PE", 2);
	put(at, 0x44, 0x14c, 2);
	put(at, 0x46, 1, 2);
	put(at, 0x54, 224, 2);
	put(at, 0x58, 0x10b, 2);
	put(at, 0x58 + 16, PE_RVA, 4);
	put(at, 0x58 + 92, 16, 4);
	put(at, 0x58 + 96 + 8, PE_RVA, 4); /* imports */
	pe_section(at, 0, ".text");
	put(at, PE_RAW, PE_RVA + 0x40, 4); /* names of functions */
	put(at, PE_RAW + 12, PE_RVA + 0x80, 4);
	put(at, PE_RAW + 0x40, PE_RVA + 0x90, 4);
	put(at, PE_RAW + 0x44, 0x80000007, 4);
	memcpy(at + PE_RAW + 0x80, "KERNEL32.dll", 12);
	memcpy(at + PE_RAW + 0x92, "CreateFileA", 11);
	memcpy(at + PE_RAW + 0x100, "Printable Words", 15);
	for (unsigned int i = 0; i < 8; i++)
		at[PE_RAW + 0x120 + 2 * i] = (unsigned char)("WideText"[i]);
	for (unsigned int i = 0x200; i < 0x400; i++) {
		seed =
		    seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		at[PE_RAW + i] = (unsigned char)(seed >> 56);
	}
}

#endif
