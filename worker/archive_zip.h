/*
 * worker/archive_zip.h - do the two tables of a zip tell the same?
 *
 * A zip lists its members twice: in the central directory at its end, and in
 * a local header before each member.  Programs believe one or the other.
 */
#ifndef SLUICE_WORKER_ARCHIVE_ZIP_H
#define SLUICE_WORKER_ARCHIVE_ZIP_H

#include "worker/cell_priv.h"

enum zip_tables {
	ZIP_AGREES,
	ZIP_DIFFERS, /* or there are members that the central one lacks */
	ZIP_UNKNOWN, /* zip64, cut off, no zip, octets of no member */
};

/* Compare names, sizes, methods and places.  O(n log n), reads only. */
enum zip_tables archive_zip_tables(struct span octets);

/* Offset of what follows the last end record of a zip, its comment included;
 * the length when there is none. */
size_t archive_zip_tail(struct span octets);

/*
 * True when some header, of either table, names a file twice, and so that it
 * is of another kind by its Unicode path: readers show one or the other.
 */
bool archive_zip_renames(struct span octets);

/*
 * True when the octets, whatever they begin with, end in the end record of a
 * zip and its directory stands before that.  ret_is_exact: nothing follows.
 */
bool archive_zip_is_at_end(struct span octets, bool *ret_is_exact);

#endif
