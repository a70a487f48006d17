#include "worker/evidence_parts.h"

#include "common/cleanup.h"
#include "worker/answer.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *
text(const json_t *object, const char *key)
{
	const char *t = json_string_value(json_object_get(object, key));

	return t ? t : "";
}

/* Policy has words of its own.  What is not known here is no good news. */
static int
badness(const char *answer)
{
	static const char *const ascending[] = {"none", "clean",
	    "unknown(system)", "unknown(message)", "", "warn", "borderline",
	    "malicious", "ambiguous", "hold", "refuse", "hit"};

	for (size_t i = 0; i < ARRAY_SIZE(ascending); i++)
		if (strcmp(answer, ascending[i]) == 0)
			return (int)i;
	return badness("");
}

/* What a model calls a file says more than what its mail comes to. */
static const char *
word_of(const json_t *verdict)
{
	const char *answer = text(verdict, "answer");
	const char *label = text(verdict, "label");

	return *label && strcmp(answer, "clean") != 0 ? label : answer;
}

static bool
has_flag(const json_t *part, const char *flag)
{
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(part, "flags"), i, f) {
		const char *t = json_string_value(f);

		if (t && strcmp(t, flag) == 0)
			return true;
	}
	return false;
}

static bool
is_file(const json_t *part)
{
	return !has_flag(part, "no content") &&
	       (has_flag(part, "attachment") ||
		   strcmp(text(part, "view"), "archive") == 0);
}

static int
give(const json_t *part, evidence_part_fn *fn, void *arg)
{
	const char *name = json_string_value(
	    json_array_get(json_object_get(part, "names"), 0));
	json_int_t bytes = json_integer_value(json_object_get(part, "bytes"));
	char verdict[EVIDENCE_WORD_MAX + 1] = "none";
	char engine[EVIDENCE_WORD_MAX + 1] = "";
	struct evidence_part p = {.bytes = bytes > 0 ? (uint64_t)bytes : 0,
	    .name = name ? name : "",
	    .verdict = verdict,
	    .engine = engine};
	const json_t *v;
	size_t i;

	if (digest_parse(text(part, "sha256"), &p.digest) < 0)
		return 0;
	json_array_foreach (json_object_get(part, "verdicts"), i, v) {
		if (badness(word_of(v)) <= badness(verdict))
			continue;
		(void)snprintf(verdict, sizeof(verdict), "%s", word_of(v));
		(void)snprintf(engine, sizeof(engine), "%s", text(v, "engine"));
	}
	return fn(arg, &p);
}

static int
give_all(const json_t *reading, evidence_part_fn *fn, void *arg)
{
	const json_t *part;
	size_t i;
	int r = 0;

	json_array_foreach (json_object_get(reading, "parts"), i, part) {
		if (is_file(part))
			r = give(part, fn, arg);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Most mail has no file: no tree is built for that.  A quote within a string
 * is escaped, so only a whole string can be the word with both of its own. */
static bool
may_have_files(const char *json)
{
	return strstr(json, "\"attachment\"") || strstr(json, "\"archive\"");
}

int
evidence_parts(const char *json, evidence_part_fn *fn, void *arg)
{
	const json_t *reading, *link;
	json_t *root;
	size_t i;
	int r;

	if (!json || !may_have_files(json))
		return 0;
	root = json_loads(json, 0, NULL);
	reading = json_object_get(root, "reading");
	r = give_all(reading, fn, arg);
	json_array_foreach (json_object_get(reading, "links"), i, link)
		r = r == 0 ? give_all(link, fn, arg) : r;
	json_decref(root);
	return r;
}
