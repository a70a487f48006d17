/*
 * worker/mef/pe.c - the headers of Windows programs (Microsoft's "PE Format").
 *
 * Reads what the loader reads.  No number of the file is an address: each is
 * looked up in the sections and then bounded by octets_part() and its kind.
 */
#include "worker/mef/extract_priv.h"

#include <stdio.h>
#include <string.h>

#define LIBRARIES_MOST 512u
#define FUNCTIONS_MOST 8192u /* of all libraries together */
#define NAME_MOST      256u

#define COFF_BYTES    20u
#define SECTION_BYTES 40u
#define IMPORT_BYTES  20u
#define OPTIONAL_PLUS 0x20bu /* PE32+: 64 bits */

struct pe {
	struct octets all;
	uint64_t coff, optional, sections;
	unsigned int n_sections, n_directories;
	uint64_t directories;
	bool is_wide;           /* PE32+ */
	unsigned int functions; /* seen yet */
};

static uint64_t
section_number(const struct pe *pe, unsigned int i, unsigned int off)
{
	return octets_number(
	    pe->all, pe->sections + i * SECTION_BYTES + off, 4);
}

/* Where an RVA lies in the file; the file's length when nowhere. */
static uint64_t
offset_of(const struct pe *pe, uint64_t rva)
{
	for (unsigned int i = 0; i < pe->n_sections; i++) {
		const uint64_t begin = section_number(pe, i, 12);
		const uint64_t size = section_number(pe, i, 16);

		if (rva >= begin && rva - begin < size)
			return section_number(pe, i, 20) + (rva - begin);
	}
	return pe->all.n;
}

static bool
find_headers(struct octets all, struct pe *ret)
{
	const uint64_t at = octets_number(all, 0x3c, 4);
	struct pe pe = {.all = all, .coff = at + 4};
	unsigned int size;

	if (all.n < 0x40 || memcmp(all.at, "MZ", 2) != 0 ||
	    octets_number(all, at, 4) != 0x4550) /* "PE", NUL, NUL */
		return false;
	pe.n_sections = (unsigned int)octets_number(all, pe.coff + 2, 2);
	if (pe.n_sections > IMAGE_PARTS_MAX - 1)
		pe.n_sections = IMAGE_PARTS_MAX - 1; /* as the loader: 96 */
	size = (unsigned int)octets_number(all, pe.coff + 16, 2);
	pe.optional = pe.coff + COFF_BYTES;
	pe.sections = pe.optional + size;
	pe.is_wide = octets_number(all, pe.optional, 2) == OPTIONAL_PLUS;
	pe.directories = pe.optional + (pe.is_wide ? 112 : 96);
	pe.n_directories =
	    (unsigned int)octets_number(all, pe.directories - 4, 4);
	if (pe.n_directories > 16)
		pe.n_directories = 16;
	*ret = pe;
	return true;
}

static void
read_header_facts(const struct pe *pe, struct mef_bag *bag)
{
	static const struct {
		const char *name;
		unsigned int off, size;
	} facts[] = {
	    {"pe.linker", 2, 1},
	    {"pe.code", 4, 4},
	    {"pe.data", 8, 4},
	    {"pe.entry", 16, 4},
	    {"pe.section-alignment", 32, 4},
	    {"pe.file-alignment", 36, 4},
	    {"pe.os", 40, 2},
	    {"pe.image-version", 44, 2},
	    {"pe.subsystem-version", 48, 2},
	    {"pe.header-bytes", 60, 4},
	    {"pe.subsystem", 68, 2},
	    {"pe.dll-flags", 70, 2},
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		facts_number(bag, facts[i].name,
		    octets_number(
			pe->all, pe->optional + facts[i].off, facts[i].size));
	facts_number(bag, "pe.machine", octets_number(pe->all, pe->coff, 2));
	facts_number(bag, "pe.flags", octets_number(pe->all, pe->coff + 18, 2));
	facts_number(bag, "pe.wide", pe->is_wide);
	facts_number(bag, "pe.has-checksum",
	    octets_number(pe->all, pe->optional + 64, 4) != 0);
	for (unsigned int i = 0; i < pe->n_directories; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "pe.directory%u", i);
		facts_number(bag, name,
		    octets_number(pe->all, pe->directories + 8 * i + 4, 4) !=
			0);
	}
}

static void
read_sections(const struct pe *pe, struct mef_bag *bag, struct image *image)
{
	const uint64_t entry = octets_number(pe->all, pe->optional + 16, 4);

	for (unsigned int i = 0; i < pe->n_sections; i++) {
		const uint64_t at = pe->sections + i * SECTION_BYTES;
		const uint64_t begin = section_number(pe, i, 12);
		const uint64_t flags = section_number(pe, i, 36);
		struct octets name = octets_part(pe->all, at, 8);
		char text[64];
		int n;

		name.n = strnlen((const char *)name.at, name.n);
		n = snprintf(text, sizeof(text), "pe.section=%.*s:%x",
		    (int)name.n, (const char *)name.at,
		    (unsigned int)(flags >> 29));
		facts_add(bag, text, (size_t)n);
		if (entry >= begin && entry - begin < section_number(pe, i, 8))
			facts_number(bag, "pe.entry-flags", flags >> 29);
		image->parts[image->n++] = octets_part(pe->all,
		    section_number(pe, i, 20), section_number(pe, i, 16));
	}
}

static void
read_functions(
    struct pe *pe, struct mef_bag *bag, const char *library, uint64_t table)
{
	const unsigned int size = pe->is_wide ? 8 : 4;
	const uint64_t by_number = UINT64_C(1) << (8 * size - 1);
	uint64_t entry;

	while (pe->functions < FUNCTIONS_MOST &&
	       (entry = octets_number(pe->all, table, size)) != 0) {
		char text[2 * NAME_MOST];
		struct octets name;
		int n;

		pe->functions++;
		table += size;
		if (entry & by_number) {
			n = snprintf(text, sizeof(text), "%s!#%u", library,
			    (unsigned int)(entry & 0xffff));
			imports_add(bag, text, (size_t)n);
			continue;
		}
		if (!octets_text(pe->all, offset_of(pe, entry & 0x7fffffff) + 2,
			NAME_MOST, &name))
			continue;
		imports_add(bag, (const char *)name.at, name.n);
		n = snprintf(text, sizeof(text), "%s!%.*s", library,
		    (int)name.n, (const char *)name.at);
		imports_add(bag, text, (size_t)n);
	}
}

static void
read_imports(struct pe *pe, struct mef_bag *bag)
{
	const uint64_t at =
	    pe->n_directories > 1
		? offset_of(pe, octets_number(pe->all, pe->directories + 8, 4))
		: pe->all.n;

	for (unsigned int i = 0; i < LIBRARIES_MOST; i++) {
		const uint64_t entry = at + i * IMPORT_BYTES;
		uint64_t names = octets_number(pe->all, entry, 4);
		const uint64_t rva = octets_number(pe->all, entry + 12, 4);
		char library[NAME_MOST + 1];
		struct octets name;

		if (rva == 0)
			return;
		if (!octets_text(pe->all, offset_of(pe, rva), NAME_MOST, &name))
			continue;
		if (names == 0) /* Borland's linker: the bound table alone */
			names = octets_number(pe->all, entry + 16, 4);
		(void)snprintf(library, sizeof(library), "%.*s", (int)name.n,
		    (const char *)name.at);
		imports_add(bag, library, name.n);
		read_functions(pe, bag, library, offset_of(pe, names));
	}
}

bool
pe_read(struct mef_bag *bag, struct octets all, struct image *ret_image)
{
	struct pe pe;

	if (!find_headers(all, &pe))
		return false;
	ret_image->n = 0;
	read_header_facts(&pe, bag);
	/* DOS stub and headers are the image's, too. */
	ret_image->parts[ret_image->n++] = octets_part(
	    all, 0, pe.sections + pe.n_sections * (uint64_t)SECTION_BYTES);
	read_sections(&pe, bag, ret_image);
	read_imports(&pe, bag);
	return true;
}
