/*
 * tools/sluice/vm_report.c - `sluice vm report HASH`: what a file that was run
 * for a message did.
 *
 * Reports are kept where each judgement is: in the journals, as the evidence
 * of the message, found behaviours with the events that prove them.  So no
 * process of the clones' needs a place to write, what is kept is bounded as
 * evidence is, and it goes when the journals go.
 */
#include "tools/sluice/vm.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/digest.h"
#include "common/io.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define HASH_MIN 8 /* digits, of 64 */

struct options {
	struct common_options common;
	const char *hash;
};

struct search {
	const char *hash;
	size_t len;
	json_t *found; /* the newest run, or the newest answer from the table */
	bool is_run;
	uint64_t t_usec;
};

static bool
wanted(void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return true; /* which messages had the file is not known before */
}

static const json_t *
vm_verdict(const json_t *part)
{
	const json_t *verdict;
	size_t i;

	json_array_foreach (json_object_get(part, "verdicts"), i, verdict) {
		const char *engine =
		    json_string_value(json_object_get(verdict, "engine"));

		if (engine && strcmp(engine, "vm") == 0)
			return verdict;
	}
	return NULL;
}

static void
keep(struct search *s, const struct event *event, const json_t *part,
    const json_t *verdict)
{
	/* One that the scanned table has answered tells less. */
	bool is_run = json_object_get(verdict, "did") != NULL;

	if (s->found &&
	    (is_run != s->is_run ? s->is_run : event->t.usec < s->t_usec))
		return;
	json_decref(s->found);
	s->found = json_pack("{ss sI sO* sO* sO* sO* sO*}", "id", event->id,
	    "t_usec", (json_int_t)event->t.usec, "sha256",
	    json_object_get(part, "sha256"), "names",
	    json_object_get(part, "names"), "answer",
	    json_object_get(verdict, "answer"), "reason",
	    json_object_get(verdict, "reason"), "did",
	    json_object_get(verdict, "did"));
	s->is_run = is_run;
	s->t_usec = event->t.usec;
}

static void
take_part(struct search *s, const struct event *event, const json_t *part)
{
	const char *sha256 = json_string_value(json_object_get(part, "sha256"));
	const json_t *verdict;

	if (!sha256 || strncmp(sha256, s->hash, s->len) != 0)
		return;
	verdict = vm_verdict(part);
	if (verdict)
		keep(s, event, part, verdict);
}

static void
take(void *arg, const char *journal, const struct event *event)
{
	struct search *s = arg;
	const json_t *reading, *part;
	json_t *evidence;
	size_t i;

	(void)journal;
	/* Most messages don't have it: no tree is built for those. */
	if (!event->evidence || !strstr(event->evidence, s->hash))
		return;
	evidence = json_loads(event->evidence, 0, NULL);
	reading = json_object_get(evidence, "reading");
	json_array_foreach (json_object_get(reading, "parts"), i, part)
		take_part(s, event, part);
	json_decref(evidence);
}

static void
print_text(const json_t *found)
{
	char when[40];
	json_t *did = json_object_get(found, "did");
	char *text =
	    did ? json_dumps(did,
		      JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII)
		: NULL;

	(void)printf("%s\n%s%s%s\nmessage %s, %s\n%s\n",
	    util_json_get(found, "sha256"), util_json_get(found, "answer"),
	    *util_json_get(found, "reason") ? ": " : "",
	    util_json_get(found, "reason"), util_json_get(found, "id"),
	    util_time(
		(uint64_t)json_integer_value(json_object_get(found, "t_usec")),
		when, sizeof(when)),
	    text ? text : "answered by the scanned table; no run is kept");
	free(text);
}

static int
status_of(const json_t *found)
{
	const char *answer = util_json_get(found, "answer");

	if (strcmp(answer, "clean") == 0)
		return STATUS_FINE;
	return strcmp(answer, "hit") == 0 ? STATUS_BAD : STATUS_UNKNOWN;
}

int
vm_report_find(const struct spool *spool, const char *hash, json_t **ret)
{
	struct search s = {.hash = hash, .len = strlen(hash)};
	struct history *history = history_new(spool);
	int r = history_read(history, wanted, take, &s);

	(void)history_free(history);
	if (!s.found)
		return r < 0 ? r : -ENODATA;
	*ret = s.found;
	return 0;
}

static int
report(const struct conf *conf, const struct options *o)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	json_t *found = NULL;
	int status, r = view_open(conf, &spool);

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "vm report", "%s: %s",
		    conf->site.spool, strerror(-r));
	r = vm_report_find(spool, o->hash, &found);
	if (r < 0)
		return r == -ENODATA
			   ? util_fail(STATUS_UNKNOWN, "vm report",
				 "%s: no run of such a file is in a journal",
				 o->hash)
			   : util_fail(STATUS_SYSTEM, "vm report",
				 "%s/journal: %s", spool->path, strerror(-r));
	status = status_of(found);
	if (o->common.json) {
		util_json_line(stdout, found);
		return status;
	}
	print_text(found);
	json_decref(found);
	return status;
}

static bool
is_hash(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return text[n] == '\0' && n >= HASH_MIN && n < DIGEST_HEX;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (o->hash || !is_hash(arg))
			argp_error(state,
			    "%s: write one SHA-256, or its first digits, at "
			    "least %d",
			    arg, HASH_MIN);
		o->hash = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->hash)
			argp_error(state, "write the SHA-256 of a file");
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, "HASH",
    "What a file that came with a message did in its clone.\v"
    "HASH is its SHA-256 in lower case, or the beginning. The report is the "
    "evidence of the message, in the journals; the newest run counts.\n"
    "JSON, one line: id, t_usec, sha256, names, answer, reason, did (the "
    "behaviours and their events).\n"
    "Exit status: 0 clean, 1 a bad behaviour was seen, 2 unknown, or no "
    "run of it is known.",
    NULL, NULL, NULL};

int
vm_report(int argc, char **argv)
{
	struct options o = {.hash = NULL};
	int status = STATUS_FINE;
	struct conf *conf;

	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o.common, &status);
	if (conf)
		status = report(conf, &o);
	(void)conf_free(conf);
	return status;
}
