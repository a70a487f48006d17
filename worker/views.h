/*
 * worker/views.h - readers that do not follow the declared structure.
 *
 * Wherever lines look like the header of a part, whatever the boundaries
 * say, what follows them is read as that part: by the first and by the last
 * of contradictory fields, and by every encoding that gives a file.  Runs
 * only when the standard reading left something unexplained.
 */
#ifndef SLUICE_WORKER_VIEWS_H
#define SLUICE_WORKER_VIEWS_H

#include "worker/mime_seen.h"

/* Read octets, one entity that the standard reader has seen as it says.
 * Parts get src's parent and depth. */
void views_read(struct cell *c, struct span octets,
    const struct mime_seen *seen, const struct source *src);

#endif
