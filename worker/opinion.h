/*
 * worker/opinion.h - what the engine mef holds of one file, and how it is
 * told: to people, and to the scanned table, which keeps a short text.  Pure.
 */
#ifndef SLUICE_WORKER_OPINION_H
#define SLUICE_WORKER_OPINION_H

#include "worker/answer.h"
#include "worker/mef/model.h"
#include "worker/mef/strongest.h"
#include "worker/table.h"

#include <stdbool.h>
#include <stddef.h>

/* Features that are told of one file. */
#define OPINION_STRONGEST 5

enum opinion_by {
	OPINION_SCORE,   /* P is the model's */
	OPINION_LEARNED, /* the model has learned this very file */
	OPINION_LISTED,  /* the site knows it (conf mef.known) */
};

struct opinion {
	enum opinion_by by;
	enum mef_label label;
	enum mef_kind kind; /* MEF_OTHER: nobody looked */
	double p_malicious;
	bool has_families;
	double family[MEF_FAMILIES]; /* parts of the score, log-odds */
	size_t n_strongest;          /* 0 if the table knew it */
	struct mef_strong strongest[OPINION_STRONGEST];
};

/* For people, in one line, as "malicious, P 97.3 % (pe; imports +2.1)". */
void opinion_text(const struct opinion *opinion, char ret[ANSWER_REASON_MAX]);

/* For the table: all but by (OPINION_SCORE alone is kept) and strongest. */
void opinion_keep(const struct opinion *opinion, char ret[TABLE_NAME_MAX]);

/* The reverse, for what another process may have written; false: it is none. */
bool opinion_kept(const char *text, struct opinion *ret);

#endif
