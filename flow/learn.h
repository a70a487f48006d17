/*
 * flow/learn.h - the learner: what it keeps of the mail it sees, when it makes
 * a model of it, and what the model's word counts.
 *
 * docs/decisions/0013-flow-learning.md says why.  Pure: no clock, no file
 * (flow/state.h has those); its random numbers come of a seed.
 */
#ifndef SLUICE_FLOW_LEARN_H
#define SLUICE_FLOW_LEARN_H

#include "flow/guard.h"
#include "flow/trial.h"

struct flow_rules {
	double spam_score; /* content scores from here on are spam */
	double ham_score;  /* and up to here are ham; what is between is none */
	double points;     /* what a connection like those of spam gets */
	size_t room;       /* samples kept of each class */
	size_t every;      /* a new model after so many, sooner of few */
	enum flow_kind kind;
};

/* 12 and 0.1 (SpamAssassin's bayes_auto_learn thresholds), 3, 2000, 100. */
extern const struct flow_rules flow_rules_default;

/* Samples of each class without which there is no model. */
#define FLOW_BEGIN 20

/* Records of each class without which no weight is earned. */
#define FLOW_TRIED 200

/* Judged mails that are remembered. */
#define FLOW_RECORDS 2000

/* A labelled mail that a model judged before it was learned. */
struct flow_heard {
	struct flow_judged judged;
	double content; /* the content filter's score; NAN: unknown */
	uint64_t peer;  /* its sender's, 0: unknown */
};

/* What a connection is taken for. */
struct flow_opinion {
	double score; /* log-odds of spam; NAN: there is no model */
	double bias;  /* score = bias + the sum of the contributions */
	double contributions[FLOW_FEATURES];
	double points; /* for the mail's content score, 0 or rules.points */
	char why[200]; /* why no points are given, or which features did it */
};

struct conf;
struct flow_learner;

/* The default, with scores and points as flow.learn_spam, learn_ham and weight
 * have them. */
struct flow_rules flow_rules_of(const struct conf *conf);

/* rules is copied.  The caller frees. */
struct flow_learner *flow_learner_new(
    const struct flow_rules *rules, uint64_t seed);
/* NULL is allowed.  Returns NULL. */
struct flow_learner *flow_learner_free(struct flow_learner *l);

/*
 * What the content filter's score, without what connections added to it,
 * says a mail is.  False: nothing, *ret_is_spam untouched.
 */
bool flow_label_of(
    const struct flow_rules *rules, double content_score, bool *ret_is_spam);

/*
 * Every connection that carried mail, labelled or not, once: for the guard
 * against proxies and NAT.  ttl: of its packets, NAN if unknown.
 */
void flow_learner_saw(
    struct flow_learner *l, const struct flow_sample *sample, double ttl);

/*
 * A mail that the content filter has labelled (sample->is_spam).  It is judged
 * for the record, then learned from, unless a guard has something against it.
 *
 * content  the filter's score, NAN if unknown
 *
 * Returns true if it was taken, false if a guard refused it.
 */
bool flow_learner_hear(
    struct flow_learner *l, const struct flow_sample *sample, double content);

/*
 * The same of a mail that the operator has labelled, past the guards.  If it
 * was learned by the other label, that is forgotten.
 */
void flow_learner_teach(
    struct flow_learner *l, const struct flow_sample *sample, double content);

/* Is it time for a new model?  And make it: blocks as flow_model_train(). */
bool flow_learner_is_due(const struct flow_learner *l);
void flow_learner_retrain(struct flow_learner *l);

/*
 * The same in two steps, for who has it made by another process: begin() when
 * that one has a copy, after which none is due until as many samples again;
 * adopt() when there is a model, which then is the learner's, or NULL when it
 * came to nothing: then one is due again.
 */
void flow_learner_begin(struct flow_learner *l);
void flow_learner_adopt(struct flow_learner *l, struct flow_model *model);

/* Below 0.1 ms; the sample's label is not looked at. */
void flow_learner_judge(const struct flow_learner *l,
    const struct flow_sample *sample, struct flow_opinion *ret);

/* How it stands with the learner; the first that holds. */
enum flow_standing {
	FLOW_HIDDEN,   /* behind a NAT or proxy: off */
	FLOW_FROZEN,   /* by the drift guard */
	FLOW_YOUNG,    /* no model yet */
	FLOW_UNEARNED, /* the record is too short, or too bad */
	FLOW_EARNED,   /* points are given */
	FLOW_STANDINGS
};

enum flow_standing flow_learner_standing(const struct flow_learner *l);
/* "hidden", "frozen", "young", "unearned", "earned"; and in words for people.
 * Valid for ever. */
const char *flow_standing_name(enum flow_standing standing);
const char *flow_standing_text(enum flow_standing standing);

/* Why no connection gets points, or NULL when they do. */
const char *flow_learner_why(const struct flow_learner *l);

/* What it has earned: points are given from this score on; INFINITY: none. */
double flow_learner_threshold(const struct flow_learner *l);

/* Labelled mails seen, of ham and spam; and those kept, whose samples are
 * written to ret (room for 2 * rules.room), owned by the learner. */
void flow_learner_seen(const struct flow_learner *l, uint64_t ret[2]);
size_t flow_learner_samples(
    const struct flow_learner *l, const struct flow_sample **ret);

/* The records, oldest first, to ret (room for FLOW_RECORDS).  How many? */
size_t flow_learner_records(
    const struct flow_learner *l, struct flow_heard *ret);

/* The model, or NULL; valid until the next retrain. */
const struct flow_model *flow_learner_model(const struct flow_learner *l);

#endif
