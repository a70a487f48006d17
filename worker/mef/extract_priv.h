/*
 * worker/mef/extract_priv.h - the readers behind worker/mef/extract.h.
 */
#ifndef SLUICE_WORKER_MEF_EXTRACT_PRIV_H
#define SLUICE_WORKER_MEF_EXTRACT_PRIV_H

#include "worker/mef/extract.h"

#include <stdbool.h>

/* Octets that are borrowed. */
struct octets {
	const unsigned char *at;
	size_t n;
};

/* The part from off on, at most n long; empty where there is none. */
struct octets octets_part(struct octets all, uint64_t off, uint64_t n);

/* A little-endian number of 2, 4 or 8 octets; 0 where there is none. */
uint64_t octets_number(struct octets all, uint64_t off, unsigned int size);

/*
 * The text at off up to its NUL, at most most octets; false: none ends there,
 * it is empty, or has others than printable ASCII.
 */
bool octets_text(
    struct octets all, uint64_t off, size_t most, struct octets *ret_text);

/* Windows of octets: MEF_BYTES. */
void bytes_read(struct mef_bag *bag, struct octets part);

/* Printable strings, ASCII and UTF-16: MEF_STRINGS and MEF_WORDS. */
void strings_read(struct mef_bag *bag, struct octets part);
/* One that was found by others. */
void strings_one(struct mef_bag *bag, const char *text, size_t n);

/* Words and pairs of words of a script: MEF_SCRIPT. */
void script_read(struct mef_bag *bag, struct octets all);

/* A fact "name=value"; of a number its magnitude, too: MEF_HEADER. */
void facts_add(struct mef_bag *bag, const char *text, size_t n);
void facts_number(struct mef_bag *bag, const char *name, uint64_t value);

/* A library, a function or LIBRARY!FUNCTION, in any case: MEF_IMPORTS. */
void imports_add(struct mef_bag *bag, const char *text, size_t n);

/*
 * Facts and imports of a PE or ELF program, and which parts of the file the
 * loader maps: what lies elsewhere was put there for nobody or for a payload
 * of its own, and whoever pads a program pads it there.
 */
#define IMAGE_PARTS_MAX 96u

struct image {
	struct octets parts[IMAGE_PARTS_MAX];
	size_t n;
};

/* Returns false, and nothing was added, when it can't be one. */
bool pe_read(struct mef_bag *bag, struct octets all, struct image *ret_image);
bool elf_read(struct mef_bag *bag, struct octets all, struct image *ret_image);

#endif
