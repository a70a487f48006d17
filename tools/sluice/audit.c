/*
 * tools/sluice/audit.c - `sluice audit`: is every accepted message in
 * exactly one place?
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"
#include "worker/ledger.h"
#include "worker/ledger_audit.h"
#include "worker/ledger_files.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* How long a living sluice-book's transaction is waited for. */
#define PATIENCE_MSEC 5000
#define IMPORT_LINES  5000

struct options {
	struct common_options common;
	bool rebuild;
};

static void
remove_ledger(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		CLEANUP(free_ptr)
		char *name = xasprintf("%s%s", path, suffixes[i]);

		(void)unlink(name);
	}
}

/* A damaged ledger is thrown away: it holds nothing of its own. */
static int
rebuild(const char *path, const struct conf *conf, const struct spool *spool,
    struct ledger **ret)
{
	char err[256] = "";
	int64_t lines;
	int r = ledger_open(path, false, PATIENCE_MSEC, ret, err, sizeof(err));

	if (r == -EBADMSG) {
		(void)util_fail(0, "audit", "%s; making it anew", err);
		remove_ledger(path);
		r = ledger_open(
		    path, false, PATIENCE_MSEC, ret, err, sizeof(err));
	}
	if (r < 0)
		return util_fail(STATUS_SYSTEM, "audit", "%s", err);
	ledger_keep_files(*ret, conf->spread.keep_usec);
	lines = ledger_rebuild(*ret, spool);
	if (lines < 0)
		return util_fail(
		    STATUS_SYSTEM, "audit", "%s: %s", path, ledger_error(*ret));
	(void)fprintf(stderr,
	    "sluice audit: ledger made anew from %" PRId64 " journal lines\n",
	    lines);
	return STATUS_FINE;
}

/* Bring the ledger up to now, to compare it; without one there is nothing to
 * compare, and the audit is as good. */
static void
catch_up(const char *path, const struct spool *spool, struct ledger **ret)
{
	char err[256] = "";
	int r;

	if (access(path, F_OK) < 0) {
		(void)util_fail(
		    0, "audit", "%s: %s: not compared", path, strerror(errno));
		return;
	}
	r = ledger_open(path, false, PATIENCE_MSEC, ret, err, sizeof(err));
	if (r < 0) {
		(void)util_fail(0, "audit", "%s: not compared", err);
		return;
	}
	do
		r = ledger_import(*ret, spool, IMPORT_LINES);
	while (r > 0);
	if (r == 0)
		return;
	(void)util_fail(0, "audit", "%s: %s: not compared", path,
	    r == -EAGAIN ? "busy" : ledger_error(*ret));
	*ret = ledger_close(*ret);
}

static json_t *
bad_json(const struct audit_bad *bad)
{
	json_t *o = json_object(), *found = json_array();

	(void)json_object_set_new(o, "id", json_string(bad->id));
	(void)json_object_set_new(
	    o, "why", json_string(audit_why_name(bad->why)));
	(void)json_object_set_new(
	    o, "journal", json_string(spool_dir_name(bad->journal)));
	for (size_t i = 0; bad->why == AUDIT_TWICE && i < 2; i++)
		(void)json_array_append_new(
		    found, json_string(spool_dir_name(bad->found[i])));
	(void)json_object_set_new(o, "found", found);
	return o;
}

static void
print_json(const struct audit *a)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
	    {"accepted", a->accepted},
	    {"out", a->delivered + a->out_waiting},
	    {"virus", a->virus},
	    {"ext", a->ext},
	    {"spam", a->spam},
	    {"error", a->error},
	    {"waiting", a->in + a->feeds},
	    {"delivered", a->delivered},
	    {"out_waiting", a->out_waiting},
	    {"in", a->in},
	    {"feeds", a->feeds},
	    {"lost", a->lost},
	    {"twice", a->twice},
	    {"undone", a->undone},
	    {"unjournalled", a->unjournalled},
	    {"foreign", a->foreign},
	    {"bad_lines", a->bad_lines},
	    {"ledger_differs", a->ledger_differs},
	};
	json_t *o = json_object(), *bad = json_array();

	(void)json_object_set_new(
	    o, "balances", json_boolean(audit_balances(a)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		(void)json_object_set_new(
		    o, rows[i].name, json_integer((json_int_t)rows[i].value));
	for (size_t i = 0; i < a->n_bad; i++)
		(void)json_array_append_new(bad, bad_json(&a->bad[i]));
	(void)json_object_set_new(o, "bad", bad);
	util_json_line(stdout, o);
}

static void
print_sum(const struct audit *a)
{
	const struct {
		const char *name;
		uint64_t value;
		const char *note;
	} rows[] = {
	    {"out", a->delivered + a->out_waiting, "passed"},
	    {"virus", a->virus, "quarantined"},
	    {"ext", a->ext, "held for their attachments"},
	    {"spam", a->spam, "quarantined"},
	    {"error", a->error, "could not be judged"},
	    {"waiting", a->in + a->feeds, "in and the feed queues"},
	};

	(void)printf("%10" PRIu64 "  accepted\n", a->accepted);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		(void)printf("%c%9" PRIu64 "  %-8s %s\n", i ? '+' : '=',
		    rows[i].value, rows[i].name, rows[i].note);
	(void)printf("of those in out, %" PRIu64 " were taken by the second "
		     "sendmail and %" PRIu64 " lie there\n",
	    a->delivered, a->out_waiting);
}

static void
remark(uint64_t n, const char *text)
{
	if (n)
		(void)printf("remark: %" PRIu64 " %s\n", n, text);
}

static void
print_bad(const struct audit_bad *bad)
{
	const char *journal = spool_dir_name(bad->journal);

	if (bad->why == AUDIT_TWICE)
		(void)printf("twice:  %s in %s and in %s (journals: %s)\n",
		    bad->id, spool_dir_name(bad->found[0]),
		    spool_dir_name(bad->found[1]), journal);
	else
		(void)printf("%s: %s (journals: %s)\n",
		    audit_why_name(bad->why), bad->id, journal);
}

static void
print_text(const struct audit *a)
{
	print_sum(a);
	remark(a->undone, "journalled moves were undone by a crash");
	remark(a->unjournalled, "messages are in no journal");
	remark(a->foreign, "messages in out are the second sendmail's own");
	remark(a->bad_lines, "journal lines are cut off or no events");
	remark(a->ledger_differs,
	    "messages are elsewhere than the ledger says: sluice audit "
	    "--rebuild");
	for (size_t i = 0; i < a->n_bad; i++)
		print_bad(&a->bad[i]);
	(void)printf(audit_balances(a)
			 ? "It balances: nothing lost, nothing twice.\n"
			 : "IT DOES NOT BALANCE: %" PRIu64 " lost, %" PRIu64
			   " twice.\n",
	    a->lost, a->twice);
}

static int
take_stock(const struct conf *conf, const struct options *o)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	CLEANUP(ledger_closep) struct ledger *ledger = NULL;
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/ledger.db", conf->site.state);
	struct audit *audit;
	int r = view_open(conf, &spool), status = STATUS_FINE;

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "audit", "%s: %s",
		    conf->site.spool, strerror(-r));
	if (o->rebuild)
		status = rebuild(path, conf, spool, &ledger);
	else
		catch_up(path, spool, &ledger);
	if (status != STATUS_FINE)
		return status;
	audit = xcalloc(1, sizeof(*audit));
	r = ledger_audit(spool, ledger, audit);
	if (r < 0) {
		free(audit);
		return util_fail(STATUS_SYSTEM, "audit", "%s: %s", spool->path,
		    strerror(-r));
	}
	if (o->common.json)
		print_json(audit);
	else
		print_text(audit);
	status = audit_balances(audit) ? STATUS_FINE : STATUS_BAD;
	free(audit);
	return status;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == 'r') {
		o->rebuild = true;
		return 0;
	}
	return util_common_option(key, arg, &o->common);
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    {"rebuild", 'r', NULL, 0, "first make the ledger anew from the journals",
	0},
    {0}};

static const struct argp argp = {options, parse, NULL,
    "Is every accepted message in exactly one place?\n"
    "accepted = out + virus + ext + spam + error + waiting, by the journals "
    "and by what lies in the spool; what is lost or there twice is named.\v"
    "Right beside running daemons, too.\n"
    "Exit status: 0 it balances, 1 it does not, 111 a journal or directory "
    "can't be read.",
    NULL, NULL, NULL};

int
command_audit(int argc, char **argv)
{
	struct options o = {0};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	status = take_stock(conf, &o);
	(void)conf_free(conf);
	return status;
}
