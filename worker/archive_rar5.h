/*
 * worker/archive_rar5.h - is anything in a RAR 5 archive encrypted?
 *
 * libarchive reads these, but passes over what says that a member is
 * encrypted, and takes encrypted headers for damage.
 */
#ifndef SLUICE_WORKER_ARCHIVE_RAR5_H
#define SLUICE_WORKER_ARCHIVE_RAR5_H

#include "worker/cell_priv.h"

/*
 * True when the octets begin as a RAR 5 archive and a block of it says that
 * headers or the content of a member are encrypted.  Looks at headers alone;
 * false, too, from where they are damaged on.
 */
bool archive_rar5_is_encrypted(struct span octets);

#endif
