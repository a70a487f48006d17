/*
 * tools/sluice/status.c - `sluice status`: what waits where, is everything
 * alive, is anything stuck?
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/health.h"
#include "tools/sluice/status_tune.h"
#include "tools/sluice/util.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_DEFAULT_USEC (60 * USEC_PER_SEC)
#define OUT_DEFAULT_USEC  (3600 * USEC_PER_SEC)
#define WATCH_SEC         2

struct options {
	struct common_options common;
	bool watch;
	struct health_limits limits;
};

static void
set_text(json_t *o, const char *key, const char *text)
{
	(void)json_object_set_new(o, key, util_json_text(text));
}

static void
set_number(json_t *o, const char *key, uint64_t number)
{
	(void)json_object_set_new(
	    o, key, json_integer((json_int_t)(number & INT64_MAX)));
}

static json_t *
new_line(const char *type, const char *name)
{
	json_t *o = json_object();

	set_text(o, "type", type);
	if (name)
		set_text(o, "name", name);
	return o;
}

static void
json_queue(const struct health_queue *q, const char *name)
{
	json_t *o = new_line("queue", name);

	set_number(o, "messages", q->messages);
	set_number(o, "bytes", q->bytes);
	set_number(o, "oldest_usec", q->oldest_usec);
	if (q->is_lane) {
		if (q->max_bytes != UINT64_MAX)
			set_number(o, "max_bytes", q->max_bytes);
		set_number(o, "expected_empty_usec", q->empty_usec);
		set_number(o, "in_service", q->in_service);
		set_number(o, "served_usec", q->served_usec);
		set_number(o, "in_clones", q->in_clones);
		set_number(o, "mean_wait_usec", q->wait_usec);
	}
	util_json_line(stdout, o);
}

static void
json_feed(const struct health_feed *f)
{
	json_t *o = new_line("feed", NULL);

	set_text(o, "policy", f->policy);
	set_number(o, "patience", f->patience);
	set_number(o, "queued", f->queued);
	set_number(o, "stolen", f->stolen);
	util_json_line(stdout, o);
}

static void
json_daemon(const struct health_daemon *d)
{
	json_t *o = new_line("daemon", d->name);

	set_number(o, "pid", (uint64_t)d->pid);
	(void)json_object_set_new(o, "alive", json_boolean(d->is_alive));
	set_number(o, "starts", d->starts);
	set_number(o, "since_usec", d->since_usec);
	util_json_line(stdout, o);
}

static void
json_counters(const struct health_counters *c)
{
	json_t *o = new_line("counters", c->name);

	set_number(o, "pid", (uint64_t)c->view.pid);
	set_number(o, "started_usec", c->view.start.usec);
	for (int i = 0; i < METRIC_COUNT; i++) {
		char key[48];

		(void)snprintf(
		    key, sizeof(key), "%s", metric_info((enum metric)i)->name);
		for (char *p = key; *p; p++)
			*p = (char)tolower(*p);
		set_number(o, key, c->view.values[i]);
	}
	util_json_line(stdout, o);
}

static void
json_gate(const struct gate_view *g)
{
	json_t *o = new_line("gate", NULL);

	(void)json_object_set_new(
	    o, "open", json_boolean(gate_view_is_open(g)));
	(void)json_object_set_new(o, "disk_full", json_boolean(g->is_full));
	if (g->takes_bytes != UINT64_MAX)
		set_number(o, "takes_bytes", g->takes_bytes);
	set_number(o, "since_usec", g->since_usec);
	set_number(o, "wait_usec", g->wait_usec);
	set_number(o, "disk_percent", g->used_percent);
	util_json_line(stdout, o);
}

/* For the engine mef, by enum metric_mef. */
static const char *const models[] = {[METRIC_MEF_NONE] = "none",
    [METRIC_MEF_BROKEN] = "broken",
    [METRIC_MEF_FORMER] = "former",
    [METRIC_MEF_GOOD] = "good"};

static void
json_model(const struct health *h)
{
	json_t *o = new_line("model", NULL);

	set_text(o, "state", models[h->mef]);
	util_json_line(stdout, o);
}

static void
json_flow(const struct health *h)
{
	json_t *o = new_line("flow", NULL);

	set_text(o, "standing", flow_standing_name(h->standing));
	set_text(o, "text", flow_standing_text(h->standing));
	set_number(o, "ham", h->ham);
	set_number(o, "spam", h->spam);
	util_json_line(stdout, o);
}

static void
print_json(const struct health *h)
{
	json_t *o = new_line("summary", NULL), *problems = json_array();

	for (size_t i = 0; i < SPOOL_MAX; i++)
		if (h->queues[i].is_there)
			json_queue(
			    &h->queues[i], spool_dir_name((enum spool_dir)i));
	if (h->feed.is_known)
		json_feed(&h->feed);
	status_tune_json(&h->tune);
	for (size_t i = 0; i < h->n_daemons; i++)
		json_daemon(&h->daemons[i]);
	if (h->has_gate)
		json_gate(&h->gate);
	if (h->has_mef)
		json_model(h);
	if (h->has_flow)
		json_flow(h);
	for (size_t i = 0; i < h->n_counters; i++)
		json_counters(&h->counters[i]);
	(void)json_object_set_new(o, "ok", json_boolean(h->n_problems == 0));
	for (size_t i = 0; i < h->n_problems; i++)
		(void)json_array_append_new(
		    problems, util_json_text(h->problems[i]));
	(void)json_object_set_new(o, "problems", problems);
	util_json_line(stdout, o);
}

static void
add_queue(struct table *t, const struct health_queue *q, const char *name)
{
	char size[32], age[32] = "-", limit[32] = "-", empty[32] = "-";
	char wait[32] = "-";

	if (q->messages)
		(void)util_span(q->oldest_usec, age, sizeof(age));
	if (q->is_lane) {
		(void)util_span(q->empty_usec, empty, sizeof(empty));
		if (q->max_bytes == UINT64_MAX)
			(void)snprintf(limit, sizeof(limit), "none");
		else
			(void)util_bytes(q->max_bytes, limit, sizeof(limit));
		if (q->wait_usec > 0)
			(void)util_span(q->wait_usec, wait, sizeof(wait));
	}
	table_cell(t, "%s", name);
	table_cell(t, "%" PRIu64, q->messages);
	table_cell(t, "%s", util_bytes(q->bytes, size, sizeof(size)));
	table_cell(t, "%s", age);
	table_cell(t, "%s", limit);
	table_cell(t, "%s", empty);
	table_cell(t, "%" PRIu64, q->in_service);
	table_cell(t, "%" PRIu64, q->in_clones);
	table_cell(t, "%s", wait);
}

static void
print_queues(const struct health *h)
{
	static const char *const titles[] = {"QUEUE", ">MESSAGES", ">SIZE",
	    ">OLDEST", ">LIMIT", ">EMPTY IN", ">IN SERVICE", ">IN CLONES",
	    ">MEAN WAIT"};
	struct table *t = table_new(ARRAY_SIZE(titles), titles);

	for (size_t i = 0; i < SPOOL_MAX; i++)
		if (h->queues[i].is_there)
			add_queue(t, &h->queues[i],
			    spool_dir_name((enum spool_dir)i));
	table_print(t, stdout);
}

static void
print_feed(const struct health_feed *f)
{
	if (!f->is_known)
		return;
	(void)printf("\nPolicy: %s", f->policy);
	if (f->queued > 0)
		(void)printf(
		    ", %" PRIu64 " wait in in for a free worker", f->queued);
	(void)putchar('\n');
}

static void
print_daemons(const struct health *h)
{
	static const char *const titles[] = {
	    "DAEMON", ">PID", ">STARTS", "STATE"};
	struct table *t;

	if (h->n_daemons == 0)
		return;
	t = table_new(ARRAY_SIZE(titles), titles);
	for (size_t i = 0; i < h->n_daemons; i++) {
		const struct health_daemon *d = &h->daemons[i];

		table_cell(t, "%s", d->name);
		table_cell(t, "%d", (int)d->pid);
		table_cell(t, "%u", d->starts);
		table_cell(t, "%s", d->is_alive ? "running" : "NOT RUNNING");
	}
	(void)putchar('\n');
	table_print(t, stdout);
}

static void
print_gate_and_model(const struct health *h)
{
	char text[160];

	if (h->has_gate)
		(void)printf("\nGate: %s.\n",
		    gate_view_text(&h->gate, text, sizeof(text)));
	if (h->has_mef)
		(void)printf("\nModel: %s.\n", models[h->mef]);
}

static void
print_counters(const struct health *h)
{
	static const char *const titles[] = {">TOTAL", "UNIT", "COUNTER"};
	struct table *t;

	if (h->n_counters == 0)
		return;
	t = table_new(ARRAY_SIZE(titles), titles);
	for (int m = 0; m < METRIC_COUNT; m++) {
		const struct metric_info *info = metric_info((enum metric)m);
		uint64_t sum = 0;

		for (size_t i = 0; i < h->n_counters; i++)
			sum += h->counters[i].view.values[m];
		if (sum == 0 || m == METRIC_mef_model)
			continue; /* --json has all of them */
		table_cell(t, "%" PRIu64, sum);
		table_cell(t, "%s", info->unit);
		table_cell(t, "%s", info->help);
	}
	(void)putchar('\n');
	table_print(t, stdout);
}

static void
print_text(const struct health *h)
{
	print_queues(h);
	print_feed(&h->feed);
	status_tune_print(&h->tune);
	print_daemons(h);
	print_gate_and_model(h);
	if (h->has_flow)
		(void)printf("flow: %s (%" PRIu64 " ham, %" PRIu64
			     " spam; sluice flow report)\n",
		    flow_standing_text(h->standing), h->ham, h->spam);
	print_counters(h);
	(void)putchar('\n');
	for (size_t i = 0; i < h->n_problems; i++)
		(void)printf("PROBLEM: %s\n", h->problems[i]);
	if (h->n_problems == 0)
		(void)puts("All is well.");
	(void)fflush(stdout);
}

static int
look(const struct conf *conf, const struct options *o)
{
	struct health *h = health_look(conf, &o->limits);
	int status = h->n_problems ? STATUS_BAD : STATUS_FINE;

	if (o->watch && !o->common.json)
		(void)fputs("\033[H\033[2J", stdout);
	if (o->common.json)
		print_json(h);
	else
		print_text(h);
	(void)health_free(h);
	return status;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'w':
		o->watch = true;
		return 0;
	case 'm':
		o->limits.wait_usec = util_parse_span(state, arg);
		return 0;
	case 'o':
		o->limits.out_usec = util_parse_span(state, arg);
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    {"watch", 'w', NULL, 0, "again every 2 s, until interrupted", 0},
    {"max-age", 'm', "SPAN", 0,
	"a message older than this in in or a feed queue is stuck "
	"(default: 60s)",
	0},
    {"max-age-out", 'o', "SPAN", 0,
	"the same for out, where the next hop's troubles show (default: 1h)",
	0},
    {0}};

static const struct argp argp = {options, parse, NULL,
    "What waits where, since when, until when; whether the daemons live; "
    "what they counted.\v"
    "Reads files alone, so it answers even when a daemon hangs.\n"
    "Exit status: 0 all is well; 1 something is stuck, dead or without an "
    "engine, as the lines PROBLEM say.",
    NULL, NULL, NULL};

int
command_status(int argc, char **argv)
{
	struct options o = {.limits = {WAIT_DEFAULT_USEC, OUT_DEFAULT_USEC}};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	do
		status = look(conf, &o);
	while (o.watch && sleep(WATCH_SEC) == 0);
	(void)conf_free(conf);
	return status;
}
