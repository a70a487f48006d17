/*
 * tools/sluice/selftest.c - `sluice selftest`: samples through the real path.
 *
 * Each is handed to the receiving sendmail by SMTP and then followed by its
 * queue id in the journals, until it has a destination.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/samples.h"
#include "tools/sluice/smtp.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"

#include <errno.h>
#include <string.h>

#define WAIT_DEFAULT_SEC 60
#define POLL_USEC        20000

struct options {
	struct common_options common;
	const char *rcpt, *sender, *smtp;
	uint64_t wait_usec;
};

struct trial {
	bool skipped;
	bool arrived;
	char id[QUEUE_ID_MAX + 1];
	struct mono sent;
	enum spool_dir found;
	uint64_t usec;
	char reason[256];
};

struct selftest {
	struct trial trials[SAMPLE_COUNT];
	size_t waiting;
};

static struct trial *
find(struct selftest *t, const char *id)
{
	for (size_t i = 0; i < SAMPLE_COUNT; i++)
		if (t->trials[i].id[0] && strcmp(t->trials[i].id, id) == 0)
			return &t->trials[i];
	return NULL;
}

static bool
wanted(void *arg, const char *id)
{
	return find(arg, id) != NULL;
}

static void
take(void *arg, const char *journal, const struct event *event)
{
	struct selftest *t = arg;
	struct trial *trial = find(t, event->id);

	(void)journal;
	if (!trial || trial->arrived)
		return;
	if (event->reason)
		(void)snprintf(
		    trial->reason, sizeof(trial->reason), "%s", event->reason);
	if (event->kind != EVENT_MOVE || event->to == SPOOL_IN ||
	    event->to >= SPOOL_FEED1)
		return;
	trial->arrived = true;
	trial->found = event->to;
	trial->usec = mono_span(trial->sent, mono_now());
	t->waiting--;
}

static void
send_one(
    struct selftest *t, size_t i, struct smtp *smtp, const struct options *o)
{
	CLEANUP(free_ptr) char *text = sample_text(i, o->sender, o->rcpt);
	struct trial *trial = &t->trials[i];
	int r;

	trial->sent = mono_now();
	r = smtp_send(smtp, o->sender, o->rcpt, text, trial->id,
	    sizeof(trial->id), trial->reason, sizeof(trial->reason));
	if (r == 0 && trial->id[0]) {
		t->waiting++;
		trial->reason[0] = '\0';
	}
}

/* 0, or the exit status of a path that doesn't even begin. */
static int
send_all(struct selftest *t, const struct conf *conf, const struct options *o)
{
	const char *address = o->smtp ? o->smtp : conf->site.smtp;
	struct smtp *smtp = NULL;
	char reply[256];

	if (smtp_open(address, &smtp, reply, sizeof(reply)) < 0)
		return util_fail(STATUS_SYSTEM, "selftest",
		    "%s: no receiving sendmail (site.smtp): %s", address,
		    reply);
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		const char *engine = samples[i].engine;

		t->trials[i].skipped =
		    engine && !conf_has_word(conf->worker.engines, engine);
		if (!t->trials[i].skipped)
			send_one(t, i, smtp, o);
	}
	(void)smtp_close(smtp);
	return STATUS_FINE;
}

static void
follow(struct selftest *t, const struct spool *spool, uint64_t wait_usec)
{
	struct history *history = history_new(spool);
	struct mono begin = mono_now();

	for (;;) {
		(void)history_read(history, wanted, take, t);
		if (t->waiting == 0 ||
		    mono_span(begin, mono_now()) >= wait_usec)
			break;
		(void)usleep(POLL_USEC);
	}
	(void)history_free(history);
}

/* Where a sample is that has not arrived: still in the spool, or nowhere. */
static const char *
whereabouts(const struct trial *trial, const struct spool *spool)
{
	if (!trial->id[0])
		return "not accepted";
	for (size_t i = 0; i < spool_dirs(spool); i++)
		if (view_has(spool, (enum spool_dir)i, trial->id))
			return spool_dir_name((enum spool_dir)i);
	return "nowhere";
}

static void
print_json(const struct sample *sample, const struct trial *trial,
    const char *found, bool ok)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "sample", json_string(sample->name));
	(void)json_object_set_new(
	    o, "expected", json_string(spool_dir_name(sample->expected)));
	(void)json_object_set_new(o, "found", util_json_text(found));
	(void)json_object_set_new(o, "ok", json_boolean(ok));
	(void)json_object_set_new(o, "id", util_json_text(trial->id));
	(void)json_object_set_new(
	    o, "ms", json_real((double)trial->usec / 1e3));
	(void)json_object_set_new(o, "reason", util_json_text(trial->reason));
	util_json_line(stdout, o);
}

static void
add_row(struct table *table, const struct sample *sample,
    const struct trial *trial, const char *found, const char *ok)
{
	char span[32] = "-";

	if (trial->arrived)
		(void)util_span(trial->usec, span, sizeof(span));
	table_cell(table, "%s", sample->name);
	table_cell(table, "%s", spool_dir_name(sample->expected));
	table_cell(table, "%s", found);
	table_cell(table, "%s", ok);
	table_cell(table, "%s", span);
	table_cell(table, "%s", trial->id);
	table_cell(table, "%s", trial->reason);
}

/* Returns the exit status: were all found where they belong? */
static int
print(const struct selftest *t, const struct spool *spool, bool json)
{
	static const char *const titles[] = {
	    "SAMPLE", "EXPECTED", "FOUND", "", ">TIME", "ID", "REASON"};
	struct table *table = table_new(ARRAY_SIZE(titles), titles);
	int status = STATUS_FINE;

	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		const struct trial *trial = &t->trials[i];
		const char *found = trial->arrived
					? spool_dir_name(trial->found)
					: whereabouts(trial, spool);
		bool ok = trial->arrived && trial->found == samples[i].expected;

		if (trial->skipped && !json)
			add_row(table, &samples[i], trial, "engine is off",
			    "skipped");
		if (trial->skipped)
			continue;
		if (!ok)
			status = STATUS_BAD;
		if (json)
			print_json(&samples[i], trial, found, ok);
		else
			add_row(table, &samples[i], trial, found,
			    ok ? "ok" : "WRONG");
	}
	if (json)
		table_free(table);
	else
		table_print(table, stdout);
	return status;
}

static int
selftest(const struct conf *conf, const struct options *o)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	struct selftest t = {0};
	int r = view_open(conf, &spool), status;

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "selftest", "%s: %s",
		    conf->site.spool, strerror(-r));
	status = send_all(&t, conf, o);
	if (status != STATUS_FINE)
		return status;
	follow(&t, spool, o->wait_usec);
	return print(&t, spool, o->common.json);
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	unsigned long sec;

	switch (key) {
	case 'r':
		o->rcpt = arg;
		return 0;
	case 'f':
		o->sender = arg;
		return 0;
	case 's':
		o->smtp = arg;
		return 0;
	case 't':
		sec = strtoul(arg, NULL, 10);
		if (sec < 1 || sec > 86400)
			argp_error(state, "%s: write seconds, 1 to 86400", arg);
		o->wait_usec = sec * USEC_PER_SEC;
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    {"rcpt", 'r', "ADDRESS", 0,
	"whom the samples are for; the clean one is delivered there "
	"(default: postmaster@localhost)",
	0},
    {"sender", 'f', "ADDRESS", 0, "whom they are from (default: the same)", 0},
    {"smtp", 's', "HOST:PORT", 0,
	"hand them in there (default: site.smtp of the configuration)", 0},
    {"timeout", 't', "SECONDS", 0, "how long to wait for them (default: 60)",
	0},
    {0}};

static const struct argp argp = {options, parse, NULL,
    "Send samples through the real path, by SMTP, and see where they end: "
    "clean mail, EICAR, an attachment with a refused extension, an encrypted "
    "archive, and GTUBE where the spam engine is configured.\v"
    "Exit status: 0 each is where it belongs, 1 one went elsewhere or "
    "nowhere, 111 the receiving sendmail doesn't answer.",
    NULL, NULL, NULL};

int
command_selftest(int argc, char **argv)
{
	struct options o = {.rcpt = "postmaster@localhost",
	    .wait_usec = WAIT_DEFAULT_SEC * USEC_PER_SEC};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	if (!o.sender)
		o.sender = o.rcpt;
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	status = selftest(conf, &o);
	(void)conf_free(conf);
	return status;
}
