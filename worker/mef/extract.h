/*
 * worker/mef/extract.h - features of programs: PE, ELF, scripts, and lists of
 * features that others have extracted.
 *
 * Parses hostile octets.  It belongs into a process that holds nothing else
 * and is used once.  Every number of a file is checked before it is used, time
 * is linear in its length, and memory bounded by MEF_BAG_MAX.
 */
#ifndef SLUICE_WORKER_MEF_EXTRACT_H
#define SLUICE_WORKER_MEF_EXTRACT_H

#include "worker/mef/bag.h"

/* Which features: a model is made with one of these and asks for no other. */
enum mef_set {
	MEF_SET_FULL, /* every family but MEF_LINES */
	MEF_SET_2001, /* MEF_LINES alone */
	MEF_SETS
};

/* A longer document is judged by this much of its beginning and is marked. */
#define MEF_DOCUMENT_MAX (UINT64_C(256) << 20)

/* Is it a program that a model judges?  Looks at the first 4 KiB alone. */
enum mef_kind mef_kind_of(const void *octets, size_t n);

/*
 * Add the features of a document to an empty bag and finish it.  A document
 * of kind MEF_OTHER gets its bytes and strings as well: whoever calls decides
 * by bag->kind whether that is judged.
 */
void mef_extract(
    struct mef_bag *bag, enum mef_set set, const void *octets, size_t n);

/*
 * The same for a text of one feature a line.  A line that begins with the
 * name of a family and a colon ("imports:kernel32.dll!CreateFileA",
 * "header:sections=5") is that feature; every other is a printable string of
 * the document, as strings(1) shows it.  Under MEF_SET_2001 each line is one
 * feature of MEF_LINES.
 */
void mef_extract_list(
    struct mef_bag *bag, enum mef_set set, const char *text, size_t n);

#endif
