/*
 * tools/sim/sizes_number.c - the numbers of a SPEC, and what is said of those
 * that are wrong.
 */
#include "tools/sim/sizes_priv.h"

#include "common/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer is no number, and would fill the complaint. */
#define MAX_NUMBER 40
#define MAX_NAME   48

int
sizes_complain(struct sizes_err err, const char *fmt, ...)
{
	CLEANUP(free_ptr) char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	if (err.size == 0 || !what)
		return -EINVAL;
	if (err.where && err.line > 0)
		(void)snprintf(err.text, err.size, "%s:%zu: %s", err.where,
		    err.line, what);
	else
		(void)snprintf(err.text, err.size, "%s%s%s",
		    err.where ? err.where : "", err.where ? ": " : "", what);
	return -EINVAL;
}

/* The decimal notation alone: strtod() would take nan, inf and 0x10 too. */
static bool
to_double(const char *text, size_t len, double *ret)
{
	char copy[MAX_NUMBER + 1], *end;

	if (len == 0 || len > MAX_NUMBER || memchr(text, '\0', len) != NULL)
		return false;
	(void)memcpy(copy, text, len);
	copy[len] = '\0';
	if (strspn(copy, "0123456789+-.eE") != len)
		return false;
	*ret = strtod(copy, &end);
	return *end == '\0';
}

/* As much of it as is useful, and nothing that a terminal obeys. */
static const char *
shown(const char *text, size_t len, char *ret)
{
	if (len > MAX_NUMBER)
		len = MAX_NUMBER;
	for (size_t i = 0; i < len; i++)
		ret[i] =
		    (char)(text[i] > ' ' && text[i] <= '~' ? text[i] : '?');
	ret[len] = '\0';
	return ret;
}

/* "W of component 2", or "size". */
static const char *
name_of(const struct sizes_field *field, struct sizes_err err, char *ret)
{
	if (err.component == 0)
		return field->name;
	(void)snprintf(
	    ret, MAX_NAME, "%s of component %zu", field->name, err.component);
	return ret;
}

int
sizes_number(const struct sizes_field *field, const char *text, size_t len,
    double *ret, struct sizes_err err)
{
	char name[MAX_NAME], copy[MAX_NUMBER + 1];
	double value;

	if (len == 0)
		return sizes_complain(err, "%s is missing; write %s",
		    name_of(field, err, name), field->want);
	if (!to_double(text, len, &value))
		return sizes_complain(err,
		    "%s is \"%s\", which is not a plain number; write %s",
		    name_of(field, err, name), shown(text, len, copy),
		    field->want);
	if (!isfinite(value) || value > field->max || value < field->min ||
	    (field->above && value <= field->min))
		return sizes_complain(err, "%s is %s; write %s",
		    name_of(field, err, name), shown(text, len, copy),
		    field->want);
	*ret = value;
	return 0;
}

int
sizes_numbers(const char *args, const struct sizes_field *fields,
    size_t n_fields, double *ret, size_t max, struct sizes_err err)
{
	size_t n = 0;

	for (;; args++) {
		const size_t len = strcspn(args, ",");
		char copy[MAX_NUMBER + 1];
		int r;

		if (n == max)
			return sizes_complain(err,
			    "more than %zu value%s; leave out \"%s\"", max,
			    max == 1 ? "" : "s",
			    shown(args, strlen(args), copy));
		if (max > n_fields)
			err.component = n / n_fields + 1;
		r = sizes_number(
		    &fields[n % n_fields], args, len, &ret[n], err);
		if (r < 0)
			return r;
		n++;
		args += len;
		if (*args == '\0')
			return (int)n;
	}
}
