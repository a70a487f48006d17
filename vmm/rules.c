/*
 * vmm/rules.c - the rule file: a line begins with one of
 *
 *   threshold NUMBER
 *   include FILE                beside this one
 *   class NAME GLOB ...         which adds to a class of that name
 *   behaviour ID WEIGHT ATTACK "NAME"
 *     when STEP                 (vmm/rules_step.c)
 *     then STEP
 *   scorer ID WEIGHT ATTACK "NAME"
 *     bias, threshold, least, weight (vmm/rules_scorer.c)
 */
#include "vmm/rules_parse_priv.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct rules *, rules_free);

static int parse_text(struct rules_parser *p, const char *text, size_t n);

static void
free_items(struct rules_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)glob_free(items[i].glob);
	free(items);
}

static void
free_step(struct rules_step *step)
{
	for (size_t i = 0; i < step->n_conditions; i++)
		free_items(
		    step->conditions[i].items, step->conditions[i].n_items);
	free(step->conditions);
}

static void
free_scorer(struct rules_scorer *scorer)
{
	for (size_t i = 0; i < scorer->n_calls; i++) {
		free(scorer->calls[i].name);
		free(scorer->calls[i].features);
	}
	free(scorer->calls);
	free(scorer->features);
}

struct rules *
rules_free(struct rules *rules)
{
	if (!rules)
		return NULL;
	for (size_t i = 0; i < rules->n_classes; i++) {
		free(rules->classes[i].name);
		free_items(rules->classes[i].items, rules->classes[i].n_items);
	}
	for (size_t i = 0; i < rules->n_behaviours; i++) {
		free(rules->behaviours[i].id);
		free(rules->behaviours[i].name);
		free(rules->behaviours[i].attack);
	}
	free(rules->behaviours);
	for (size_t i = 0; i < rules->n_steps; i++)
		free_step(&rules->steps[i]);
	free(rules->steps);
	for (size_t i = 0; i < GUEST_KINDS; i++)
		free(rules->by_kind[i]);
	free_scorer(&rules->scorer);
	free(rules);
	return NULL;
}

const char *
rules_digest(const struct rules *rules)
{
	return rules->digest;
}

static bool
is_plain(const char *word)
{
	return word && *word && strlen(word) <= 40 &&
	       !word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-._")];
}

static int
parse_class(struct rules_parser *p)
{
	struct rules *rules = p->rules;
	const char *name = rules_peek(p);
	struct rules_class *class;
	size_t i = 0;
	int r = 0;

	if (!is_plain(name) || strcmp(name, "new") == 0 ||
	    strcmp(name, "sample") == 0)
		return rules_wrong(p, "class: write its name in small letters "
				      "(not new, not sample), then globs");
	p->at++;
	while (i < rules->n_classes && strcmp(rules->classes[i].name, name))
		i++;
	if (i == RULES_CLASSES)
		return rules_wrong(
		    p, "more than %u classes: join some", RULES_CLASSES);
	class = &rules->classes[i];
	if (i == rules->n_classes) {
		class->name = xstrdup(name);
		rules->n_classes++;
	}
	if (!rules_peek(p))
		return rules_wrong(
		    p, "class %s of what? write globs behind it", class->name);
	while (r == 0 && p->at < p->n_words) {
		class->items = rules_grow(
		    class->items, class->n_items, sizeof(*class->items));
		r = rules_parse_item(p, &class->items[class->n_items++]);
		if (r == 0 &&
		    class->items[class->n_items - 1].type != ITEM_GLOB)
			return rules_wrong(p, "a class of classes: write the "
					      "globs themselves");
	}
	return r;
}

/* Like T1547 or T1547.001. */
static bool
is_technique(const char *word)
{
	static const char shape[] = "T0000.000";
	size_t i = 0;

	for (; word && word[i] && shape[i]; i++)
		if (shape[i] == '0' ? word[i] < '0' || word[i] > '9'
				    : word[i] != shape[i])
			return false;
	return word && !word[i] && (i == 5 || i == 9);
}

int
rules_open_behaviour(struct rules_parser *p, bool is_scorer)
{
	struct rules *rules = p->rules;
	struct rules_behaviour *b;
	const char *id = rules_peek(p);
	int r;

	if (rules->n_behaviours == RULES_BEHAVIOURS)
		return rules_wrong(
		    p, "more than %u behaviours: join some", RULES_BEHAVIOURS);
	if (!is_plain(id))
		return rules_wrong(p, "an id is missing: write one in small "
				      "letters, like run-key");
	for (size_t i = 0; i < rules->n_behaviours; i++)
		if (strcmp(rules->behaviours[i].id, id) == 0)
			return rules_wrong(p,
			    "\"%s\" is there already: write another \"when\" "
			    "there, or another id here",
			    id);
	rules->behaviours = rules_grow(
	    rules->behaviours, rules->n_behaviours, sizeof(*rules->behaviours));
	b = &rules->behaviours[rules->n_behaviours++];
	b->is_scorer = is_scorer;
	b->id = xstrdup(id);
	p->at++;
	r = rules_number(p, "weight", 0, RULES_WEIGHT_MAX, &b->weight);
	if (r < 0)
		return r;
	if (!is_technique(rules_peek(p)))
		return rules_wrong(p, "write the ATT&CK technique, like "
				      "T1547.001, behind the weight");
	r = rules_text(p, "the technique", &b->attack);
	if (r == 0)
		r = rules_text(p, "the name in \"...\" at the end", &b->name);
	return r < 0 ? r : rules_end(p);
}

static int
parse_include(struct rules_parser *p)
{
	const char *file = rules_peek(p), *outer = p->name;
	const unsigned int line = p->line;
	CLEANUP(free_ptr) char *name = NULL;
	CLEANUP(free_ptr) char *text = NULL;
	size_t length;
	int r;

	if (!file || !*file || strchr(file, '/') || file[0] == '.')
		return rules_wrong(p, "include: write the name of a file "
				      "beside this one");
	if (p->depth > 0 || !p->source || !p->source->include)
		return rules_wrong(p, "include: write it in the file that is "
				      "configured, nowhere else");
	name = xstrdup(file);
	p->at++;
	r = rules_end(p);
	if (r < 0)
		return r;
	r = p->source->include(p->source->arg, name, &text, &length);
	if (r < 0)
		return rules_wrong(p, "include %s: %s", name, strerror(-r));
	p->depth++;
	p->name = name;
	r = parse_text(p, text, length);
	p->depth--;
	p->name = outer;
	p->line = line;
	return r;
}

static int
parse_behaviour(struct rules_parser *p)
{
	const int r = rules_open_behaviour(p, false);

	p->is_open = true;
	return r;
}

/* The last behaviour has at least one step. */
static int
close_block(struct rules_parser *p)
{
	const struct rules *rules = p->rules;
	const bool was_open = p->is_open;

	p->is_open = false;
	if (p->is_scorer)
		return rules_close_scorer(p);
	if (was_open && (rules->n_steps == 0 ||
			    rules->steps[rules->n_steps - 1].behaviour !=
				rules->n_behaviours - 1))
		return rules_wrong(p,
		    "behaviour %s has no \"when\": write one below it",
		    rules->behaviours[rules->n_behaviours - 1].id);
	return 0;
}

static int
parse_when(struct rules_parser *p, bool is_first)
{
	const struct rules *rules = p->rules;

	if (!p->is_open)
		return rules_wrong(
		    p, "\"when\" and \"then\" belong below a behaviour");
	if (!is_first && (rules->n_steps == 0 ||
			     rules->steps[rules->n_steps - 1].behaviour !=
				 rules->n_behaviours - 1))
		return rules_wrong(p, "\"then\" without \"when\": write when");
	return rules_parse_step(p, is_first);
}

static int
parse_line(struct rules_parser *p)
{
	bool known;
	int r;

	if (rules_take(p, "when"))
		return parse_when(p, true);
	if (rules_take(p, "then"))
		return parse_when(p, false);
	r = p->is_scorer ? rules_parse_scored(p, &known) : (known = false, 0);
	if (known)
		return r;
	r = close_block(p);
	if (r < 0)
		return r;
	if (rules_take(p, "behaviour"))
		return parse_behaviour(p);
	if (rules_take(p, "class"))
		return parse_class(p);
	if (rules_take(p, "scorer"))
		return rules_parse_scorer(p);
	if (rules_take(p, "include"))
		return parse_include(p);
	if (!rules_take(p, "threshold"))
		return rules_wrong(p,
		    "\"%s\" begins no line: write behaviour, when, then, "
		    "class, threshold, include or scorer",
		    p->words[0].text);
	r = rules_number(p, "threshold", 1, 100000, &p->rules->threshold);
	return r < 0 ? r : rules_end(p);
}

static int
parse_text(struct rules_parser *p, const char *text, size_t n)
{
	CLEANUP(free_ptr) char *copy = xcalloc(1, n + 1);
	char *at = copy, *line;
	int r = 0;

	p->line = 1;
	p->bytes += n;
	if (p->bytes > RULES_BYTES_MAX)
		return rules_wrong(p,
		    "more than %u octets of rules: take some "
		    "away",
		    RULES_BYTES_MAX);
	if (n > 0)
		memcpy(copy, text, n);
	if (strlen(copy) != n)
		return rules_wrong(p, "not a text file: write rules");
	for (p->line = 0; r == 0 && (line = strsep(&at, "\n"));) {
		p->line++;
		line[strcspn(line, "\r")] = '\0';
		r = rules_split(p, line);
		if (r == 0 && p->n_words > 0)
			r = parse_line(p);
	}
	return r < 0 ? r : close_block(p);
}

int
rules_parse(const char *name, const char *text, size_t length,
    const struct rules_source *source, struct rules **ret, char *err,
    size_t err_size)
{
	CLEANUP(rules_freep) struct rules *rules = xcalloc(1, sizeof(*rules));
	CLEANUP(free_ptr) struct rules_parser *p = xcalloc(1, sizeof(*p));
	int r;

	rules->threshold = 100;
	p->rules = rules;
	p->source = source;
	p->name = name;
	p->err = err;
	p->err_size = err_size;
	r = parse_text(p, text, length);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rules);
	return 0;
}

/* All octets of all files, one behind the other, for the digest. */
struct files {
	const char *path;
	char *all;
	size_t n;
};

static int
read_one(struct files *files, const char *path, char **ret, size_t *ret_n)
{
	const int r = read_file(AT_FDCWD, path, RULES_BYTES_MAX, ret, ret_n);

	if (r < 0)
		return r;
	files->all = realloc(files->all, files->n + *ret_n + 1);
	if (!files->all)
		abort();
	memcpy(files->all + files->n, *ret, *ret_n);
	files->n += *ret_n;
	files->all[files->n++] = '\0';
	return 0;
}

char *
rules_beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	const int n = slash ? (int)(slash - path) + 1 : 0;

	return xasprintf("%.*s%s", n, path, name);
}

static int
include_beside(void *arg, const char *name, char **ret, size_t *ret_n)
{
	struct files *files = arg;
	CLEANUP(free_ptr) char *path = rules_beside(files->path, name);

	return read_one(files, path, ret, ret_n);
}

int
rules_load(const char *path, struct rules **ret, char *err, size_t err_size)
{
	struct files files = {.path = path};
	const struct rules_source source = {include_beside, &files};
	CLEANUP(free_ptr) char *text = NULL;
	struct digest digest;
	size_t n;
	int r = read_one(&files, path, &text, &n);

	if (r < 0)
		(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
	else
		r = rules_parse(path, text, n, &source, ret, err, err_size);
	if (r == 0) {
		digest = digest_memory(files.all, files.n);
		(void)digest_hex(&digest, (*ret)->digest);
	}
	free(files.all);
	return r;
}
