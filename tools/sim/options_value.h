/*
 * tools/sim/options_value.h - the values of options: numbers, lists, names,
 * instants.  Pure but for value_time(), which knows the local time zone.
 *
 * All return 0, or -EINVAL with *ret untouched and err saying which option
 * has which value and what to write instead.
 */
#ifndef SLUICE_TOOLS_SIM_OPTIONS_VALUE_H
#define SLUICE_TOOLS_SIM_OPTIONS_VALUE_H

#include "feed/sort.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a number may be. */
struct value_rule {
	const char *option; /* as it is written, "--rate" */
	double min, max;
	bool above;        /* min itself isn't allowed */
	const char *write; /* "messages a second, such as --rate 1.39" */
};

/* Decimal, 12.5 or 4e8; no blanks, no inf, nothing behind it. */
int value_number(const struct value_rule *rule, const char *text,
    double *ret_number, char *err, size_t err_size);

/* The same, and whole; less than 2^53, where doubles begin to
 * leave some out. */
int value_count(const struct value_rule *rule, const char *text,
    uint64_t *ret_count, char *err, size_t err_size);

/* Numbers with commas between: at least min_n, at most max_n. */
int value_numbers(const struct value_rule *rule, const char *text, size_t min_n,
    size_t max_n, double *ret_numbers, size_t *ret_n, char *err,
    size_t err_size);

/*
 * "2000,10000,50000": whole, at least 1, ascending, at most
 * FEED_MAX_LANES - 1.  Words "none" may stand at the end, and are left out.
 */
int value_limits(const char *text, uint64_t *ret_limits, size_t *ret_n,
    char *err, size_t err_size);

/* "size,steal", each once; "all". */
int value_policies(const char *text, enum feed_policy *ret_policies,
    size_t *ret_n, char *err, size_t err_size);

/*
 * An instant in microseconds since 1970: seconds since 1970 (1700000000.5),
 * "2026-11-21", "2026-11-21 14:30", "2026-11-21T14:30:05" in local time,
 * "today", "yesterday" (their first second), "now".
 */
int value_time(const char *option, const char *text, uint64_t *ret_usec,
    char *err, size_t err_size);

#endif
