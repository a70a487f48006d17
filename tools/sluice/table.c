/*
 * tools/sluice/table.c - tables and JSON lines on standard output.
 */
#include "tools/sluice/util.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <stdarg.h>
#include <string.h>

struct table {
	size_t columns;
	const char *const *titles;
	char **cells;
	size_t n_cells, room;
};

struct table *
table_new(size_t columns, const char *const *titles)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->columns = columns;
	t->titles = titles;
	return t;
}

void
table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	if (t->n_cells == t->room) {
		char **grown;

		t->room = t->room ? 2 * t->room : 64;
		grown = xcalloc(t->room, sizeof(*grown));
		if (t->n_cells)
			memcpy(grown, t->cells, t->n_cells * sizeof(*grown));
		free(t->cells);
		t->cells = grown;
	}
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
			*p = '?';
	t->cells[t->n_cells++] = text;
}

size_t
table_rows(const struct table *t)
{
	return t->n_cells / t->columns;
}

static size_t
column_width(const struct table *t, size_t column)
{
	const char *title = t->titles[column];
	size_t width = strlen(title) - (title[0] == '>');

	for (size_t i = column; i < t->n_cells; i += t->columns)
		if (strlen(t->cells[i]) > width)
			width = strlen(t->cells[i]);
	return width;
}

static void
print_row(const struct table *t, const char *const *cells, const int *widths,
    FILE *out)
{
	for (size_t c = 0; c < t->columns; c++) {
		const char *text = cells[c];
		bool right = t->titles[c][0] == '>';

		if (text == t->titles[c])
			text += right;
		if (right)
			(void)fprintf(out, "%*s", widths[c], text);
		else if (c + 1 < t->columns)
			(void)fprintf(out, "%-*s", widths[c], text);
		else
			(void)fputs(text, out);
		(void)fputs(c + 1 < t->columns ? "  " : "\n", out);
	}
}

void
table_free(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void
table_print(struct table *t, FILE *out)
{
	int *widths = xcalloc(t->columns, sizeof(*widths));
	const char **row = xcalloc(t->columns, sizeof(*row));

	for (size_t c = 0; c < t->columns; c++)
		widths[c] = (int)column_width(t, c);
	print_row(t, t->titles, widths, out);
	for (size_t r = 0; r < table_rows(t); r++) {
		for (size_t c = 0; c < t->columns; c++)
			row[c] = t->cells[r * t->columns + c];
		print_row(t, row, widths, out);
	}
	table_free(t);
	free(widths);
	free(row);
}

void
util_json_line(FILE *out, json_t *object)
{
	char *text = json_dumps(object,
	    JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));

	if (!text)
		abort(); /* we only build what can be written */
	(void)fprintf(out, "%s\n", text);
	(void)fflush(out);
	free(text);
	json_decref(object);
}

json_t *
util_json_text(const char *text)
{
	json_t *string = json_string(text ? text : "");

	if (!string) {
		char *copy = xstrdup(text);

		for (char *p = copy; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		string = json_string(copy);
		free(copy);
	}
	return string;
}

const char *
util_json_get(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

uint64_t
util_json_number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}
