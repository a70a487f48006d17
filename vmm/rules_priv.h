/*
 * vmm/rules_priv.h - the rule file, as the detector walks through it.
 *
 * A behaviour is found when one of its patterns is.  A pattern is a list of
 * steps, each an event of some kind whose fields fit; the steps of one
 * pattern may share one variable.  All text is compared as vmm/spelling.h
 * writes it.
 */
#ifndef SLUICE_VMM_RULES_PRIV_H
#define SLUICE_VMM_RULES_PRIV_H

#include "vmm/detector.h"
#include "vmm/glob.h"
#include "vmm/report.h"

#include <stdbool.h>

#define RULES_BYTES_MAX    (1u << 20) /* of all files */
#define RULES_CLASSES      64u
#define RULES_BEHAVIOURS   200u
#define RULES_STEPS        1000u /* of all patterns */
#define RULES_PATTERN      6u    /* steps of one */
#define RULES_TIMES        100u
#define RULES_WEIGHT_MAX   1000u
#define RULES_FEATURES     1000u
#define RULES_CALLS        2000u /* names of calls */
#define RULES_FEATURE_MAX  500u  /* names of one */
#define RULES_WINDOW_SLOTS 4000u /* sum of `times` where there is a span */

/* Fields that the detector derives, behind those of the report. */
enum rules_field {
	FIELD_IMAGE = GUEST_FIELDS, /* program of the event's process */
	FIELD_BASE,                 /* of path, behind the last / */
	FIELD_DIR,                  /* of path, before it */
	RULES_FIELDS
};

enum rules_item_type {
	ITEM_GLOB,
	ITEM_CLASS,
	ITEM_NEW,    /* a file that was made during the run */
	ITEM_SAMPLE, /* named as the sample */
};

struct rules_item {
	enum rules_item_type type;
	unsigned int class;
	struct glob *glob;
};

struct rules_class {
	char *name;
	size_t n_items;
	struct rules_item *items;
};

/* One field of an event: fits when one of the items does (or none, when
 * negated); without items it must only be there. */
struct rules_condition {
	unsigned int field;
	bool negated;
	bool is_variable; /* binds the variable, or must equal it */
	size_t n_items;
	struct rules_item *items;
};

struct rules_step {
	uint64_t kinds;      /* bit 1 << enum guest_kind */
	unsigned int number; /* in the whole file, from 0 */
	unsigned int behaviour;
	unsigned int position; /* in its pattern */
	bool is_last;
	bool is_after_variable; /* the step before it has the variable too */
	int variable;           /* field of it, -1: none */
	uint32_t times;         /* 1: the first will do */
	int different;          /* field that must differ, -1: none */
	uint32_t span_msec;     /* times: within; else: since the step before;
				   0: any */
	unsigned int window;    /* first of `times` slots, if both are given */
	size_t n_conditions;
	struct rules_condition *conditions;
};

struct rules_behaviour {
	char *id, *name, *attack;
	uint32_t weight;
	bool is_scorer;
};

/* Names of calls of which at least `least` must have been seen. */
struct rules_feature {
	double weight;
	unsigned int least;
};

struct rules_call {
	char *name;
	size_t n_features;
	unsigned int *features;
};

struct rules_scorer {
	bool is_there;
	unsigned int behaviour;
	double bias, threshold;
	unsigned int least; /* names that must be known for a verdict */
	size_t n_features;
	struct rules_feature *features;
	size_t n_calls; /* sorted by name */
	struct rules_call *calls;
};

struct rules {
	uint32_t threshold;
	char digest[65];
	size_t n_classes;
	struct rules_class classes[RULES_CLASSES];
	size_t n_behaviours;
	struct rules_behaviour *behaviours;
	size_t n_steps;
	struct rules_step *steps;
	/* Steps by kind of event: numbers. */
	size_t n_by_kind[GUEST_KINDS];
	unsigned int *by_kind[GUEST_KINDS];
	unsigned int n_window_slots;
	struct rules_scorer scorer;
};

/*
 * Rules out of text (length octets); name is for messages.  include is asked
 * for the text of a file that an "include" names (fresh memory, -errno if
 * not); NULL: there are none.  Returns 0, or -EINVAL with err filled.
 * Fuzzed by tests/fuzz/fuzz_rules.c.
 */
struct rules_source {
	int (*include)(void *arg, const char *name, char **ret, size_t *ret_n);
	void *arg;
};
int rules_parse(const char *name, const char *text, size_t length,
    const struct rules_source *source, struct rules **ret, char *err,
    size_t err_size);

/* "path", "image", ...; RULES_FIELDS: none of that name. */
unsigned int rules_field_of(const char *name, size_t length);
const char *rules_field_name(unsigned int field);
/* Can an event of that kind have it? */
bool rules_kind_has(enum guest_kind kind, unsigned int field);

#endif
