/*
 * worker/archive_zip.h - do the two tables of a zip tell the same?
 *
 * A zip lists its members twice: in the central directory at its end, and in
 * a local header before each member.  Programs believe one or the other.
 */
#ifndef SLUICE_WORKER_ARCHIVE_ZIP_H
#define SLUICE_WORKER_ARCHIVE_ZIP_H

#include "worker/cell_priv.h"

/*
 * Compare names, sizes, methods and places.  False: the tables differ, or
 * there are members that the central one doesn't list.  True for what is no
 * zip, for zip64, and for a zip that was cut off.  O(n log n), reads only.
 */
bool archive_zip_agrees(struct span octets);

#endif
