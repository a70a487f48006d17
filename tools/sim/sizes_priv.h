/*
 * tools/sim/sizes_priv.h - what the laws of sizes share: each is a row of
 * functions, and sizes.c calls them.
 */
#ifndef SLUICE_TOOLS_SIM_SIZES_PRIV_H
#define SLUICE_TOOLS_SIM_SIZES_PRIV_H

#include "tools/sim/rng.h"
#include "tools/sim/sizes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No mail is larger; beyond it octets aren't whole in a double. */
#define SIZES_MAX_BYTES      1e15
#define SIZES_MAX_COMPONENTS 64
/* Numbers drawn at a time: they stay in the first-level cache. */
#define SIZES_BATCH 512

/* Where to say what is wrong, and with what. */
struct sizes_err {
	char *text;
	size_t size;
	const char *where; /* the form of the SPEC, or a file */
	size_t line;       /* of the file; 0: none */
	size_t component;  /* that a number is of; 0: there are none */
};

/* "WHERE:LINE: " and what fmt says; always -EINVAL. */
int sizes_complain(struct sizes_err err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What a number of a SPEC or of a file may be: finite, in [min, max], or in
 * (min, max] with above; want tells the reader so. */
struct sizes_field {
	const char *name;
	double min, max;
	bool above;
	const char *want;
};

/* One number, len octets of text.  0 or -EINVAL. */
int sizes_number(const struct sizes_field *field, const char *text, size_t len,
    double *ret, struct sizes_err err);

/*
 * The numbers of args, with commas between them; each is checked by the next
 * of fields, from the first again when they end: the next component then.
 * Returns how many, or -EINVAL: one is wrong, or there are more than max.
 */
int sizes_numbers(const char *args, const struct sizes_field *fields,
    size_t n_fields, double *ret, size_t max, struct sizes_err err);

/*
 * The lines of a file, width numbers each with blanks between them; those
 * that are empty or begin with # are left out.
 *
 * form    a line as the complaint should describe it
 * check   NULL, or called with each row and the one before it (NULL for the
 *         first); not 0 from it ends the reading
 * ret     set on success only: *ret_n times width numbers, at least one row;
 *         the caller frees it
 *
 * Returns 0; -EINVAL: no rows, or a wrong one; or -errno as open(2), read(2).
 */
int sizes_rows_read(const char *path, const char *form,
    const struct sizes_field *fields, size_t width,
    int (*check)(const double *row, const double *before, struct sizes_err err),
    double **ret, size_t *ret_n, struct sizes_err err);

/*
 * One of n with its weight, in one step: Walker's alias method (1977), set up
 * as Vose did (1991).  A column is chosen evenly, and within it either its
 * own number or the other's.
 */
struct sizes_alias {
	size_t n;
	struct sizes_column {
		uint64_t own;     /* of 2^64; the rest is the other's */
		uint32_t pick[2]; /* its own, the other */
	} * columns;
};

/* Weights needn't sum to 1, but to something above 0. */
void sizes_alias_init(
    struct sizes_alias *alias, const double *weights, size_t n);
void sizes_alias_done(struct sizes_alias *alias);

static inline size_t
sizes_alias_pick(const struct sizes_alias *alias, uint64_t bits)
{
	/* The upper half of the product is the column, the lower half is
	 * even within it. */
	const unsigned __int128 product = (unsigned __int128)bits * alias->n;
	const struct sizes_column *column =
	    &alias->columns[(uint64_t)(product >> 64)];

	/* Indexed, for no processor could predict the branch. */
	return column->pick[(uint64_t)product >= column->own];
}

struct sizes_component {
	double mu, sd;
};

struct sizes_mixture {
	size_t n;
	struct sizes_component components[SIZES_MAX_COMPONENTS];
	double weights[SIZES_MAX_COMPONENTS];
	struct sizes_alias alias;
};

/* In order of size, not overlapping; sizes_bins.c. */
struct sizes_bins {
	size_t n;
	struct sizes_bin {
		double low, high, share;
	} * bins;
	struct moments *below; /* of the bins before; n + 1 */
	struct sizes_alias alias;
};

struct sizes_list {
	size_t n;
	double *sorted;
	struct moments *below;  /* of the blocks before; sizes_list.c */
	struct sizes_bins bins; /* of equal counts, for the density */
};

struct sizes {
	const struct sizes_law *law;
	char *spec;
	union {
		double mean; /* exp */
		struct {
			double mu, sigma;
		} lognormal;
		struct {
			double alpha, xmin, xmax; /* INFINITY: none */
		} pareto;
		struct sizes_mixture mixture;
		struct sizes_bins bins;
		struct sizes_list list;
	};
};

/* What sizes.c has made sure of: low < high, and low is -INFINITY for 0 and
 * below; 0 <= bytes; 0 < p < 1.  quantile NULL: by bisection of the
 * distribution; it writes doubles, which sizes.c rounds. */
struct sizes_law {
	const char *name;
	const char *form; /* of the SPEC */
	int (*parse)(struct sizes *, const char *args, struct sizes_err);
	void (*done)(struct sizes *);
	struct moments (*moments)(const struct sizes *, double, double);
	double (*density)(const struct sizes *, double bytes);
	double (*quantile)(const struct sizes *, double p);
	void (*draw)(const struct sizes *, struct rng *, double *ret, size_t n);
	/* The least and the largest size; quantiles of 0 and 1. */
	double (*least)(const struct sizes *);
	double (*largest)(const struct sizes *);
};

extern const struct sizes_law sizes_law_exponential, sizes_law_gaussmix,
    sizes_law_lognormal, sizes_law_pareto, sizes_law_hist, sizes_law_list;

/* Takes bytes, which it sorts. */
void sizes_list_init(struct sizes_list *list, double *bytes, size_t n);

/* Takes bins, whose shares needn't sum to 1, but to something above 0. */
void sizes_bins_init(struct sizes_bins *bins, struct sizes_bin *bin, size_t n);
void sizes_bins_done(struct sizes_bins *bins);
double sizes_bins_density(const struct sizes_bins *bins, double bytes);

#endif
