/*
 * worker/mef/elf.c - the headers of ELF programs (System V gABI), 32 and 64
 * bits, of little-endian machines; of others only the machine is a fact.
 */
#include "worker/mef/extract_priv.h"

#include <elf.h>
#include <string.h>

#define SYMBOLS_MOST 8192u
#define NEEDED_MOST  512u
#define NAME_MOST    256u

struct elf {
	struct octets all;
	bool is_wide;
	uint64_t segments;
	unsigned int n_segments, segment_bytes;
	uint64_t names, symbols, versions; /* addresses in memory; 0: none */
};

/* A word of the file's width, at off for 32 bits or wide_off for 64. */
static uint64_t
word(const struct elf *elf, uint64_t base, unsigned int off,
    unsigned int wide_off)
{
	return elf->is_wide ? octets_number(elf->all, base + wide_off, 8)
			    : octets_number(elf->all, base + off, 4);
}

static uint64_t
segment_at(const struct elf *elf, unsigned int i)
{
	return elf->segments + (uint64_t)i * elf->segment_bytes;
}

/* Where an address lies in the file; its length when nowhere. */
static uint64_t
offset_of(const struct elf *elf, uint64_t address)
{
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const uint64_t at = segment_at(elf, i);
		const uint64_t begin = word(elf, at, 8, 16);
		const uint64_t size = word(elf, at, 16, 32);

		if (octets_number(elf->all, at, 4) == PT_LOAD &&
		    address >= begin && address - begin < size)
			return word(elf, at, 4, 8) + (address - begin);
	}
	return elf->all.n;
}

static void
read_segments(const struct elf *elf, struct mef_bag *bag, struct image *image)
{
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const uint64_t at = segment_at(elf, i);
		const uint64_t type = octets_number(elf->all, at, 4);

		facts_number(bag, "elf.segment", type);
		if (type != PT_LOAD)
			continue;
		facts_number(bag, "elf.load-flags",
		    octets_number(elf->all, at + (elf->is_wide ? 4 : 24), 4));
		image->parts[image->n++] = octets_part(
		    elf->all, word(elf, at, 4, 8), word(elf, at, 16, 32));
	}
}

static void
add_name(const struct elf *elf, struct mef_bag *bag, uint64_t off)
{
	struct octets name;

	if (octets_text(elf->all, off, NAME_MOST, &name))
		imports_add(bag, (const char *)name.at, name.n);
}

static void
read_needed(struct elf *elf, struct mef_bag *bag, struct octets dynamic)
{
	const unsigned int size = elf->is_wide ? 8 : 4;
	const uint64_t names = offset_of(elf, elf->names);
	unsigned int needed = 0;

	for (uint64_t i = 0; i + 2 * size <= dynamic.n; i += 2 * size)
		if (octets_number(dynamic, i, size) == DT_NEEDED &&
		    needed++ < NEEDED_MOST)
			add_name(elf, bag,
			    names + octets_number(dynamic, i + size, size));
}

/* Undefined symbols from the second on, up to the table of names. */
static void
read_symbols(const struct elf *elf, struct mef_bag *bag)
{
	const unsigned int size = elf->is_wide ? 24 : 16;
	const uint64_t names = offset_of(elf, elf->names);
	const uint64_t begin = offset_of(elf, elf->symbols);

	for (unsigned int i = 1; i < SYMBOLS_MOST; i++) {
		const uint64_t at = begin + (uint64_t)i * size;

		if (at >= elf->all.n || (begin < names && at >= names))
			return;
		if (octets_number(elf->all, at + (elf->is_wide ? 6 : 14), 2) ==
		    SHN_UNDEF)
			add_name(
			    elf, bag, names + octets_number(elf->all, at, 4));
	}
}

static void
read_dynamic(struct elf *elf, struct mef_bag *bag, uint64_t segment)
{
	const unsigned int size = elf->is_wide ? 8 : 4;
	const struct octets dynamic = octets_part(
	    elf->all, word(elf, segment, 4, 8), word(elf, segment, 16, 32));

	for (uint64_t i = 0; i + 2 * size <= dynamic.n; i += 2 * size) {
		const uint64_t tag = octets_number(dynamic, i, size);
		const uint64_t value = octets_number(dynamic, i + size, size);

		if (tag == DT_NULL)
			break;
		if (tag == DT_STRTAB)
			elf->names = value;
		if (tag == DT_SYMTAB)
			elf->symbols = value;
		if (tag < DT_NUM)
			facts_number(bag, "elf.dynamic", tag);
	}
	read_needed(elf, bag, dynamic);
	read_symbols(elf, bag);
}

static void
read_head(struct elf *elf, struct mef_bag *bag)
{
	elf->segments = word(elf, 0, 28, 32);
	elf->segment_bytes =
	    (unsigned int)octets_number(elf->all, elf->is_wide ? 54 : 42, 2);
	elf->n_segments =
	    (unsigned int)octets_number(elf->all, elf->is_wide ? 56 : 44, 2);
	if (elf->n_segments > IMAGE_PARTS_MAX - 1)
		elf->n_segments = IMAGE_PARTS_MAX - 1;
	facts_number(bag, "elf.type", octets_number(elf->all, 16, 2));
	facts_number(bag, "elf.has-sections", word(elf, 0, 32, 40) != 0);
	facts_number(bag, "elf.abi", octets_number(elf->all, EI_OSABI, 1));
}

bool
elf_read(struct mef_bag *bag, struct octets all, struct image *ret_image)
{
	struct elf elf = {.all = all};

	if (all.n < EI_NIDENT + 4 || memcmp(all.at, ELFMAG, SELFMAG) != 0)
		return false;
	ret_image->n = 0;
	elf.is_wide = all.at[EI_CLASS] == ELFCLASS64;
	facts_number(bag, "elf.wide", elf.is_wide);
	facts_number(bag, "elf.order", all.at[EI_DATA]);
	facts_number(bag, "elf.machine", octets_number(all, 18, 2));
	if (all.at[EI_DATA] != ELFDATA2LSB)
		return true;
	read_head(&elf, bag);
	ret_image->parts[ret_image->n++] = octets_part(all, 0, 64);
	read_segments(&elf, bag, ret_image);
	for (unsigned int i = 0; i < elf.n_segments; i++)
		if (octets_number(all, segment_at(&elf, i), 4) == PT_DYNAMIC) {
			read_dynamic(&elf, bag, segment_at(&elf, i));
			break; /* the loader takes one */
		}
	return true;
}
