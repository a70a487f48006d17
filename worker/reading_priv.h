/*
 * worker/reading_priv.h - the file that worker/reading.h describes, octet by
 * octet; shared by its writer (in the cell) and its reader (outside).
 *
 * The strings are one run without offsets: for each part in turn its names,
 * its declared type and its true type, each with its NUL, then the text, then
 * the links.  So no two records can share a string, and reading them all is
 * linear.
 */
#ifndef SLUICE_WORKER_READING_PRIV_H
#define SLUICE_WORKER_READING_PRIV_H

#include <stdint.h>

#define READING_MAGIC UINT64_C(0x31676e6964616572) /* "reading1" */

/* Longest strings, without NUL; writers cut, readers refuse. */
#define READING_NAME_MAX  255
#define READING_NAMES_MAX 64
#define READING_TEXT_MAX  1023
#define READING_LINK_MAX  1000 /* URL_MAX */
#define READING_LINKS_MAX 64
/* More records than budget.parts can ask for mean an enemy. */
#define READING_PARTS_MAX 200000

struct reading_head {
	uint64_t magic;
	uint64_t parts_off;
	uint64_t strings_off;
	uint64_t strings_bytes;
	uint32_t n_parts;
	uint32_t status;
	uint32_t ambiguity;
	uint32_t hold;
	uint32_t n_links;
	uint32_t links_cut;
	uint64_t pad;
};

struct reading_record {
	uint64_t off;
	uint64_t bytes;
	int32_t parent;
	uint16_t depth;
	uint16_t view;
	uint32_t flags;
	uint32_t n_names;
};

_Static_assert(sizeof(struct reading_head) == 64, "READING_HEAD_BYTES");
_Static_assert(sizeof(struct reading_record) == 32, "no holes");

#endif
