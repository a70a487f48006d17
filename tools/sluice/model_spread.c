/*
 * tools/sluice/model_spread.c - `sluice model spread`: how files spread among
 * those who write to each other, from the ledger.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/spread.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define COMMAND "model spread"

/* How long sluice-book's transaction is waited for. */
#define PATIENCE_MSEC 5000
#define IMPORT_LINES  5000

#define SINCE_USEC  (86400 * USEC_PER_SEC)
#define PERIOD_USEC (3600 * USEC_PER_SEC)
/* Some megabytes, and more than anybody reads. */
#define PERIODS_MAX 100000
#define ROWS        20
#define ROWS_MAX    1000000

struct options {
	struct common_options common;
	uint64_t since_usec, period_usec;
	struct digest from, to; /* --hash */
	bool has_hash;
	bool is_alarm, is_log;
	size_t limit;
};

struct printing {
	const struct options *options;
	const struct conf *conf;
	struct spread_wish wish;
	struct spread_table *table;
	bool is_begun; /* the frame's line is out */
	uint64_t files, alarms;
};

/* Bring it up to now.  What it knows already is an answer too. */
static void
catch_up(struct ledger *ledger, const struct conf *conf)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	int r = view_open(conf, &spool);

	ledger_keep_files(ledger, conf->spread.keep_usec);
	while (r == 0 && ledger_import(ledger, spool, IMPORT_LINES) > 0)
		;
	if (r < 0)
		(void)util_fail(0, COMMAND,
		    "%s: %s; telling what the ledger "
		    "has",
		    conf->site.spool, strerror(-r));
}

static int
open_ledger(const struct conf *conf, struct ledger **ret)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/ledger.db", conf->site.state);
	char err[256] = "";
	int r;

	if (access(path, F_OK) < 0)
		return util_fail(STATUS_SYSTEM, COMMAND,
		    "%s: %s; sluice-book makes it (sluice run), or sluice "
		    "audit --rebuild",
		    path, strerror(errno));
	r = ledger_open(path, false, PATIENCE_MSEC, ret, err, sizeof(err));
	if (r < 0)
		return util_fail(STATUS_SYSTEM, COMMAND, "%s: %s", path, err);
	catch_up(*ret, conf);
	return STATUS_FINE;
}

static void
make_frame(struct printing *p)
{
	const struct options *o = p->options;
	struct spread_frame *f = &p->wish.frame;
	const uint64_t past = SPREAD_PAST * o->period_usec;

	f->end_usec = wall_now().usec;
	f->period_usec = o->period_usec;
	f->begin_usec = f->end_usec > o->since_usec + past + o->period_usec
			    ? f->end_usec - o->since_usec - past
			    : 0;
	f->begin_usec -= f->begin_usec % o->period_usec;
	f->n_periods =
	    spread_periods(f->begin_usec, f->end_usec, o->period_usec);
	f->alarm = 1 / (double)p->conf->spread.alarm_odds;
	f->replicas = p->conf->spread.replicas;
	p->wish.from = o->from;
	p->wish.to = o->to;
}

static void
print_frame(struct printing *p)
{
	if (p->is_begun || !p->options->common.json || p->options->is_log)
		return;
	p->is_begun = true;
	util_json_line(
	    stdout, spread_frame_json(&p->wish, p->conf->spread.alarm_odds));
}

static int
take_told(void *arg, const struct spread_told *told)
{
	struct printing *p = arg;

	p->files++;
	p->alarms += spread_is_alarm(told);
	if (p->options->is_alarm && !spread_is_alarm(told))
		return 0;
	print_frame(p);
	if (p->options->common.json) {
		util_json_line(stdout, spread_file_json(&p->wish, told));
		return 0;
	}
	if (p->options->has_hash)
		spread_print_periods(&p->wish, told);
	spread_table_add(p->table, told);
	return 0;
}

static int
take_log(void *arg, const struct ledger_file *file)
{
	struct printing *p = arg;

	if (file->t.usec <
	    p->wish.frame.begin_usec + SPREAD_PAST * p->wish.frame.period_usec)
		return 0;
	p->files++;
	util_json_line(stdout, spread_log_json(p->wish.people, file));
	return 0;
}

static int
print_log(struct printing *p, struct ledger *ledger)
{
	const struct ledger_files_query q = {.from = p->wish.from,
	    .to = p->wish.to,
	    .since.usec = p->wish.frame.begin_usec +
			  SPREAD_PAST * p->wish.frame.period_usec};

	return ledger_files(ledger, &q, take_log, p);
}

static int
print_spread(struct printing *p, struct ledger *ledger)
{
	int r;

	p->table = spread_table_new(p->options->limit);
	r = spread_look(ledger, &p->wish, take_told, p);
	print_frame(p);
	if (r == 0 && !p->options->common.json)
		(void)printf("%ju files, %ju alarms\n", (uintmax_t)p->files,
		    (uintmax_t)p->alarms);
	if (p->options->common.json)
		spread_table_free(p->table);
	else
		spread_table_print(p->table, &p->wish);
	return r;
}

static int
tell(const struct conf *conf, const struct options *o)
{
	CLEANUP(ledger_closep) struct ledger *ledger = NULL;
	CLEANUP(people_freep) struct people *people = NULL;
	struct printing p = {.options = o, .conf = conf};
	int status = people_new(conf->spread.key, &people);
	int r;

	if (status == STATUS_FINE)
		status = open_ledger(conf, &ledger);
	if (status != STATUS_FINE)
		return status;
	p.wish.people = people;
	make_frame(&p);
	r = o->is_log ? print_log(&p, ledger) : print_spread(&p, ledger);
	free(p.wish.messages);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, COMMAND, "%s/ledger.db: %s",
		    conf->site.state, ledger_error(ledger));
	if (o->has_hash && p.files == 0)
		return STATUS_UNKNOWN;
	return o->is_alarm && p.alarms > 0 ? STATUS_BAD : STATUS_FINE;
}

/* The first and the last hash that begin so. */
static void
parse_hash(struct argp_state *state, const char *text, struct options *o)
{
	char lo[DIGEST_HEX], hi[DIGEST_HEX];
	size_t n = strlen(text);

	memset(lo, '0', sizeof(lo) - 1);
	memset(hi, 'f', sizeof(hi) - 1);
	lo[sizeof(lo) - 1] = hi[sizeof(hi) - 1] = '\0';
	if (n > 0 && n < sizeof(lo)) {
		memcpy(lo, text, n);
		memcpy(hi, text, n);
	}
	o->has_hash = n > 0 && n < sizeof(lo) &&
		      digest_parse(lo, &o->from) == 0 &&
		      digest_parse(hi, &o->to) == 0;
	if (!o->has_hash)
		argp_error(state,
		    "%s: write a SHA-256 in hexadecimal, or its beginning",
		    text);
}

static size_t
parse_limit(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || n == 0 || n > ROWS_MAX)
		argp_error(state, "%s: write a number of rows, 1 .. %d", text,
		    ROWS_MAX);
	return n;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		o->since_usec = util_parse_span(state, arg);
		return 0;
	case 'p':
		o->period_usec = util_parse_span(state, arg);
		return 0;
	case 'h':
		parse_hash(state, arg, o);
		return 0;
	case 'a':
		o->is_alarm = true;
		return 0;
	case 'l':
		o->is_log = true;
		return 0;
	case 'n':
		o->limit = parse_limit(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: nothing is taken but options", arg);
		return 0;
	case ARGP_KEY_END:
		if (o->since_usec / o->period_usec > PERIODS_MAX)
			argp_error(state,
			    "more than %d periods; write a "
			    "longer --period or a shorter "
			    "--since",
			    PERIODS_MAX);
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    {"since", 's', "SPAN", 0, "look at the last SPAN (1d)", 0},
    {"period", 'p', "SPAN", 0,
	"count by periods of SPAN (1h); each is compared with the 24 before "
	"it",
	0},
    {"hash", 'h', "SHA256", 0,
	"this file alone, or those that begin so, period by period", 0},
    {"alarm", 'a', NULL, 0, "only files that alarm; then exit with 1", 0},
    {"limit", 'n', "N", 0, "rows of the table (20)", 0},
    {"log", 'l', NULL, 0,
	"instead of measures each message of each file, as JSON", 0},
    {0}};

static const struct argp argp = {options, parse, NULL,
    "How do files spread among those who write to each other?\n"
    "Of each file that came as an attachment, in an archive or behind a link, "
    "by its SHA-256: who had it when, and how fast it goes on.\v"
    "  BURST        more senders in a period than its share of the mail of "
    "the 24 before explains: chance does that in one of spread.alarm_odds "
    "(10,000).  The fourth sender of a new file is one.\n"
    "  REPLICATION  somebody was sent it and sent it on to spread.replicas "
    "(10) others or more within a period.\n"
    "  INCIDENCE    clients that had it not before, a client and day\n"
    "  PREVALENCE   clients that have it, of all clients: from the first to "
    "the last copy that they are seen with\n"
    "  BIRTHS/MIN   copies a minute, from the first to the last\n"
    "  SPREAD       the mean of its senders' own births a minute, from when "
    "each got it\n"
    "  CHANCE       how probable so many senders are without a burst\n"
    "An alarm says nothing of the file itself: VERDICT does.  Try:\n"
    "  sluice model spread --alarm              is there something now?\n"
    "  sluice model spread --hash 3f2a          how did that one go on?\n"
    "  sluice model spread --since 30d --period 1d --json >spread.json\n"
    "With spread.key set no address is told, but a number that is the same in "
    "each report; so it may go to others.\n"
    "Exit status: 0, 1 an alarm (with --alarm), 2 no such file (with --hash), "
    "111 no ledger.",
    NULL, NULL, NULL};

int
model_spread(int argc, char **argv)
{
	struct options o = {.since_usec = SINCE_USEC,
	    .period_usec = PERIOD_USEC,
	    .limit = ROWS};
	struct conf *conf;
	int status = STATUS_FINE;

	memset(&o.to, 0xff, sizeof(o.to));
	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	status = tell(conf, &o);
	(void)conf_free(conf);
	return status;
}
