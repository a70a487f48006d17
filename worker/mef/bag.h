/*
 * worker/mef/bag.h - the distinct features of one document.
 *
 * A feature is a family and a 64-bit hash; a document has it or not, however
 * often it occurs.  Cells fill bags from hostile octets (worker/mef/extract.h)
 * and pack them; who holds the model (worker/mef/model.h) checks the packed
 * form and sees nothing else of the document.
 */
#ifndef SLUICE_WORKER_MEF_BAG_H
#define SLUICE_WORKER_MEF_BAG_H

#include "common/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of the file format: new ones are appended. */
enum mef_family {
	MEF_BYTES,   /* octets of 8-octet windows that their content picks */
	MEF_STRINGS, /* printable strings, whole */
	MEF_WORDS,   /* words of printable strings */
	MEF_IMPORTS, /* libraries and functions that the loader binds */
	MEF_HEADER,  /* facts of PE and ELF headers */
	MEF_SCRIPT,  /* words and pairs of words of scripts */
	MEF_LINES,   /* 16 aligned octets, a line of hexdump(1): MEF, 2001 */
	MEF_FAMILIES
};

/* "bytes", "strings", "words", "imports", "header", "script", "lines". */
extern const char *const mef_family_names[MEF_FAMILIES];

/* What a document is; only these are judged, others have no features. */
enum mef_kind { MEF_OTHER, MEF_PE, MEF_ELF, MEF_SCRIPTED, MEF_LIST, MEF_KINDS };
extern const char *const mef_kind_names[MEF_KINDS];

/*
 * Features of a family that are kept of one document: 64 MiB of random octets
 * have about as many windows.  What comes later is lost and counted.
 */
#define MEF_BAG_MAX (UINT32_C(1) << 20)

struct mef_features {
	uint64_t *at; /* ascending, without duplicates once finished */
	uint32_t n;
	uint32_t room; /* of at */
	bool is_full;  /* what comes is lost */
};

/* A feature as a text of n printable octets, for people. */
typedef void mef_bag_tell(
    void *arg, enum mef_family family, const char *text, size_t n);

struct mef_bag {
	struct mef_features family[MEF_FAMILIES];
	uint32_t kind;   /* enum mef_kind */
	uint32_t n_lost; /* features beyond MEF_BAG_MAX, at most UINT32_MAX */
	/* Told of imports and facts of headers as they are found, each as often
	 * as it is; NULL: nobody. */
	mef_bag_tell *tell;
	void *tell_arg;
};

/* Owned by the caller; dies if there is no memory. */
struct mef_bag *mef_bag_new(void);
struct mef_bag *mef_bag_free(struct mef_bag *bag);
DEFINE_CLEANUP(struct mef_bag *, mef_bag_free);

/* Forget everything but keep the memory for the next document. */
void mef_bag_clear(struct mef_bag *bag);

/* One feature more; duplicates are welcome until mef_bag_finish(). */
void mef_bag_add(struct mef_bag *bag, enum mef_family family, uint64_t hash);

/* Sort and drop duplicates.  To be called once, after the last feature. */
void mef_bag_finish(struct mef_bag *bag);
/* The same for one family; the others are in order already or not wanted. */
void mef_bag_finish_family(struct mef_bag *bag, enum mef_family family);

/*
 * The hash of a feature's octets (XXH3, 64 bits).  The same on every machine,
 * and part of the file format.
 */
uint64_t mef_hash(const void *octets, size_t n);

/*
 * A finished bag as octets, in the order of this host: for another process of
 * it, never for a file.  Fresh memory, which the caller frees.
 */
void *mef_bag_pack(const struct mef_bag *bag, size_t *ret_n);

/*
 * The reverse, for octets that a hostile process may have written.  Copies.
 * Returns 0, or -EBADMSG: they are no packed bag (lengths, order, kind).
 */
int mef_bag_unpack(const void *octets, size_t n, struct mef_bag **ret_bag);

#endif
