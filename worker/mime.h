/*
 * worker/mime.h - the standard reading of mail (GMime).
 */
#ifndef SLUICE_WORKER_MIME_H
#define SLUICE_WORKER_MIME_H

#include "worker/cell_priv.h"

/* GMime's tables, once before the cells are forked.  0. */
int mime_prepare(void);

/* Read the whole message by every reader. */
void mime_message(struct cell *c);

/* Read the part index, a text found at src, as a message, if it is one. */
void mime_inside(struct cell *c, int32_t index, const struct source *src,
    struct span octets);

#endif
