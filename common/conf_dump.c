#include "common/conf_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <string.h>

#define COLUMNS 78

/* What the walk over conf.def carries along. */
struct dump {
	FILE *out;
	bool first; /* of its section */
};

static void
put_comment(FILE *out, const char *indent, const char *text)
{
	/* A tab counts as eight columns. */
	size_t used = strlen(indent) * 8 + 1, column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > 0 && column + 1 + n > COLUMNS) {
			(void)fputc('\n', out);
			column = 0;
		}
		if (column == 0) {
			(void)fprintf(out, "%s#", indent);
			column = used;
		}
		(void)fprintf(out, " %.*s", (int)n, text);
		column += n + 1;
		text += n;
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

static bool
is_number(enum conf_kind kind)
{
	return kind == CONF_KIND_COUNT || kind == CONF_KIND_PERCENT ||
	       kind == CONF_KIND_BYTES || kind == CONF_KIND_SPAN;
}

static void
put_range(const struct dump *d, const struct conf_setting *s)
{
	CLEANUP(free_ptr) char *text = NULL;

	if (s->lo)
		text = xasprintf(
		    "From %s to %s; default %s", s->lo, s->hi, s->def);
	else if (s->allowed)
		text = xasprintf("%s of: %s; default \"%s\"",
		    s->kind == CONF_KIND_CHOICE ? "One" : "Any", s->allowed,
		    s->def);
	else if (s->kind == CONF_KIND_BOOL)
		text = xasprintf("true or false; default %s", s->def);
	else
		text = xasprintf("Default \"%s\"", s->def);
	put_comment(d->out, "\t", text);
}

/* 60s stays 60s where that is the default's own wording. */
static bool
is_default(const struct conf_setting *s, const char *text)
{
	struct conf_setting copy = *s;
	CLEANUP(free_ptr) char *normal = NULL;
	uint64_t n = 0;
	char why[256];

	if (!is_number(s->kind))
		return false;
	copy.at = &n;
	if (conf_take(&copy, s->def, why, sizeof(why)) < 0)
		return false;
	normal = conf_give(&copy);
	return strcmp(normal, text) == 0;
}

static void
put_setting(const struct conf_setting *s, void *arg)
{
	struct dump *d = arg;
	CLEANUP(free_ptr) char *text = NULL;
	bool bare = is_number(s->kind) || s->kind == CONF_KIND_REAL ||
		    s->kind == CONF_KIND_BOOL;

	if (s->kind == CONF_KIND_SECTION) {
		put_comment(d->out, "", s->help);
		(void)fprintf(d->out, "%s {\n", s->section);
		d->first = true;
		return;
	}
	if (s->kind == CONF_KIND_END) {
		(void)fputs("}\n\n", d->out);
		return;
	}
	if (!d->first)
		(void)fputc('\n', d->out);
	d->first = false;
	put_comment(d->out, "\t", s->help);
	put_range(d, s);
	text = conf_give(s);
	(void)fprintf(d->out, bare ? "\t%s = %s\n" : "\t%s = \"%s\"\n", s->name,
	    is_default(s, text) ? s->def : text);
}

void
conf_dump(const struct conf *conf, FILE *out)
{
	struct dump d = {.out = out};
	struct conf copy = *conf; /* the walk takes what it may change */

	(void)fputs("# Configuration of Sluice.  Every setting, with its "
		    "default.\n\n",
	    out);
	conf_visit(&copy, put_setting, &d);
}
