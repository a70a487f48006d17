/*
 * vmm/rules_step.c - "when" and "then" of a rule file.
 *
 *   STEP      = KIND { "," KIND } [ CONDITION { "and" CONDITION } ]
 *               [ "times" NUMBER [ "different" FIELD ] ] [ "within" SPAN ]
 *   CONDITION = FIELD [ "not" ] { GLOB | @CLASS | $ }
 */
#include "vmm/rules_parse_priv.h"

#include "vmm/spelling.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <string.h>

static const char *const own_fields[] = {"image", "base", "dir"};

unsigned int
rules_field_of(const char *name, size_t length)
{
	unsigned int field = guest_field_of(name, length);

	if (field < GUEST_FIELDS)
		return field;
	for (size_t i = 0; i < ARRAY_SIZE(own_fields); i++)
		if (strlen(own_fields[i]) == length &&
		    memcmp(own_fields[i], name, length) == 0)
			return (unsigned int)(GUEST_FIELDS + i);
	return RULES_FIELDS;
}

const char *
rules_field_name(unsigned int field)
{
	return field < GUEST_FIELDS ? guest_field_name((enum guest_field)field)
				    : own_fields[field - GUEST_FIELDS];
}

static bool
lists(const char *words, const char *word)
{
	const size_t n = strlen(word);
	const char *at = words;

	for (; (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') &&
		    (at[n] == '\0' || at[n] == ' '))
			return true;
	return false;
}

bool
rules_kind_has(enum guest_kind kind, unsigned int field)
{
	const char *words = guest_kind_fields(kind);

	if (field == FIELD_IMAGE)
		return true;
	if (field >= GUEST_FIELDS)
		return lists(words, "path");
	return lists(words, rules_field_name(field));
}

static int
find_class(const struct rules *rules, const char *name, unsigned int *ret)
{
	for (*ret = 0; *ret < rules->n_classes; ++*ret)
		if (strcmp(rules->classes[*ret].name, name) == 0)
			return 0;
	return -ENOENT;
}

int
rules_parse_item(struct rules_parser *p, struct rules_item *ret)
{
	const struct rules_word *word = &p->words[p->at];
	char spelt[GLOB_MAX + 1];
	size_t length = strlen(word->text);

	if (!word->is_quoted && word->text[0] == '@') {
		if (strcmp(word->text, "@new") == 0)
			ret->type = ITEM_NEW;
		else if (strcmp(word->text, "@sample") == 0)
			ret->type = ITEM_SAMPLE;
		else if (find_class(p->rules, word->text + 1, &ret->class) == 0)
			ret->type = ITEM_CLASS;
		else
			return rules_wrong(p,
			    "there is no class \"%s\" above: write \"class %s "
			    "GLOB ...\" before it",
			    word->text + 1, word->text + 1);
	} else {
		if (length > GLOB_MAX)
			return rules_wrong(
			    p, "a glob of more than %u octets", GLOB_MAX);
		ret->type = ITEM_GLOB;
		length = spell(SPELL_TEXT, word->text, length, spelt);
		ret->glob = glob_new(spelt, length);
	}
	p->at++;
	return 0;
}

static int
parse_kinds(struct rules_parser *p, struct rules_step *step)
{
	const char *word = rules_peek(p), *at = word;

	if (!word)
		return rules_wrong(p, "which event? write its kind, like "
				      "file.write, behind it");
	for (;; at++) {
		const size_t n = strcspn(at, ",");
		const enum guest_kind kind = guest_kind_of(at, n);

		if (kind == GUEST_KINDS)
			return rules_wrong(p,
			    "\"%.*s\" is no kind of event: write one of those "
			    "that a guest reports, like process.start, "
			    "file.write, registry.set, net.connect",
			    (int)n, at);
		step->kinds |= UINT64_C(1) << kind;
		at += n;
		if (!*at)
			break;
	}
	p->at++;
	return 0;
}

/* The field's name at the next word, which all of the step's kinds have. */
static int
parse_field(
    struct rules_parser *p, const struct rules_step *step, unsigned int *ret)
{
	const char *word = rules_peek(p);

	if (!word)
		return rules_wrong(p, "a field is missing: write one like "
				      "path, args, key, data, addr");
	*ret = rules_field_of(word, strlen(word));
	if (*ret == RULES_FIELDS)
		return rules_wrong(p,
		    "\"%s\" is no field: write one like path, args, key, "
		    "data, addr, image, base, dir",
		    word);
	for (unsigned int k = 0; k < GUEST_KINDS; k++)
		if (step->kinds >> k & 1 &&
		    !rules_kind_has((enum guest_kind)k, *ret))
			return rules_wrong(p,
			    "%s has no %s: write one of image %s",
			    guest_kind_name((enum guest_kind)k), word,
			    guest_kind_fields((enum guest_kind)k));
	p->at++;
	return 0;
}

static bool
is_list_end(const struct rules_parser *p)
{
	static const char *const words[] = {"and", "times", "within"};

	if (p->at == p->n_words)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!p->words[p->at].is_quoted &&
		    strcmp(p->words[p->at].text, words[i]) == 0)
			return true;
	return false;
}

static int
set_variable(
    struct rules_parser *p, struct rules_step *step, struct rules_condition *c)
{
	if (step->variable >= 0 || c->negated)
		return rules_wrong(p, "a second or negated $: write it once "
				      "in a step");
	if (step->position == 0 &&
	    (c->field == FIELD_ARGS || c->field == FIELD_DATA))
		return rules_wrong(p,
		    "$ cannot begin in %s, which has many words: write it at "
		    "path, to, key or name",
		    rules_field_name(c->field));
	step->variable = (int)c->field;
	c->is_variable = true;
	p->at++;
	return 0;
}

static int
parse_condition(struct rules_parser *p, struct rules_step *step)
{
	struct rules_condition *c;
	int r;

	step->conditions = rules_grow(
	    step->conditions, step->n_conditions, sizeof(*step->conditions));
	c = &step->conditions[step->n_conditions++];
	r = parse_field(p, step, &c->field);
	if (r < 0)
		return r;
	c->negated = rules_take(p, "not");
	while (r == 0 && !is_list_end(p)) {
		if (!p->words[p->at].is_quoted &&
		    strcmp(p->words[p->at].text, "$") == 0) {
			r = set_variable(p, step, c);
			continue;
		}
		c->items = rules_grow(c->items, c->n_items, sizeof(*c->items));
		r = rules_parse_item(p, &c->items[c->n_items++]);
	}
	if (r == 0 && c->negated && c->n_items == 0)
		return rules_wrong(p, "not what? write a glob or @class "
				      "behind it");
	return r;
}

static int
parse_times(struct rules_parser *p, struct rules_step *step)
{
	unsigned int field;
	int r = rules_number(p, "times", 2, RULES_TIMES, &step->times);

	if (r < 0 || !rules_take(p, "different"))
		return r;
	r = parse_field(p, step, &field);
	step->different = (int)field;
	return r;
}

/* Behind "within": 10s, 500ms. */
static int
parse_span(struct rules_parser *p, struct rules_step *step)
{
	char *word = p->at < p->n_words ? p->words[p->at].text : NULL;
	const size_t n = word ? strspn(word, "0123456789") : 0;
	uint32_t unit;
	int r;

	if (n == 0 ||
	    (strcmp(word + n, "s") != 0 && strcmp(word + n, "ms") != 0))
		return rules_wrong(
		    p, "within: write a time like 10s or 500ms behind it");
	unit = word[n] == 's' ? 1000 : 1;
	word[n] = '\0';
	r = rules_number(p, "within", 1, 600000 / unit, &step->span_msec);
	step->span_msec *= unit;
	return r;
}

static int
check_step(struct rules_parser *p, struct rules_step *step)
{
	struct rules *rules = p->rules;

	if (step->span_msec && step->times == 1 && step->position == 0)
		return rules_wrong(p, "within what? write \"times\" before "
				      "it, or move it to a \"then\"");
	if (step->span_msec && step->times > 1) {
		if (step->variable >= 0)
			return rules_wrong(p, "times and within and $ in one "
					      "step: leave one out");
		step->window = rules->n_window_slots;
		rules->n_window_slots += step->times;
		if (rules->n_window_slots > RULES_WINDOW_SLOTS)
			return rules_wrong(p,
			    "all \"times\" with \"within\" are more than %u "
			    "together: write smaller numbers",
			    RULES_WINDOW_SLOTS);
	}
	return 0;
}

static void
index_step(struct rules *rules, const struct rules_step *step)
{
	for (unsigned int k = 0; k < GUEST_KINDS; k++) {
		if (!(step->kinds >> k & 1))
			continue;
		rules->by_kind[k] = rules_grow(rules->by_kind[k],
		    rules->n_by_kind[k], sizeof(*rules->by_kind[k]));
		rules->by_kind[k][rules->n_by_kind[k]++] = step->number;
	}
}

/* NULL: there are too many, which was said. */
static struct rules_step *
begin_step(struct rules_parser *p, bool is_first)
{
	struct rules *rules = p->rules;
	struct rules_step *before, *step;

	if (rules->n_steps == RULES_STEPS) {
		(void)rules_wrong(
		    p, "more than %u whens and thens: join some", RULES_STEPS);
		return NULL;
	}
	rules->steps =
	    rules_grow(rules->steps, rules->n_steps, sizeof(*rules->steps));
	step = &rules->steps[rules->n_steps];
	*step = (struct rules_step){.number = (unsigned int)rules->n_steps++,
	    .behaviour = (unsigned int)rules->n_behaviours - 1,
	    .is_last = true,
	    .variable = -1,
	    .times = 1,
	    .different = -1};
	if (is_first)
		return step;
	before = step - 1;
	before->is_last = false;
	step->position = before->position + 1;
	step->is_after_variable = before->variable >= 0;
	if (step->position < RULES_PATTERN)
		return step;
	(void)rules_wrong(p, "more than %u steps in a row", RULES_PATTERN);
	return NULL;
}

int
rules_parse_step(struct rules_parser *p, bool is_first)
{
	struct rules_step *step = begin_step(p, is_first);
	int r = step ? 0 : -EINVAL;

	if (r == 0)
		r = parse_kinds(p, step);
	if (r == 0 && !is_list_end(p))
		do {
			r = parse_condition(p, step);
		} while (r == 0 && rules_take(p, "and"));
	if (r == 0 && rules_take(p, "times"))
		r = parse_times(p, step);
	if (r == 0 && rules_take(p, "within"))
		r = parse_span(p, step);
	if (r == 0)
		r = rules_end(p);
	if (r == 0)
		r = check_step(p, step);
	if (r == 0)
		index_step(p->rules, step);
	return r;
}
