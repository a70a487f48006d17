#include "common/cleanup.h"
#include "common/io.h"
#include "worker/behind.h"
#include "worker/caller.h"
#include "worker/job_priv.h"
#include "worker/opinion.h"
#include "worker/reading.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* 15 digits are what a double keeps of a decimal number: 0.432 stays so. */
#define AS_TEXT (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

/* Names and types were made UTF-8 by the cell; if it lied, say so. */
static json_t *
text_json(const char *text)
{
	json_t *s = json_string(text);

	return s ? s : json_string("(not UTF-8)");
}

static json_t *
names_json(const struct reading_part *part)
{
	json_t *names = json_array();
	const char *p = part->names;

	for (uint32_t i = 0; i < part->n_names; i++, p += strlen(p) + 1)
		(void)json_array_append_new(names, text_json(p));
	return names;
}

static void
add_verdict(json_t *verdicts, const char *engine, const char *answer,
    const char *reason, bool is_known)
{
	json_t *v = json_object();

	(void)json_object_set_new(v, "engine", json_string(engine));
	(void)json_object_set_new(v, "answer", json_string(answer));
	if (*reason)
		(void)json_object_set_new(v, "reason", text_json(reason));
	if (is_known)
		(void)json_object_set_new(v, "known", json_true());
	(void)json_array_append_new(verdicts, v);
}

/* The clones' answer, how long it took (table and queue too), and what the
 * file did there. */
static void
add_run(json_t *verdicts, const struct job_part *part)
{
	json_t *verdict, *did = NULL;

	if (part->behaviours)
		did = json_loads(part->behaviours, 0, NULL);
	add_verdict(verdicts, "vm", answer_name((enum answer)part->vm.answer),
	    part->vm.reason, part->is_run_known);
	verdict = json_array_get(verdicts, json_array_size(verdicts) - 1);
	(void)json_object_set_new(
	    verdict, "usec", json_integer((json_int_t)part->vm.usec));
	if (did)
		(void)json_object_set_new(verdict, "did", did);
}

/* A feature has no name but its hash; with how many documents have it. */
static json_t *
strongest_json(const struct opinion *opinion)
{
	json_t *list = json_array();

	for (size_t i = 0; i < opinion->n_strongest; i++) {
		const struct mef_strong *s = &opinion->strongest[i];
		char hash[20];

		(void)snprintf(
		    hash, sizeof(hash), "%016llx", (unsigned long long)s->hash);
		(void)json_array_append_new(
		    list, json_pack("{ss ss sI sI}", "family",
			      mef_family_names[s->family], "hash", hash,
			      "malicious", (json_int_t)s->n[MEF_MALICIOUS],
			      "benign", (json_int_t)s->n[MEF_BENIGN]));
	}
	return list;
}

static json_t *
rounded(double value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.6f",
	    isfinite(value) ? fmin(fmax(value, -1e6), 1e6) : 0);
	return json_real(strtod(text, NULL));
}

/* The model's answer, and what it comes from. */
static void
add_opinion(json_t *verdicts, const struct job_part *part)
{
	const struct opinion *o = part->opinion;
	json_t *verdict, *families = json_object();

	add_verdict(verdicts, "mef", answer_name((enum answer)part->mef.answer),
	    part->mef.reason, part->is_opinion_known);
	verdict = json_array_get(verdicts, json_array_size(verdicts) - 1);
	for (int f = 0; o && o->has_families && f < MEF_FAMILIES; f++)
		if (o->family[f] != 0)
			(void)json_object_set_new(families, mef_family_names[f],
			    rounded(o->family[f]));
	if (o && o->has_families)
		(void)json_object_set(verdict, "families", families);
	json_decref(families);
	if (!o)
		return;
	(void)json_object_set_new(
	    verdict, "label", json_string(mef_label_names[o->label]));
	(void)json_object_set_new(verdict, "p", rounded(o->p_malicious));
	(void)json_object_set_new(
	    verdict, "kind", json_string(mef_kind_names[o->kind]));
	if (o->n_strongest > 0)
		(void)json_object_set_new(
		    verdict, "strongest", strongest_json(o));
}

static json_t *
verdicts_json(const struct job *job, const struct job_part *part)
{
	static const char *const actions[] = {[POLICY_ALLOW] = "clean",
	    [POLICY_HOLD] = "hold",
	    [POLICY_REFUSE] = "refuse"};
	const struct job_part *judged = part->same ? part->same : part;
	json_t *verdicts = json_array();

	if (job->is_asked[JOB_POLICY])
		add_verdict(verdicts, "policy", actions[part->action],
		    part->why ? part->why : "", false);
	if (job->is_asked[JOB_CLAMD] && judged->is_done)
		add_verdict(verdicts, "clamd",
		    answer_name(judged->answer.answer), judged->answer.reason,
		    judged->is_known);
	if (judged->is_weighed)
		add_opinion(verdicts, judged);
	if (judged->is_run)
		add_run(verdicts, judged);
	return verdicts;
}

static json_t *
flags_json(uint32_t flags)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} rows[] = {{PART_ATTACHMENT, "attachment"},
	    {PART_CONTAINER, "container"}, {PART_ENCRYPTED, "encrypted"},
	    {PART_NO_CONTENT, "no content"}, {PART_BROKEN, "broken"},
	    {PART_BODY, "body"}, {PART_PROGRAM, "program"}};
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (flags & rows[i].bit)
			(void)json_array_append_new(
			    list, json_string(rows[i].name));
	return list;
}

static json_t *
part_json(const struct job *job, size_t i)
{
	const struct reading_part *seen = &job->reading->parts[i];
	const struct job_part *part = &job->parts[i];
	char hex[DIGEST_HEX];
	json_t *p = json_object();

	(void)json_object_set_new(
	    p, "sha256", json_string(digest_hex(&part->digest, hex)));
	(void)json_object_set_new(p, "names", names_json(seen));
	(void)json_object_set_new(p, "type", text_json(seen->type));
	(void)json_object_set_new(
	    p, "bytes", json_integer((json_int_t)seen->bytes));
	(void)json_object_set_new(
	    p, "view", json_string(reading_view_name(seen->view)));
	(void)json_object_set_new(p, "flags", flags_json(seen->flags));
	(void)json_object_set_new(p, "verdicts", verdicts_json(job, part));
	return p;
}

static bool
is_bad(const struct job_part *part)
{
	const struct job_part *judged = part->same ? part->same : part;

	return part->action != POLICY_ALLOW ||
	       (judged->is_weighed && judged->mef.answer != ANSWER_CLEAN) ||
	       (judged->is_run && judged->vm.answer != ANSWER_CLEAN) ||
	       (judged->is_done && judged->answer.answer != ANSWER_CLEAN);
}

/* The most that one record takes beside its texts. */
#define PART_JSON_BYTES 430

/* What an opinion takes at most beside its reason: 150 for itself, 30 for
 * each family, 110 for each feature. */
#define OPINION_JSON_BYTES (150 + 30 * MEF_FAMILIES + 110 * OPINION_STRONGEST)

/* As ASCII an octet takes three at most: two make one \u of six, and a '"'
 * takes two.  Controls, which would take six, the reader refuses. */
#define ESCAPED 3

/* The most that part i takes of the room. */
static size_t
part_cost(const struct job *job, size_t i)
{
	const struct reading_part *seen = &job->reading->parts[i];
	const struct job_part *part = &job->parts[i];
	const struct job_part *judged = part->same ? part->same : part;
	size_t octets = strlen(seen->type) + strlen(judged->answer.reason);
	const char *p = seen->names;

	if (part->why)
		octets += strlen(part->why);
	if (judged->is_run)
		octets += strlen(judged->vm.reason);
	if (judged->is_weighed)
		octets += strlen(judged->mef.reason);
	for (uint32_t n = 0; n < seen->n_names; n++) {
		octets += strlen(p) + 1; /* two quotes and a comma: ESCAPED */
		p += strlen(p) + 1;
	}
	return PART_JSON_BYTES + ESCAPED * octets +
	       (judged->is_weighed ? OPINION_JSON_BYTES : 0) +
	       (judged->behaviours ? strlen(judged->behaviours) : 0);
}

/* Append the parts for which bad is so, as long as there is room. */
static size_t
add_parts(const struct job *job, json_t *parts, bool bad, size_t *room)
{
	size_t omitted = 0;

	for (size_t i = 0; i < job->reading->n_parts; i++) {
		size_t cost = part_cost(job, i);

		if (is_bad(&job->parts[i]) != bad)
			continue;
		if (cost > *room) {
			omitted++;
			continue;
		}
		*room -= cost;
		(void)json_array_append_new(parts, part_json(job, i));
	}
	return omitted;
}

/* One link: what it is, and what it led to as the evidence of that. */
static json_t *
link_json(const struct behind *b)
{
	json_t *o = NULL;

	if (b->evidence)
		o = json_loads(b->evidence, 0, NULL);
	if (!o)
		o = json_object();
	(void)json_object_set_new(o, "url", text_json(b->url));
	(void)json_object_set_new(o, "fetched", json_boolean(b->is_fetched));
	if (b->is_fetched)
		(void)json_object_set_new(
		    o, "bytes", json_integer((json_int_t)b->bytes));
	if (*b->why)
		(void)json_object_set_new(o, "why", text_json(b->why));
	return o;
}

/* Beside the texts of one link. */
#define LINK_JSON_BYTES 80

static size_t
link_cost(const struct behind *b)
{
	return LINK_JSON_BYTES + (b->evidence ? strlen(b->evidence) : 0) +
	       ESCAPED * (strlen(b->url) + strlen(b->why));
}

static void
add_links(const struct job *job, json_t *root, size_t *room)
{
	json_t *links = json_array();
	size_t omitted = 0;

	for (size_t i = 0; i < job->n_links; i++) {
		const size_t cost = link_cost(&job->links[i]);

		if (cost > *room) {
			omitted++;
			continue;
		}
		*room -= cost;
		(void)json_array_append_new(links, link_json(&job->links[i]));
	}
	(void)json_object_set_new(root, "links", links);
	if (omitted > 0 || job->reading->links_cut)
		(void)json_object_set_new(root, "links_omitted", json_true());
}

static void
add_reading(const struct job *job, size_t most, json_t *root)
{
	const struct reading *reading = job->reading;
	json_t *parts = json_array();
	/* Beside the parts: the cell's words, and 256 for the rest. */
	const size_t fixed = ESCAPED * strlen(reading->text) + 320;
	size_t room = most > fixed ? most - fixed : 0;
	size_t omitted;
	char text[128];

	if (job->is_asked[JOB_LINKS])
		add_links(job, root, &room);

	omitted = add_parts(job, parts, true, &room);
	omitted += add_parts(job, parts, false, &room);
	(void)json_object_set_new(root, "parts", parts);
	if (omitted)
		(void)json_object_set_new(
		    root, "parts_omitted", json_integer((json_int_t)omitted));
	if (reading->ambiguity)
		(void)json_object_set_new(root, "ambiguity",
		    json_string(reading_ambiguity_text(
			reading->ambiguity, text, sizeof(text))));
	if (*reading->text)
		(void)json_object_set_new(
		    root, "reading", text_json(reading->text));
}

char *
evidence_did(const char *json, size_t len)
{
	json_t *did = json_loadb(json, len, 0, NULL);
	char *text = json_dumps(did, AS_TEXT);

	json_decref(did);
	if (text && strlen(text) > WIRE_VM_EVIDENCE_MAX) {
		free(text); /* numbers can grow */
		text = NULL;
	}
	return text;
}

/* "null", a number, or anything else as text. */
static json_t *
value_json(const char *text)
{
	json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);

	if (v && (json_is_number(v) || json_is_null(v)))
		return v;
	json_decref(v);
	return text_json(text);
}

/* The connection: how it was found, and its features as they were judged. */
static json_t *
caller_json(const struct caller_view *view)
{
	CLEANUP(free_ptr) char *copy = xstrdup(view->features);
	char *rest = copy, *word, *value;
	json_t *o = json_object();

	(void)json_object_set_new(o, "by", json_string(view->by));
	(void)json_object_set_new(
	    o, "ordinal", json_integer((json_int_t)view->ordinal));
	(void)json_object_set_new(o, "score",
	    isnan(view->score) ? json_null() : json_real(view->score));
	(void)json_object_set_new(o, "points", json_real(view->points));
	while ((word = strsep(&rest, " "))) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = '\0';
		(void)json_object_set_new(o, word, value_json(value));
	}
	return o;
}

/* Returns what is left of most. */
static size_t
add_caller(const struct job *job, size_t most, json_t *root)
{
	CLEANUP(free_ptr) char *text = NULL;
	struct caller_view view;
	json_t *o;

	if (!job->caller || !caller_view(job->caller, &view))
		return most;
	o = caller_json(&view);
	text = json_dumps(o, AS_TEXT);
	if (!text || strlen(text) + sizeof(",\"flow\":") > most) {
		json_decref(o);
		return most;
	}
	(void)json_object_set_new(root, "flow", o);
	return most - strlen(text) - sizeof(",\"flow\":");
}

char *
evidence_format(const struct job *job, size_t most, size_t *ret_len)
{
	json_t *root = json_object();
	const size_t room = add_caller(job, most, root);
	char *text;

	if (job->reading)
		add_reading(job, room, root);
	text = json_dumps(root, AS_TEXT);
	json_decref(root);
	if (!text || strlen(text) > most) {
		/* A link's, of a reading with a long text; else part_cost()
		 * is an upper bound. */
		free(text);
		text = xstrdup("{\"parts\":[],\"too_large\":true}");
	}
	*ret_len = strlen(text);
	return text;
}
