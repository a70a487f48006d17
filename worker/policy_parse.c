/*
 * worker/policy_parse.c - the rule file.
 *
 *   RULE      = ACTION CONDITION { "and" CONDITION } [ TEXT ]
 *   CONDITION = [ "not" ] ( ("name" | "type" | "declared") GLOB { GLOB }
 *             | "odd-name" WORD { WORD } | "deeper" NUMBER | FLAG )
 * A word may stand in double quotes, \ keeps the next character.  TEXT is in
 * quotes and last; refuse and hold need it.  # begins a comment.
 */
#include "worker/policy_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 1000
#define WORDS_MAX 500 /* of one line */

struct word {
	char *text;
	bool quoted;
};

struct parser {
	const char *name;
	unsigned int line;
	char *err;
	size_t err_size;
	size_t n_words, at;
	struct word words[WORDS_MAX];
};

DEFINE_CLEANUP(struct policy *, policy_free);

struct flag_word {
	const char *word;
	enum policy_kind kind;
	uint32_t value;
};

static const struct flag_word flag_words[] = {
    {"encrypted", KIND_FLAG, PART_ENCRYPTED},
    {"broken", KIND_FLAG, PART_BROKEN},
    {"container", KIND_FLAG, PART_CONTAINER},
    {"no-content", KIND_FLAG, PART_NO_CONTENT},
    {"attachment", KIND_FLAG, PART_ATTACHMENT},
    {"archived", KIND_ARCHIVED, 0},
};

static const struct flag_word odd_words[] = {
    {"bidi", KIND_ODD, ODD_BIDI},
    {"blanks", KIND_ODD, ODD_BLANKS},
    {"control", KIND_ODD, ODD_CONTROL},
    {"clsid", KIND_ODD, ODD_CLSID},
    {"long", KIND_ODD, ODD_LONG},
};

static int __attribute__((format(printf, 2, 3)))
wrong(struct parser *p, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(
	    p->err, p->err_size, "%s:%u: %s", p->name, p->line, text);
	return -EINVAL;
}

static const struct flag_word *
find_word(const struct flag_word *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].word, word) == 0)
			return &list[i];
	return NULL;
}

/*
 * One word at *at (not at a blank), unquoted in place; moves *at behind it.
 * Outside quotes \ stays, for policy_glob(); in them it goes.
 */
static int
next_word(struct parser *p, char **at, struct word *ret)
{
	char *from = *at, *to = from;

	ret->quoted = *from == '"';
	if (!ret->quoted) {
		while (*from && *from != ' ' && *from != '\t')
			from++;
		ret->text = *at;
		*at = *from ? from + 1 : from;
		*from = '\0';
		return 0;
	}
	ret->text = to;
	for (from++; *from && *from != '"'; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	if (!*from)
		return wrong(p, "a \" without its end: write the closing \"");
	if (from[1] && from[1] != ' ' && from[1] != '\t')
		return wrong(p, "write a blank behind the closing \"");
	*at = from + 1;
	*to = '\0';
	return 0;
}

static int
split(struct parser *p, char *line)
{
	int r = 0;

	p->n_words = p->at = 0;
	while (r == 0) {
		line += strspn(line, " \t\r");
		if (!*line || *line == '#')
			return 0;
		if (p->n_words == WORDS_MAX)
			return wrong(p, "more than %d words: write two rules",
			    WORDS_MAX);
		r = next_word(p, &line, &p->words[p->n_words++]);
	}
	return r;
}

/* The next word if it isn't the text at the end. */
static const char *
peek(const struct parser *p)
{
	const size_t left = p->n_words - p->at;

	if (left == 0 || (left == 1 && p->words[p->at].quoted))
		return NULL;
	return p->words[p->at].text;
}

static bool
take(struct parser *p, const char *word)
{
	const char *next = peek(p);

	if (!next || p->words[p->at].quoted || strcmp(next, word) != 0)
		return false;
	p->at++;
	return true;
}

static bool
is_ext_glob(const char *glob)
{
	return glob[0] == '*' && glob[1] == '.' && glob[2] &&
	       !strpbrk(glob + 2, "*?\\./");
}

static void
exts_put(struct policy_exts *exts, char *ext)
{
	size_t i = policy_hash(ext, strlen(ext)) & (exts->slots - 1);

	while (exts->ext[i])
		i = (i + 1) & (exts->slots - 1);
	exts->ext[i] = ext;
	exts->n++;
}

/* Turn globs like *.exe into a table, and keep the others as they are. */
static void
compile_exts(struct policy_condition *c)
{
	size_t kept = 0;

	for (c->exts.slots = 2; c->exts.slots <= 2 * c->n_globs;)
		c->exts.slots *= 2;
	c->exts.ext = xcalloc(c->exts.slots, sizeof(*c->exts.ext));
	for (size_t i = 0; i < c->n_globs; i++) {
		char *glob = c->globs[i];

		if (!is_ext_glob(glob)) {
			c->globs[kept++] = glob;
			continue;
		}
		exts_put(&c->exts, xstrdup(glob + 2));
		free(glob);
	}
	c->n_globs = kept;
}

static char *
lower(const char *text)
{
	char *copy = xstrdup(text);

	for (char *q = copy; *q; q++)
		if (*q >= 'A' && *q <= 'Z')
			*q = (char)(*q + ('a' - 'A'));
	return copy;
}

static int
parse_globs(struct parser *p, struct policy_condition *c, const char *what)
{
	const size_t left = p->n_words - p->at;
	const char *word;

	c->globs = xcalloc(left ? left : 1, sizeof(*c->globs));
	while ((word = peek(p))) {
		if (strcmp(word, "and") == 0 && !p->words[p->at].quoted)
			break;
		c->globs[c->n_globs++] = lower(word);
		p->at++;
	}
	if (c->n_globs == 0)
		return wrong(p,
		    "%s what? write one or more globs behind it, "
		    "like %s",
		    what, c->kind == KIND_NAME ? "*.exe" : "application/zip");
	if (c->kind == KIND_NAME)
		compile_exts(c);
	return 0;
}

static int
parse_odd(struct parser *p, struct policy_condition *c)
{
	const char *word;

	while ((word = peek(p)) && strcmp(word, "and") != 0) {
		const struct flag_word *odd =
		    find_word(odd_words, ARRAY_SIZE(odd_words), word);

		if (!odd)
			return wrong(p,
			    "odd-name \"%s\" is unknown: write "
			    "bidi, blanks, control, clsid or long",
			    word);
		c->value |= odd->value;
		p->at++;
	}
	if (c->value == 0)
		return wrong(p, "odd-name how? write bidi, blanks, control, "
				"clsid or long behind it");
	return 0;
}

static int
parse_depth(struct parser *p, struct policy_condition *c)
{
	const char *word = peek(p);

	if (!word || !*word || strlen(word) > 4 ||
	    word[strspn(word, "0123456789")])
		return wrong(p, "deeper than what? write a number behind it");
	c->value = (uint32_t)strtoul(word, NULL, 10);
	p->at++;
	return 0;
}

static int
parse_condition(struct parser *p, struct policy_condition *c)
{
	static const struct flag_word lists[] = {{"name", KIND_NAME, 0},
	    {"type", KIND_TYPE, 0}, {"declared", KIND_DECLARED, 0},
	    {"odd-name", KIND_ODD, 0}, {"deeper", KIND_DEEPER, 0}};
	const struct flag_word *word;
	const char *next;

	c->negated = take(p, "not");
	next = peek(p);
	if (!next)
		return wrong(p, "a condition is missing: write name, type, "
				"declared, odd-name, deeper, encrypted, ...");
	word = find_word(lists, ARRAY_SIZE(lists), next);
	if (!word)
		word = find_word(flag_words, ARRAY_SIZE(flag_words), next);
	if (!word)
		return wrong(p,
		    "\"%s\" is no condition: write name, type, "
		    "declared, odd-name, deeper, encrypted, "
		    "broken, container, no-content, attachment or "
		    "archived",
		    next);
	p->at++;
	c->kind = word->kind;
	c->value = word->value;
	if (c->kind == KIND_ODD)
		return parse_odd(p, c);
	if (c->kind == KIND_DEEPER)
		return parse_depth(p, c);
	if (c->kind == KIND_FLAG || c->kind == KIND_ARCHIVED)
		return 0;
	return parse_globs(p, c, word->word);
}

static int
parse_conditions(struct parser *p, struct policy_rule *rule)
{
	int r;

	do {
		rule->conditions = reallocarray(rule->conditions,
		    rule->n_conditions + 1, sizeof(*rule->conditions));
		if (!rule->conditions)
			abort();
		memset(&rule->conditions[rule->n_conditions], 0,
		    sizeof(*rule->conditions));
		r = parse_condition(p, &rule->conditions[rule->n_conditions++]);
	} while (r == 0 && take(p, "and"));
	return r;
}

static int
parse_rule(struct parser *p, struct policy_rule *rule)
{
	int r;

	if (take(p, "allow"))
		rule->action = POLICY_ALLOW;
	else if (take(p, "hold"))
		rule->action = POLICY_HOLD;
	else if (take(p, "refuse"))
		rule->action = POLICY_REFUSE;
	else
		return wrong(p,
		    "\"%s\" is no action: write allow, hold or "
		    "refuse",
		    p->words[0].text);
	r = parse_conditions(p, rule);
	if (r < 0)
		return r;
	if (peek(p))
		return wrong(p,
		    "\"%s\" is one word too many: write \"and\" "
		    "between two conditions, and the text last",
		    peek(p));
	if (p->at < p->n_words)
		rule->text = xstrdup(p->words[p->at].text);
	else if (rule->action != POLICY_ALLOW)
		return wrong(p, "the text is missing: write in \"...\" at the "
				"end what people are to read");
	return 0;
}

static int
parse_lines(struct parser *p, char *text, struct policy *policy)
{
	char *line;
	int r;

	policy->rules = xcalloc(RULES_MAX, sizeof(*policy->rules));
	while ((line = strsep(&text, "\n"))) {
		p->line++;
		line[strcspn(line, "\r")] = '\0';
		r = split(p, line);
		if (r < 0)
			return r;
		if (p->n_words == 0)
			continue;
		if (policy->n_rules == RULES_MAX)
			return wrong(
			    p, "more than %d rules: join some", RULES_MAX);
		r = parse_rule(p, &policy->rules[policy->n_rules++]);
		if (r < 0)
			return r;
	}
	return 0;
}

int
policy_parse(const char *name, const char *text, size_t len,
    struct policy **ret_policy, char *err, size_t err_size)
{
	CLEANUP(policy_freep)
	struct policy *policy = xcalloc(1, sizeof(*policy));
	CLEANUP(free_ptr) struct parser *p = xcalloc(1, sizeof(*p));
	CLEANUP(free_ptr) char *copy = xcalloc(1, len + 1);
	int r;

	p->name = name;
	p->err = err;
	p->err_size = err_size;
	memcpy(copy, text, len);
	if (memchr(text, '\0', len)) {
		p->line = 1;
		return wrong(p, "not a text file");
	}
	r = parse_lines(p, copy, policy);
	if (r < 0)
		return r;
	*ret_policy = TAKE_PTR(policy);
	return 0;
}
