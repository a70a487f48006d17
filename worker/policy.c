/*
 * worker/policy.c - parts against rules.
 */
#include "worker/policy_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_FILE_MAX (1024 * 1024) /* octets; the default list has 6 KiB */

struct subject {
	const struct reading_part *part;
	size_t n_names; /* 1 at least: "" is the name of what has none */
	char type[128], declared[128];
	struct policy_name *names;
};

int
policy_load(
    const char *path, struct policy **ret_policy, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r = read_file(AT_FDCWD, path, POLICY_FILE_MAX, &text, &len);

	if (r < 0) {
		(void)snprintf(
		    err, err_size, "%s: %s (policy.rules)", path, strerror(-r));
		return r;
	}
	return policy_parse(path, text, len, ret_policy, err, err_size);
}

static void
condition_done(struct policy_condition *c)
{
	for (size_t i = 0; i < c->n_globs; i++)
		free(c->globs[i]);
	for (size_t i = 0; i < c->exts.slots; i++)
		free(c->exts.ext[i]);
	free(c->globs);
	free(c->exts.ext);
}

struct policy *
policy_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	for (size_t i = 0; i < policy->n_rules; i++) {
		struct policy_rule *rule = &policy->rules[i];

		for (size_t k = 0; k < rule->n_conditions; k++)
			condition_done(&rule->conditions[k]);
		free(rule->conditions);
		free(rule->text);
	}
	free(policy->rules);
	free(policy);
	return NULL;
}

bool
policy_exts_has(
    const struct policy_exts *exts, const char *ext, size_t len, uint32_t hash)
{
	const size_t mask = exts->slots - 1;

	if (exts->slots == 0)
		return false;
	for (size_t i = hash & mask; exts->ext[i]; i = (i + 1) & mask)
		if (strncmp(exts->ext[i], ext, len) == 0 && !exts->ext[i][len])
			return true;
	return false;
}

static bool
globs_fit(const struct policy_condition *c, const char *text)
{
	for (size_t i = 0; i < c->n_globs; i++)
		if (policy_glob(c->globs[i], text))
			return true;
	return false;
}

static bool
name_fits(const struct policy_condition *c, const struct policy_name *name)
{
	if (c->kind == KIND_ODD)
		return (name->odd & c->value) != 0;
	if (policy_exts_has(&c->exts, name->ext, name->ext_len, name->hash))
		return true;
	return globs_fit(c, name->text) ||
	       (name->base != name->text && globs_fit(c, name->base));
}

/*
 * A part may have several names, and nobody knows which one its receiver's
 * program takes.  So one name is enough to refuse or hold, but to allow all
 * must fit; what was not looked at of one fits as is worse for the sender.
 */
static bool
names_fit(const struct policy_condition *c, const struct subject *s,
    enum policy_action action)
{
	const bool allow = action == POLICY_ALLOW;

	for (size_t i = 0; i < s->n_names; i++) {
		bool fits = name_fits(c, &s->names[i]) != c->negated;

		if (s->names[i].cut)
			fits = !allow;
		if (fits != allow)
			return fits;
	}
	return allow;
}

static bool
fits(const struct policy_condition *c, const struct subject *s,
    enum policy_action action)
{
	bool yes = false;

	switch (c->kind) {
	case KIND_NAME:
	case KIND_ODD:
		return names_fit(c, s, action);
	case KIND_TYPE:
		yes = globs_fit(c, s->type);
		break;
	case KIND_DECLARED:
		yes = globs_fit(c, s->declared);
		break;
	case KIND_DEEPER:
		yes = s->part->depth > c->value;
		break;
	case KIND_FLAG:
		yes = (s->part->flags & c->value) != 0;
		break;
	case KIND_ARCHIVED:
		yes = s->part->view == VIEW_ARCHIVE;
		break;
	}
	return yes != c->negated;
}

/* Lower case, without parameters and the blanks before them. */
static void
set_type(char *buf, size_t size, const char *type)
{
	size_t len = 0;

	while (*type == ' ' || *type == '\t')
		type++;
	for (; *type && *type != ';' && len + 1 < size; type++)
		buf[len++] = (char)tolower((unsigned char)*type);
	while (len && (buf[len - 1] == ' ' || buf[len - 1] == '\t'))
		len--;
	buf[len] = '\0';
}

static void
subject_set(struct subject *s, const struct reading_part *part)
{
	const char *name = part->names;

	s->part = part;
	s->n_names = part->n_names > 0 ? part->n_names : 1;
	s->names = reallocarray(NULL, s->n_names, sizeof(*s->names));
	if (!s->names)
		abort();
	set_type(s->type, sizeof(s->type), part->type);
	set_type(s->declared, sizeof(s->declared), part->declared);
	if (part->n_names == 0)
		policy_name_set(&s->names[0], "");
	for (uint32_t i = 0; i < part->n_names; i++) {
		policy_name_set(&s->names[i], name);
		name += strlen(name) + 1;
	}
}

static bool
is_plain_body(const struct reading_part *part)
{
	return (part->flags & PART_BODY) && part->n_names == 0 &&
	       !(part->flags & (PART_ATTACHMENT | PART_ENCRYPTED)) &&
	       strncmp(part->type, "text/", 5) == 0;
}

static bool
rule_fits(const struct policy_rule *rule, const struct subject *s)
{
	for (size_t i = 0; i < rule->n_conditions; i++)
		if (!fits(&rule->conditions[i], s, rule->action))
			return false;
	return true;
}

static enum policy_action
judge_subject(
    const struct policy *policy, const struct subject *s, const char **ret_why)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (!rule_fits(rule, s))
			continue;
		if (rule->action != POLICY_ALLOW)
			*ret_why = rule->text;
		return rule->action;
	}
	return POLICY_ALLOW;
}

enum policy_action
policy_part(const struct policy *policy, const struct reading_part *part,
    const char **ret_why)
{
	enum policy_action action;
	struct subject s;

	*ret_why = "";
	if (is_plain_body(part))
		return POLICY_ALLOW;
	subject_set(&s, part);
	action = judge_subject(policy, &s, ret_why);
	free(s.names);
	return action;
}

/* Of a part's names the first that alone would have the same outcome. */
static const char *
guilty_name(const struct policy *policy, const struct reading_part *part,
    enum policy_action action)
{
	struct reading_part one = *part;
	const char *why;

	if (part->n_names == 0)
		return part->type;
	one.n_names = 1;
	for (uint32_t i = 0; i < part->n_names; i++) {
		if (policy_part(policy, &one, &why) == action)
			return one.names;
		one.names += strlen(one.names) + 1;
	}
	return part->names;
}

void
policy_judge(const struct policy *policy, const struct reading *reading,
    struct engine_answer *ret_answer)
{
	const struct reading_part *worst = NULL;
	enum policy_action action = POLICY_ALLOW;
	const char *text = "";

	for (size_t i = 0; i < reading->n_parts; i++) {
		const char *why;
		const enum policy_action a =
		    policy_part(policy, &reading->parts[i], &why);

		if (a > action) {
			action = a;
			worst = &reading->parts[i];
			text = why;
		}
	}
	if (!worst) {
		answer_set(ret_answer, "policy", ANSWER_CLEAN, "%s", "");
		return;
	}
	answer_set(ret_answer, "policy", ANSWER_HIT, "%s: %.80s: %s",
	    action == POLICY_REFUSE ? "refused" : "held",
	    guilty_name(policy, worst, action), text);
}
