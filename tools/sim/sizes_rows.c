/* tools/sim/sizes_rows.c - files of numbers, a row on each line. */
#include "tools/sim/sizes_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A size a line: some fifty million messages. */
#define MAX_FILE ((size_t)512 << 20)

struct rows {
	const char *form;
	const struct sizes_field *fields;
	size_t width;
	int (*check)(const double *, const double *, struct sizes_err);
	double *values;
	size_t n, room; /* in rows */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The word at *at, which goes behind it; 0 at the end. */
static size_t
next_word(const char **at, const char *end)
{
	const char *word;

	while (*at < end && is_blank(**at))
		(*at)++;
	word = *at;
	while (*at < end && !is_blank(**at))
		(*at)++;
	return (size_t)(*at - word);
}

/* Room for one more row, set to 0. */
static double *
rows_grow(struct rows *rows)
{
	if (rows->n == rows->room) {
		const size_t room = rows->room ? 2 * rows->room : 256;
		double *values = reallocarray(
		    rows->values, room * rows->width, sizeof(*values));

		if (!values)
			return NULL;
		rows->values = values;
		rows->room = room;
	}
	return rows->values + rows->n * rows->width;
}

static int
line_parse(struct rows *rows, const char *at, const char *end, double *row,
    struct sizes_err err)
{
	size_t n = 0, len;

	while ((len = next_word(&at, end)) > 0) {
		int r;

		if (n == rows->width)
			return sizes_complain(err,
			    "more than %zu number%s; write %s", rows->width,
			    rows->width == 1 ? "" : "s", rows->form);
		r = sizes_number(&rows->fields[n], at - len, len, &row[n], err);
		if (r < 0)
			return r;
		n++;
	}
	if (n < rows->width)
		return sizes_complain(err, "%s is missing; write %s",
		    rows->fields[n].name, rows->form);
	return 0;
}

static int
line_add(
    struct rows *rows, const char *at, const char *end, struct sizes_err err)
{
	const char *word = at;
	const size_t len = next_word(&word, end);
	double *row;
	int r;

	if (len == 0 || word[-(ptrdiff_t)len] == '#')
		return 0;
	row = rows_grow(rows);
	if (!row)
		return -ENOMEM;
	r = line_parse(rows, at, end, row, err);
	if (r == 0 && rows->check)
		r = rows->check(
		    row, rows->n > 0 ? row - rows->width : NULL, err);
	if (r == 0)
		rows->n++;
	return r;
}

static int
lines_add(struct rows *rows, const char *text, size_t len, struct sizes_err err)
{
	const char *const end = text + len;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		int r;

		err.line++;
		if (!stop)
			stop = end;
		r = line_add(rows, text, stop, err);
		if (r < 0)
			return r;
		text = stop + 1;
	}
	err.line = 0;
	if (rows->n == 0)
		return sizes_complain(
		    err, "no sizes in it; write lines of %s", rows->form);
	return 0;
}

static int
complain_of_file(int r, const char *form, struct sizes_err err)
{
	if (r == -EISDIR)
		(void)sizes_complain(err,
		    "is a directory; write the name of a file of lines %s",
		    form);
	else if (r == -EINVAL)
		(void)sizes_complain(err,
		    "is not a regular file; write the name of one, of lines %s",
		    form);
	else if (r == -EFBIG)
		(void)sizes_complain(err,
		    "is larger than %zu MiB; write a histogram or a part of it",
		    MAX_FILE >> 20);
	else
		(void)sizes_complain(err, "%s", strerror(-r));
	return r;
}

int
sizes_rows_read(const char *path, const char *form,
    const struct sizes_field *fields, size_t width,
    int (*check)(const double *, const double *, struct sizes_err),
    double **ret, size_t *ret_n, struct sizes_err err)
{
	struct rows rows = {form, fields, width, check, NULL, 0, 0};
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r;

	if (*path == '\0')
		return sizes_complain(err,
		    "FILE is missing; write the name of a file of lines %s",
		    form);
	err.where = path;
	r = read_file(AT_FDCWD, path, MAX_FILE, &text, &len);
	if (r < 0)
		return complain_of_file(r, form, err);
	r = lines_add(&rows, text, len, err);
	if (r < 0) {
		free(rows.values);
		return r == -ENOMEM ? complain_of_file(r, form, err) : r;
	}
	*ret = rows.values;
	*ret_n = rows.n;
	return 0;
}
