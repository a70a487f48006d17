/*
 * worker/archive.h - members of archives as parts (libarchive).
 */
#ifndef SLUICE_WORKER_ARCHIVE_H
#define SLUICE_WORKER_ARCHIVE_H

#include "worker/cell_priv.h"

/* True for types that archive_read() opens. */
bool archive_is_type(const char *type);

/*
 * Read the members of the archive in part index (octets stay in the arena).
 * Members become parts with parent index; what is encrypted, damaged or over
 * a budget is flagged or noted.
 */
void archive_read(
    struct cell *c, int32_t index, unsigned depth, struct span octets);

/*
 * Read octets of any type, the part index, as the archives that they also
 * are: a zip at the end of another file, a disk image or a tar that begins
 * as something else.  Members that nothing else shows are ambiguous.  Costs
 * a look at the end when they are none.
 */
void archive_also(
    struct cell *c, int32_t index, unsigned depth, struct span octets);

#endif
