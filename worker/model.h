/*
 * worker/model.h - the model of programs that the engines role judges by: one
 * file, mapped, and opened anew when another is renamed into its place.
 */
#ifndef SLUICE_WORKER_MODEL_H
#define SLUICE_WORKER_MODEL_H

#include "worker/mef/model.h"
#include "worker/table.h"

#include <stdbool.h>

enum model_state {
	/* The same values as enum metric_mef's. */
	MODEL_NONE,   /* there is no such file */
	MODEL_BROKEN, /* damaged or unreadable, and no former one is mapped */
	MODEL_FORMER, /* the same, but one from before it is in use */
	MODEL_GOOD,
	MODEL_STATES
};

struct model;

/* path and band (millionths) are what conf has.  Blocks to check and solve
 * what is there; never fails. */
struct model *model_new(const char *path, uint64_t band_ppm);
struct model *model_free(struct model *model);

/*
 * Is the file still the one that is in use?  Looks at most once a second, and
 * logs what has changed.  A new one is checked and solved by a thread, for
 * half a second or so; until then the one before is used as if there were no
 * other.  Blocks for a stat(2) only, or where there can be no thread.
 */
void model_look(struct model *model);

/* Readable when such a thread has ended, until the next model_look(), which
 * takes what it has.  The model's: to be waited for only. */
int model_fd(const struct model *model);

enum model_state model_state(const struct model *model);
/* One line: what is wrong with the file; "" in MODEL_GOOD. */
const char *model_why(const struct model *model);

/* Solved; NULL in MODEL_NONE and MODEL_BROKEN.  Until the next model_look(). */
const struct mef_model *model_get(const struct model *model);

/* What the scanned table's answers depend on: model and band. */
const char *model_context(const struct model *model);

#endif
