/*
 * vmm/rules_whole.c - a rule file and those that it includes, as one.
 */
#include "vmm/rules_parse_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct whole {
	FILE *out;
	const char *path;
	struct rules_parser *parser; /* for its eyes: words, complaints */
};

static int
put_included(const struct whole *w, const char *name)
{
	CLEANUP(free_ptr) char *path = rules_beside(w->path, name);
	CLEANUP(free_ptr) char *text = NULL;
	size_t n;
	int r = read_file(AT_FDCWD, path, RULES_BYTES_MAX, &text, &n);

	if (r < 0)
		return rules_wrong(
		    w->parser, "include %s: %s", name, strerror(-r));
	(void)fwrite(text, 1, n, w->out);
	(void)fputc('\n', w->out); /* its last line may have none */
	return 0;
}

static int
put_line(const struct whole *w, char *line)
{
	CLEANUP(free_ptr) char *as_it_is = xstrdup(line);
	const char *name;
	int r;

	w->parser->line++;
	line[strcspn(line, "\r")] = '\0';
	r = rules_split(w->parser, line);
	if (r < 0)
		return r;
	if (w->parser->n_words > 0 && rules_take(w->parser, "include")) {
		name = rules_peek(w->parser);
		return name ? put_included(w, name)
			    : rules_wrong(w->parser, "include: of what?");
	}
	(void)fprintf(w->out, "%s\n", as_it_is);
	return 0;
}

static int
put_all(const struct whole *w)
{
	CLEANUP(free_ptr) char *text = NULL;
	char *at, *line;
	size_t n;
	int r = read_file(AT_FDCWD, w->path, RULES_BYTES_MAX, &text, &n);

	if (r < 0)
		return rules_wrong(w->parser, "%s", strerror(-r));
	for (at = text; r == 0 && (line = strsep(&at, "\n"));)
		r = put_line(w, line);
	return r;
}

int
rules_whole(
    const char *path, char **ret, size_t *ret_len, char *err, size_t err_size)
{
	CLEANUP(free_ptr) struct rules_parser *p = xcalloc(1, sizeof(*p));
	CLEANUP(free_ptr) char *text = NULL;
	struct whole whole = {.path = path, .parser = p};
	struct rules *rules = NULL;
	size_t len = 0;
	int r;

	p->name = path;
	p->err = err;
	p->err_size = err_size;
	whole.out = open_memstream(&text, &len);
	if (!whole.out)
		return rules_wrong(p, "no memory");
	r = put_all(&whole);
	if (fclose(whole.out) != 0 && r == 0)
		r = rules_wrong(p, "no memory");
	/* Nobody says that the files have not changed since they were right. */
	if (r == 0)
		r = rules_parse(path, text, len, NULL, &rules, err, err_size);
	(void)rules_free(rules);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}
