/*
 * tools/sluice/trace.c - `sluice trace ID`: what the journals know of one
 * message, in order, and where it is now.  The journals are what the ledger
 * is made from, so they are never behind it.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"

#include <errno.h>
#include <string.h>

struct options {
	struct common_options common;
	bool verbose;
	const char *id;
};

struct step {
	struct wall t;
	size_t order; /* of reading: breaks ties */
	json_t *json;
};

struct steps {
	const char *id;
	struct step *steps;
	size_t n, room;
};

static bool
wanted(void *arg, const char *id)
{
	const struct steps *s = arg;

	return strcmp(s->id, id) == 0;
}

static void
put_text(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, util_json_text(text));
}

static void
put_number(json_t *object, const char *key, uint64_t number)
{
	if (number)
		(void)json_object_set_new(
		    object, key, json_integer((json_int_t)number));
}

static json_t *
step_json(const char *journal, const struct event *event)
{
	json_t *o = json_object();

	put_text(o, "id", event->id);
	(void)json_object_set_new(
	    o, "t_usec", json_integer((json_int_t)event->t.usec));
	put_text(o, "journal", journal);
	put_text(o, "event", event_kind_name(event->kind));
	put_text(o, "from", spool_dir_name(event->from));
	if (event->kind == EVENT_MOVE)
		put_text(o, "to", spool_dir_name(event->to));
	put_number(o, "bytes", event->bytes);
	put_text(o, "sender", event->sender);
	put_text(o, "rcpt", event->rcpt);
	put_text(o, "verdict", event->verdict);
	put_text(o, "reason", event->reason);
	put_number(o, "wait_usec", event->wait_usec);
	put_number(o, "service_usec", event->service_usec);
	if (event->evidence)
		(void)json_object_set_new(o, "evidence",
		    json_loads(event->evidence, JSON_DECODE_ANY, NULL));
	return o;
}

static void
take(void *arg, const char *journal, const struct event *event)
{
	struct steps *s = arg;

	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->steps = realloc(s->steps, s->room * sizeof(*s->steps));
		if (!s->steps)
			abort();
	}
	s->steps[s->n] =
	    (struct step){event->t, s->n, step_json(journal, event)};
	s->n++;
}

static int
compare(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->t.usec != y->t.usec)
		return x->t.usec < y->t.usec ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* One row; the columns are those of print_text(). */
static void
add_row(struct table *table, const json_t *step)
{
	char when[32], size[32], wait[32], service[32];
	const char *to = util_json_get(step, "to"),
		   *verdict = util_json_get(step, "verdict"),
		   *reason = util_json_get(step, "reason");

	table_cell(table, "%s",
	    util_time(util_json_number(step, "t_usec"), when, sizeof(when)));
	table_cell(table, "%s", util_json_get(step, "journal"));
	table_cell(table, "%s", util_json_get(step, "event"));
	table_cell(table, "%s%s%s", util_json_get(step, "from"),
	    *to ? " -> " : "", to);
	table_cell(table, "%s",
	    util_bytes(util_json_number(step, "bytes"), size, sizeof(size)));
	table_cell(table, "%s",
	    util_span(util_json_number(step, "wait_usec"), wait, sizeof(wait)));
	table_cell(table, "%s",
	    util_span(util_json_number(step, "service_usec"), service,
		sizeof(service)));
	table_cell(
	    table, "%s%s%s", verdict, *verdict && *reason ? ": " : "", reason);
}

static void
print_evidence(const json_t *step)
{
	const json_t *evidence = json_object_get(step, "evidence");
	char *text;

	if (!evidence)
		return;
	text = json_dumps(
	    evidence, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	(void)printf("\n%s -> %s, by this evidence:\n%s\n",
	    util_json_get(step, "from"), util_json_get(step, "to"),
	    text ? text : "");
	free(text);
}

static void
print_text(const struct steps *s, bool verbose)
{
	static const char *const titles[] = {"WHEN", "JOURNAL", "EVENT",
	    "WHERE", ">SIZE", ">WAITED", ">SERVICE", "VERDICT"};
	struct table *table = table_new(ARRAY_SIZE(titles), titles);

	for (size_t i = 0; i < s->n; i++)
		add_row(table, s->steps[i].json);
	table_print(table, stdout);
	for (size_t i = 0; verbose && i < s->n; i++)
		print_evidence(s->steps[i].json);
}

/* Where its qf is: one directory, or none once it was delivered. */
static json_t *
find_places(const struct spool *spool, const char *id)
{
	json_t *places = json_array();

	for (size_t i = 0; i < spool_dirs(spool); i++)
		if (view_has(spool, (enum spool_dir)i, id))
			(void)json_array_append_new(places,
			    json_string(spool_dir_name((enum spool_dir)i)));
	return places;
}

static void
print_places(const struct steps *s, const json_t *places)
{
	const char *last =
	    s->n ? util_json_get(s->steps[s->n - 1].json, "to") : "";

	(void)printf("%s is ", s->id);
	if (json_array_size(places) == 0)
		(void)printf(
		    strcmp(last, "out") == 0
			? "not in the spool any more: delivered by the "
			  "second sendmail\n"
			: "not in the spool\n");
	for (size_t i = 0; i < json_array_size(places); i++)
		(void)printf("%s%s%s", i ? " and in " : "in ",
		    json_string_value(json_array_get(places, i)),
		    i + 1 == json_array_size(places) ? "\n" : "");
}

static int
print(struct steps *s, const struct spool *spool, const struct options *o)
{
	json_t *places = find_places(spool, s->id);
	bool known = s->n > 0 || json_array_size(places) > 0;

	if (s->n > 1)
		qsort(s->steps, s->n, sizeof(*s->steps), compare);
	if (o->common.json) {
		for (size_t i = 0; i < s->n; i++)
			util_json_line(stdout, json_incref(s->steps[i].json));
		if (known)
			util_json_line(
			    stdout, json_pack("{s:s, s:s, s:O}", "id", s->id,
					"event", "now", "in", places));
	} else if (known) {
		if (s->n)
			print_text(s, o->verbose);
		print_places(s, places);
	}
	json_decref(places);
	if (known)
		return STATUS_FINE;
	return util_fail(STATUS_UNKNOWN, "trace",
	    "%s: neither in the spool nor in a journal", s->id);
}

static int
trace(const struct conf *conf, const struct options *o)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	struct steps s = {.id = o->id};
	struct history *history;
	int r = view_open(conf, &spool);

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "trace", "%s: %s",
		    conf->site.spool, strerror(-r));
	history = history_new(spool);
	r = history_read(history, wanted, take, &s);
	if (r < 0)
		(void)util_fail(
		    0, "trace", "%s/journal: %s", spool->path, strerror(-r));
	(void)history_free(history);
	r = print(&s, spool, o);
	for (size_t i = 0; i < s.n; i++)
		json_decref(s.steps[i].json);
	free(s.steps);
	return r;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'v':
		o->verbose = true;
		return 0;
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

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    {"verbose", 'v', NULL, 0, "print the evidence of each judgement too", 0},
    {0}};

static const struct argp argp = {options, parse, "ID",
    "Everything that is known about one message: its moves, tries and waits "
    "with times, verdicts and reasons, and where it is now.\v"
    "ID is sendmail's queue id: the name of the qf without \"qf\", and what "
    "the 250 reply to the sender said.\n"
    "Exit status: 0 known, 2 unknown.",
    NULL, NULL, NULL};

int
command_trace(int argc, char **argv)
{
	struct options o = {0};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	status = trace(conf, &o);
	(void)conf_free(conf);
	return status;
}
