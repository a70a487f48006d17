/*
 * worker/mime_seen.h - what the standard reading of one entity accounted for,
 * so that other readers know where to look.
 */
#ifndef SLUICE_WORKER_MIME_SEEN_H
#define SLUICE_WORKER_MIME_SEEN_H

#include "worker/carve.h"
#include "worker/cell_priv.h"
#include "worker/mime_codec.h"

struct seen_leaf {
	struct span encoded;
	enum codec codec; /* by which it was decoded */
	int32_t part;     /* or -1 */
};

struct mime_seen {
	struct seen_leaf *leaves; /* in the order of the message */
	size_t n_leaves;
	size_t room;
	uint32_t content_headers; /* Content-... that had an effect */
	bool is_strange;          /* another reader may see other headers */
	bool is_folder;           /* of many messages: headers are anywhere */
	struct carve_seen lines;
};

void seen_add(struct mime_seen *seen, const struct seen_leaf *leaf);
/* The leaf that begins at this octet, or NULL. */
const struct seen_leaf *seen_at(const struct mime_seen *seen, const char *at);
/* True when the octet lies within a leaf. */
bool seen_covers(const struct mime_seen *seen, const char *at);
void seen_done(struct mime_seen *seen);

/*
 * A Content-... field that every reader understands in the same way: no
 * comment, escape, encoded word, doubled parameter or unknown encoding.
 */
bool seen_is_plain(const char *name, const char *value);

/*
 * What stands before a body, from the end of the one before: true when it
 * ends in a block of nothing but fields and their folds, and an empty line.
 */
bool seen_is_plain_head(struct span gap);

#endif
