/*
 * flow/learn_priv.h - what the learner is made of, for flow/state.c.
 */
#ifndef SLUICE_FLOW_LEARN_PRIV_H
#define SLUICE_FLOW_LEARN_PRIV_H

#include "flow/learn.h"

#define FLOW_WINDOW 200 /* automatic samples the drift guard looks at */

struct flow_kept {
	struct flow_sample sample;
	uint64_t number; /* the how manieth labelled mail it was */
};

/* A class; each of the `seen` has the same chance to be among the n kept. */
struct flow_reservoir {
	struct flow_kept *kept;
	size_t n;
	uint64_t seen;
};

/* The last automatic samples of a class. */
struct flow_window {
	struct flow_kept ring[FLOW_WINDOW];
	size_t n, next;
};

struct flow_learner {
	struct flow_rules rules;
	uint64_t seed, number;
	size_t since; /* samples taken since the model was made */
	size_t begun; /* of these, in the one that is being made elsewhere */
	struct flow_reservoir of[2];
	struct flow_model *model;

	struct flow_heard records[FLOW_RECORDS]; /* a ring */
	size_t n_records, next_record;
	double threshold; /* earned; INFINITY: none */

	struct flow_paths paths;
	char hidden[200]; /* why connections tell nothing; "": they do */

	/* The drift guard. */
	struct flow_window recent[2];
	bool labels[FLOW_WINDOW]; /* the last automatic ones, a ring */
	size_t n_labels, next_label;
	uint64_t before[2];  /* automatic labels that fell out of it */
	char frozen[200];    /* why; "": it isn't */
	uint64_t frozen_for; /* automatic samples since */
};

/* Put a sample of a class where chance says, or drop it. */
void flow_reservoir_add(struct flow_reservoir *r, size_t room,
    const struct flow_kept *kept, uint64_t *seed);

/* One ham in so many may be above the threshold. */
#define FLOW_FALSE_IN 100

/*
 * Share of what is labelled ham that may be spam: 0.8 % of labels that four
 * filters and people gave were wrong (docs/notes/flow-models.md).
 */
#define FLOW_WRONG_MOST 0.008

/*
 * What the records say a score must be for points; INFINITY: they say none.
 * Ham of a peer of whom more spam than ham is known may be spam that was
 * labelled wrongly: up to FLOW_WRONG_MOST of the ham, the highest scores
 * first, is passed over for that.
 */
double flow_earned(const struct flow_heard *records, size_t n);

/* Work out anew what was earned and whether connections are hidden. */
void flow_learner_refresh(struct flow_learner *l);

/* Note an automatic sample, and freeze or thaw. */
void flow_drift_note(struct flow_learner *l, const struct flow_kept *kept);

#endif
