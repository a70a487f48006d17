/*
 * worker/mime_leaf.h - one leaf of a reading: decode, and make parts of it.
 */
#ifndef SLUICE_WORKER_MIME_LEAF_H
#define SLUICE_WORKER_MIME_LEAF_H

#include "worker/carve.h"
#include "worker/cell_priv.h"
#include "worker/mime_codec.h"

struct leaf {
	struct span encoded;
	enum codec codec;
	struct source source;
};

/* Decode the leaf into the arena and submit it, then look for files in its
 * text or in what its decoding left unexplained.  Returns its part, or -1. */
int32_t mime_leaf(
    struct cell *c, const struct leaf *leaf, struct carve_seen *seen);

/* "media/sub" in lower case, clean, into buf. */
void mime_declared(const char *media, const char *sub, char *buf, size_t size);

#endif
