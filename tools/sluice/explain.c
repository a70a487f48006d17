/*
 * tools/sluice/explain.c - `sluice explain ID`: why is a message where it is?
 *
 * The evidence of its last judgement, for people: each part that somebody
 * had something to say about, who said what, and for a file that was run what
 * it did.  A file that the scanned table has answered was run for an earlier
 * message: what it did is shown from there.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"
#include "tools/sluice/vm.h"

#include <errno.h>
#include <string.h>

struct options {
	struct common_options common;
	const char *id;
};

/* The last thing that was said of the message. */
struct search {
	const char *id;
	json_t *last;
	uint64_t t_usec;
};

/* What the engines role wrote of its parts. */
static json_t *
reading_of(const json_t *last)
{
	return json_object_get(json_object_get(last, "evidence"), "reading");
}

static bool
is_text(const json_t *object, const char *key, const char *text)
{
	return strcmp(util_json_get(object, key), text) == 0;
}

static bool
wanted(void *arg, const char *id)
{
	const struct search *s = arg;

	return strcmp(s->id, id) == 0;
}

static void
take(void *arg, const char *journal, const struct event *event)
{
	struct search *s = arg;
	const char *to =
	    event->kind == EVENT_MOVE ? spool_dir_name(event->to) : "";

	(void)journal;
	if ((!event->verdict && !event->reason) || event->t.usec < s->t_usec)
		return;
	s->t_usec = event->t.usec;
	json_decref(s->last);
	s->last = json_pack("{ss sI ss ss so so sI sI}", "id", event->id,
	    "t_usec", (json_int_t)event->t.usec, "event",
	    event_kind_name(event->kind), "to", to, "verdict",
	    util_json_text(event->verdict ? event->verdict : "unknown"),
	    "reason", util_json_text(event->reason ? event->reason : ""),
	    "wait_usec", (json_int_t)event->wait_usec, "service_usec",
	    (json_int_t)event->service_usec);
	if (event->evidence)
		(void)json_object_set_new(s->last, "evidence",
		    json_loads(event->evidence, JSON_DECODE_ANY, NULL));
}

/* What a file did for an earlier message, put where it would be if it had
 * been run for this one, with that message's id. */
static void
recall(const struct spool *spool, const json_t *part, json_t *verdict)
{
	const char *sha256 = util_json_get(part, "sha256");
	json_t *found, *did;

	if (!is_text(verdict, "engine", "vm") ||
	    !json_is_true(json_object_get(verdict, "known")) ||
	    json_object_get(verdict, "did") || !*sha256 ||
	    vm_report_find(spool, sha256, &found) < 0)
		return;
	did = json_object_get(found, "did");
	if (did) {
		(void)json_object_set(verdict, "did", did);
		(void)json_object_set(
		    verdict, "run_for", json_object_get(found, "id"));
	}
	json_decref(found);
}

static void
recall_all(const struct spool *spool, const json_t *parts)
{
	const json_t *part;
	json_t *verdict;
	size_t i, k;

	json_array_foreach (parts, i, part)
		json_array_foreach (
		    json_object_get(part, "verdicts"), k, verdict)
			recall(spool, part, verdict);
}

/* Of a mail's text: octets outside printable ASCII become '?'. */
static void
print_plain(const char *text)
{
	for (; *text; text++)
		(void)putchar(*text < ' ' || *text > '~' ? '?' : *text);
}

/* One event of a guest: {"t": ..., "pid": ..., "ev": ..., "path": ...}. */
static void
print_event(const json_t *event)
{
	const char *key;
	const json_t *value;

	(void)printf("        %8.3f s  %s",
	    json_number_value(json_object_get(event, "t")),
	    util_json_get(event, "ev"));
	json_object_foreach ((json_t *)(uintptr_t)event, key, value) {
		if (!json_is_string(value) || strcmp(key, "ev") == 0)
			continue;
		(void)printf(" %s=", key);
		print_plain(json_string_value(value));
	}
	(void)putchar('\n');
}

static void
print_did(const json_t *verdict)
{
	const json_t *did = json_object_get(verdict, "did"), *b, *event;
	size_t i, k;

	if (*util_json_get(verdict, "run_for"))
		(void)printf("      it was run for message %s:\n",
		    util_json_get(verdict, "run_for"));
	json_array_foreach (json_object_get(did, "behaviours"), i, b) {
		(void)printf("      %s (%s, weight %llu): ",
		    util_json_get(b, "id"), util_json_get(b, "attack"),
		    (unsigned long long)util_json_number(b, "weight"));
		print_plain(util_json_get(b, "name"));
		(void)putchar('\n');
		json_array_foreach (json_object_get(b, "events"), k, event)
			print_event(event);
	}
}

/* A model knows its features by hash alone, and how many programs had each. */
static void
print_strongest(const json_t *verdict)
{
	const json_t *feature;
	size_t i;

	json_array_foreach (json_object_get(verdict, "strongest"), i, feature) {
		(void)printf("      of %s ", util_json_get(feature, "family"));
		print_plain(util_json_get(feature, "hash"));
		(void)printf(": %llu malicious and %llu benign programs\n",
		    (unsigned long long)util_json_number(feature, "malicious"),
		    (unsigned long long)util_json_number(feature, "benign"));
	}
}

static void
print_verdict(const json_t *verdict)
{
	const json_t *usec = json_object_get(verdict, "usec");

	(void)printf("    %s says %s", util_json_get(verdict, "engine"),
	    util_json_get(verdict, "answer"));
	if (*util_json_get(verdict, "reason")) {
		(void)printf(": ");
		print_plain(util_json_get(verdict, "reason"));
	}
	if (json_is_true(json_object_get(verdict, "known")))
		(void)printf(", known from the scanned table");
	if (usec)
		(void)printf(
		    ", in %.1f ms", (double)json_integer_value(usec) / 1000);
	(void)putchar('\n');
	print_did(verdict);
	if (strcmp(util_json_get(verdict, "answer"), "clean") != 0)
		print_strongest(verdict);
}

static void
print_part(const json_t *part)
{
	const json_t *names = json_object_get(part, "names"), *verdict;
	char size[32];
	size_t i;

	(void)printf("  ");
	print_plain(json_array_size(names)
			? json_string_value(json_array_get(names, 0))
			: "(without a name)");
	(void)printf(", %s, %s, %.16s...\n", util_json_get(part, "type"),
	    util_bytes(util_json_number(part, "bytes"), size, sizeof(size)),
	    util_json_get(part, "sha256"));
	json_array_foreach (json_object_get(part, "verdicts"), i, verdict)
		print_verdict(verdict);
}

static void
print_text(const struct search *s)
{
	const json_t *reading = reading_of(s->last), *part;
	const json_t *parts = json_object_get(reading, "parts");
	const char *to = util_json_get(s->last, "to");
	char when[40], span[32];
	size_t i;

	(void)printf("%s %s%s, %s: ", s->id, *to ? "went to " : "waits", to,
	    util_json_get(s->last, "verdict"));
	print_plain(util_json_get(s->last, "reason"));
	(void)printf("\njudged %s", util_time(s->t_usec, when, sizeof(when)));
	if (util_json_number(s->last, "service_usec"))
		(void)printf(", in %s",
		    util_span(util_json_number(s->last, "service_usec"), span,
			sizeof(span)));
	(void)putchar('\n');
	json_array_foreach (parts, i, part)
		print_part(part);
	if (json_object_get(reading, "parts_omitted"))
		(void)printf("  and %llu parts more\n",
		    (unsigned long long)util_json_number(
			reading, "parts_omitted"));
}

static int
explain(const struct conf *conf, const struct options *o)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	struct search s = {.id = o->id};
	struct history *history;
	int r = view_open(conf, &spool);

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "explain", "%s: %s",
		    conf->site.spool, strerror(-r));
	history = history_new(spool);
	r = history_read(history, wanted, take, &s);
	(void)history_free(history);
	if (r < 0)
		(void)util_fail(
		    0, "explain", "%s/journal: %s", spool->path, strerror(-r));
	if (!s.last)
		return util_fail(STATUS_UNKNOWN, "explain",
		    "%s: no journal tells of a judgement; `sluice trace %s` "
		    "tells where it is",
		    o->id, o->id);
	recall_all(spool, json_object_get(reading_of(s.last), "parts"));
	if (o->common.json) {
		util_json_line(stdout, s.last);
		return STATUS_FINE;
	}
	print_text(&s);
	json_decref(s.last);
	return STATUS_FINE;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (o->id)
			argp_error(state, "%s: one ID at a time", arg);
		o->id = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->id)
			argp_error(state, "write a queue id, as in the "
					  "sender's 250 reply");
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, "ID",
    "Why a message is where it is: its last judgement, what each engine said "
    "of each part, and what the files did that were run in clones.\v"
    "ID is sendmail's queue id. A file that was known from the scanned table "
    "was run for an earlier message, which is named (run_for).\n"
    "JSON, one line: id, t_usec, event, to, verdict, reason, wait_usec, "
    "service_usec, evidence (as sluice trace --json has it).\n"
    "Exit status: 0 it was judged, 2 nothing is known.",
    NULL, NULL, NULL};

int
command_explain(int argc, char **argv)
{
	struct options o = {0};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	status = explain(conf, &o);
	(void)conf_free(conf);
	return status;
}
