#include "flow/state_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "flow/state.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT      "sluice-flow-samples"
#define VERSION     1
#define LINE_OCTETS 131072 /* the head with 500 paths has 30 KiB */
#define SCORE_MAX   1e8    /* more is no score of a model */

static json_t *
real_or_null(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static json_t *
hex(uint64_t number)
{
	char text[17];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, number);
	return json_string(text);
}

static json_t *
paths_json(const struct flow_paths *paths)
{
	json_t *array = json_array();
	const size_t first = paths->n < FLOW_PATHS ? 0 : paths->next;

	for (size_t i = 0; i < paths->n; i++) {
		const struct flow_path *p =
		    &paths->ring[(first + i) % FLOW_PATHS];

		(void)json_array_append_new(
		    array, json_pack("[o o o]", hex(p->client),
			       real_or_null(p->rtt), real_or_null(p->ttl)));
	}
	return array;
}

static json_t *
head_json(const struct flow_learner *l)
{
	return json_pack("{ss si so sI sI s[II] s[II] ss sI so}", "format",
	    FORMAT, "version", VERSION, "seed", hex(l->seed), "number",
	    (json_int_t)l->number, "since", (json_int_t)l->since, "seen",
	    (json_int_t)l->of[0].seen, (json_int_t)l->of[1].seen, "before",
	    (json_int_t)l->before[0], (json_int_t)l->before[1], "frozen",
	    l->frozen, "frozen_for", (json_int_t)l->frozen_for, "paths",
	    paths_json(&l->paths));
}

static void
put_line(FILE *out, json_t *object)
{
	(void)json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
	(void)fputc('\n', out);
	json_decref(object);
}

char *
flow_state_samples_text(const struct flow_learner *l, size_t *ret_length)
{
	CLEANUP(free_ptr)
	struct flow_heard *records = xcalloc(FLOW_RECORDS, sizeof(*records));
	const size_t n = flow_learner_records(l, records);
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_length);

	if (!out)
		abort();
	put_line(out, head_json(l));
	for (size_t i = 0; i < n; i++)
		put_line(out,
		    json_pack("{s[f b o o]}", "record", records[i].judged.score,
			(int)records[i].judged.is_spam,
			real_or_null(records[i].content),
			hex(records[i].peer)));
	for (size_t c = 0; c < 2; c++)
		for (size_t i = 0; i < l->of[c].n; i++) {
			const struct flow_kept *kept = &l->of[c].kept[i];
			json_t *line = flow_sample_json(&kept->sample);

			(void)json_object_set_new(
			    line, "label", json_string(c ? "spam" : "ham"));
			(void)json_object_set_new(line, "number",
			    json_integer((json_int_t)kept->number));
			put_line(out, line);
		}
	if (fclose(out) != 0)
		abort();
	return text;
}

static bool
read_count(const json_t *number, uint64_t *ret)
{
	*ret = (uint64_t)json_integer_value(number);
	return json_is_integer(number) && json_integer_value(number) >= 0;
}

static bool
read_pair(const json_t *pair, uint64_t *ret_first, uint64_t *ret_second)
{
	return json_array_size(pair) == 2 &&
	       read_count(json_array_get(pair, 0), ret_first) &&
	       read_count(json_array_get(pair, 1), ret_second);
}

static bool
read_hex(const json_t *string, uint64_t *ret)
{
	const char *text = json_string_value(string);

	return text && strlen(text) == 16 &&
	       strspn(text, "0123456789abcdef") == 16 &&
	       sscanf(text, "%16" SCNx64, ret) == 1;
}

/* A number, or null for NAN. */
static bool
read_real(const json_t *number, double *ret)
{
	*ret = json_is_null(number) ? NAN : json_number_value(number);
	return json_is_null(number) || json_is_number(number);
}

static bool
read_paths(const json_t *array, struct flow_paths *paths)
{
	const json_t *json;
	size_t i;

	if (!json_is_array(array))
		return false;
	json_array_foreach (array, i, json) {
		struct flow_path path;

		if (json_array_size(json) != 3 ||
		    !read_hex(json_array_get(json, 0), &path.client) ||
		    !read_real(json_array_get(json, 1), &path.rtt) ||
		    !read_real(json_array_get(json, 2), &path.ttl))
			return false;
		flow_paths_add(paths, &path);
	}
	return true;
}

static const char *
read_head(struct flow_learner *l, const json_t *head)
{
	const char *format = json_string_value(json_object_get(head, "format"));
	const char *frozen = json_string_value(json_object_get(head, "frozen"));
	uint64_t since;

	if (!format || strcmp(format, FORMAT) != 0)
		return "no samples of connections begin with this line";
	if (json_integer_value(json_object_get(head, "version")) != VERSION)
		return "samples of another version";
	if (!read_hex(json_object_get(head, "seed"), &l->seed) ||
	    !read_count(json_object_get(head, "number"), &l->number) ||
	    !read_count(json_object_get(head, "since"), &since) ||
	    !read_pair(json_object_get(head, "seen"), &l->of[0].seen,
		&l->of[1].seen) ||
	    !read_pair(json_object_get(head, "before"), &l->before[0],
		&l->before[1]) ||
	    !read_count(json_object_get(head, "frozen_for"), &l->frozen_for))
		return "a counter is missing or isn't one";
	if (!frozen || strlen(frozen) >= sizeof(l->frozen))
		return "frozen: no text of up to 199 octets";
	if (!read_paths(json_object_get(head, "paths"), &l->paths))
		return "paths: one isn't [hash, seconds, TTL]";
	l->since = (size_t)since;
	memcpy(l->frozen, frozen, strlen(frozen));
	return NULL;
}

static const char *
read_record(struct flow_learner *l, const json_t *json)
{
	const json_t *score = json_array_get(json, 0);
	const json_t *label = json_array_get(json, 1);
	struct flow_heard record = {.peer = 0};
	const json_t *peer = json_array_get(json, 3);

	if (json_array_size(json) < 3 || json_array_size(json) > 4 ||
	    !json_is_number(score) ||
	    fabs(json_number_value(score)) > SCORE_MAX ||
	    !json_is_boolean(label) ||
	    !read_real(json_array_get(json, 2), &record.content) ||
	    (peer && !read_hex(peer, &record.peer)))
		return "record: not [score, is spam, content score, peer]";
	if (l->n_records == FLOW_RECORDS)
		return NULL;
	record.judged =
	    (struct flow_judged){json_number_value(score), json_is_true(label)};
	l->records[l->n_records++] = record;
	l->next_record = l->n_records % FLOW_RECORDS;
	return NULL;
}

static const char *
read_kept(struct flow_learner *l, const json_t *json, char *why, size_t size)
{
	const char *label = json_string_value(json_object_get(json, "label"));
	struct flow_kept kept;
	struct flow_reservoir *r;

	if (flow_sample_of(json, &kept.sample, why, size) < 0)
		return why;
	if (!label || (strcmp(label, "ham") != 0 && strcmp(label, "spam") != 0))
		return "label: neither ham nor spam";
	if (!read_count(json_object_get(json, "number"), &kept.number))
		return "number: not a count";
	kept.sample.is_spam = *label == 's';
	r = &l->of[kept.sample.is_spam];
	if (r->n < l->rules.room)
		r->kept[r->n++] = kept;
	if (r->seen < r->n)
		return "seen: fewer than there are samples";
	return NULL;
}

/* What is wrong with a line, or NULL. */
static const char *
read_line(struct flow_learner *l, const char *line, size_t n, size_t number,
    char *why, size_t size)
{
	json_error_t error;
	const char *wrong;
	const json_t *record;
	json_t *json;

	if (n > LINE_OCTETS)
		return "a line of more than 128 KiB";
	json = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		(void)snprintf(why, size, "%s", error.text);
		return why;
	}
	record = json_object_get(json, "record");
	wrong = number == 1 ? read_head(l, json)
		: record    ? read_record(l, record)
			    : read_kept(l, json, why, size);
	json_decref(json);
	return wrong;
}

int
flow_state_read(struct flow_learner *l, const char *name, const char *text,
    size_t n, char *err, size_t err_size)
{
	const char *const end = text + n;
	char why[200];

	for (size_t number = 1; text < end || number == 1; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *wrong =
		    newline ? read_line(l, text, (size_t)(newline - text),
				  number, why, sizeof(why))
			    : "cut off within this line";

		if (wrong) {
			(void)snprintf(err, err_size,
			    "%s:%zu: %s; remove the file, and learning begins "
			    "anew",
			    name, number, wrong);
			return -EBADMSG;
		}
		text = newline + 1;
	}
	return 0;
}
