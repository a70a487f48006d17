/*
 * common/conf_priv.h - one setting, as the files conf*.c pass it about.
 */
#ifndef SLUICE_COMMON_CONF_PRIV_H
#define SLUICE_COMMON_CONF_PRIV_H

#include "common/conf.h"

enum conf_kind {
	CONF_KIND_SECTION,
	CONF_KIND_END,
	CONF_KIND_PATH,
	CONF_KIND_STRING,
	CONF_KIND_COUNT,
	CONF_KIND_PERCENT, /* uint64_t, in millionths */
	CONF_KIND_BYTES,
	CONF_KIND_SPAN,
	CONF_KIND_REAL,
	CONF_KIND_BOOL,
	CONF_KIND_SIZES,
	CONF_KIND_WORDS,
	CONF_KIND_CHOICE,
};

/* One line of conf.def, and where its value lies in a struct conf. */
struct conf_setting {
	enum conf_kind kind;
	const char *section;
	const char *name;
	void *at;        /* uint64_t, double, bool, char *, struct conf_sizes */
	const char *def; /* the default as in the file */
	const char *lo, *hi; /* as in the file; NULL: no range */
	const char *allowed; /* blank-separated; NULL: anything */
	const char *help;
};

typedef void conf_visit_fn(const struct conf_setting *setting, void *arg);

/* Call fn for each line of conf.def in its order. */
void conf_visit(struct conf *conf, conf_visit_fn *fn, void *arg);

/*
 * Check text and store it at setting->at (a string there is freed first).
 * Returns 0, or -EINVAL with the value untouched and why in err:
 * "what is wrong; what to write".
 */
int conf_take(const struct conf_setting *setting, const char *text, char *err,
    size_t err_size);

/* The value as conf_take() reads it; fresh memory. */
char *conf_give(const struct conf_setting *setting);

#endif
