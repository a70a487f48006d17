/*
 * tools/sluice/scan.c - `sluice scan FILE...`: the judgement of a worker,
 * without the spool.  The same roles under the same sandboxes judge, and the
 * same rule (worker/verdict.h) decides.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "tools/sluice/judges.h"
#include "tools/sluice/letter.h"
#include "tools/sluice/plain.h"
#include "tools/sluice/result.h"
#include "tools/sluice/util.h"
#include "vmm/detector.h"
#include "worker/fetch_address.h"
#include "worker/known.h"
#include "worker/policy.h"
#include "worker/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* Beyond those deadlines. */
#define PATIENCE_USEC (60 * USEC_PER_SEC)
#define TRIES         2
#define AGAIN_USEC    (500 * USEC_PER_MSEC)

struct options {
	struct common_options common;
	char *engines; /* ours; NULL: not given */
	bool verbose;
	char **files;
	size_t n;
};

struct job {
	const char *file;
	struct mono begun;
	unsigned int tries; /* times that it was given to roles */
	bool is_out;        /* with the roles now */
	json_t *result;     /* NULL: not judged yet */
	enum verdict verdict;
};

struct scan {
	const struct options *options;
	struct conf *conf;
	char *conf_path;
	struct judges *judges;
	struct job *jobs;
	size_t out;     /* with the roles */
	size_t printed; /* jobs are printed in the order of the arguments */
	struct table *table;
	int status;
};

static void
set_result(struct job *job, enum verdict verdict, const char *reason,
    const struct wire_judgement *w, const char *evidence)
{
	const struct result result = {.file = job->file,
	    .verdict = verdict,
	    .reason = reason,
	    .answers = w ? w->answers : NULL,
	    .n_answers = w ? w->n_answers : 0,
	    .evidence = evidence,
	    .evidence_len = w ? w->evidence_bytes : 0,
	    .usec = mono_span(job->begun, mono_now())};

	job->verdict = verdict;
	job->result = result_json(&result);
}

static void
give_up(struct job *job, const char *reason)
{
	set_result(job, VERDICT_UNKNOWN_SYSTEM, reason, NULL, NULL);
}

static void
add_row(struct scan *s, const struct job *job)
{
	const json_t *o = job->result;
	char ms[32];

	table_cell(s->table, "%s", job->file);
	table_cell(s->table, "%s", verdict_name(job->verdict));
	table_cell(
	    s->table, "%zu", json_array_size(json_object_get(o, "parts")));
	(void)snprintf(
	    ms, sizeof(ms), "%.1f", json_real_value(json_object_get(o, "ms")));
	table_cell(s->table, "%s", ms);
	table_cell(
	    s->table, "%s", json_string_value(json_object_get(o, "reason")));
}

static void
note_status(struct scan *s, enum verdict verdict)
{
	bool unknown = verdict == VERDICT_UNKNOWN_SYSTEM ||
		       verdict == VERDICT_UNKNOWN_MESSAGE;

	if (unknown)
		s->status = STATUS_UNKNOWN;
	else if (verdict != VERDICT_CLEAN && s->status == STATUS_FINE)
		s->status = STATUS_BAD;
}

static void
print_ready(struct scan *s)
{
	for (; s->printed < s->options->n; s->printed++) {
		struct job *job = &s->jobs[s->printed];

		if (!job->result)
			return;
		note_status(s, job->verdict);
		if (s->table)
			add_row(s, job);
		else
			util_json_line(stdout, json_incref(job->result));
		json_decref(job->result);
	}
}

/*
 * As a worker would, once: the roles have just been started, and may not have
 * found sluice-vmm yet.  What came through a pipe can't be read again.
 */
static bool
may_ask_again(const struct job *job)
{
	struct stat st;

	return job->tries < TRIES && stat(job->file, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

static void
take_judgement(
    struct scan *s, const struct wire_judgement *w, const char *evidence)
{
	const struct engine_answer *by;
	enum verdict verdict;

	if (w->job >= s->options->n || !s->jobs[w->job].is_out)
		return; /* not one that we gave */
	s->jobs[w->job].is_out = false;
	s->out--;
	verdict =
	    verdict_of(w->answers, w->n_answers, s->conf->worker.engines, &by);
	if (verdict == VERDICT_UNKNOWN_SYSTEM &&
	    strcmp(by->engine, "vm") == 0 && may_ask_again(&s->jobs[w->job])) {
		(void)usleep(AGAIN_USEC);
		return;
	}
	set_result(&s->jobs[w->job], verdict, by->reason, w, evidence);
}

/* The roles died: start new ones; what they had is given to these, once. */
static void
start_anew(struct scan *s, const char *why)
{
	s->judges = judges_end(s->judges);
	s->out = 0;
	for (size_t i = 0; i < s->options->n; i++) {
		struct job *job = &s->jobs[i];

		if (job->is_out && job->tries >= TRIES)
			give_up(job, why);
		job->is_out = false;
	}
}

/* The sum of the deadlines that the roles keep themselves, and more. */
static uint64_t
patience_usec(const struct conf *conf)
{
	uint64_t usec =
	    PATIENCE_USEC + conf->budget.wall_usec + conf->clamd.timeout_usec;

	if (conf_has_word(conf->worker.engines, "vm"))
		usec +=
		    2 * (conf->detonate.patience_usec + conf->vm.deadline_usec);
	if (conf->links.enabled) /* each file behind one is like a mail */
		usec +=
		    conf->links.timeout_usec + conf->links.per_message * usec;
	return usec;
}

static void
receive(struct scan *s)
{
	const struct wire_judgement *w;
	const char *evidence;
	int r =
	    judges_receive(s->judges, patience_usec(s->conf), &w, &evidence);

	if (r == -EAGAIN)
		return;
	if (r < 0)
		start_anew(
		    s, r == -ETIMEDOUT
			   ? "the engines role hangs"
			   : "the judging roles died (see standard error)");
	else
		take_judgement(s, w, evidence);
}

static const char *
why_no_letter(int error)
{
	switch (-error) {
	case EFBIG:
		return "larger than budget.message";
	case ENODATA:
		return "it is empty, so it is no message";
	case EINVAL:
		return "neither a file nor a pipe";
	default:
		return strerror(-error);
	}
}

/* 0; -EAGAIN: the roles are busy; or another -errno of theirs. */
static int
give(struct scan *s, size_t i)
{
	struct job *job = &s->jobs[i];
	const char *slash = strrchr(job->file, '/');
	CLEANUP(close_fd) int fd = -1;
	uint64_t bytes;
	int r;

	if (job->tries == 0)
		job->begun = mono_now();
	r = letter_open(job->file, s->conf->budget.message_bytes, &fd, &bytes);
	if (r < 0) {
		give_up(job, why_no_letter(r));
		return 0;
	}
	if (!s->judges)
		r = judges_start(
		    s->conf_path, s->conf->links.enabled, &s->judges);
	if (r == 0)
		r = judges_send(
		    s->judges, i, slash ? slash + 1 : job->file, fd, bytes);
	if (r < 0)
		return r;
	job->tries++;
	job->is_out = true;
	s->out++;
	return 0;
}

/* Keep the roles busy; true when there is nothing left to do. */
static bool
give_some(struct scan *s)
{
	bool done = true;

	for (size_t i = s->printed; i < s->options->n; i++) {
		struct job *job = &s->jobs[i];
		int r;

		if (job->result)
			continue;
		done = false;
		if (job->is_out || s->out >= s->conf->worker.in_flight)
			continue;
		r = give(s, i);
		if (r == -EAGAIN)
			break;
		if (r < 0) {
			give_up(job, strerror(-r));
			start_anew(s, "the judging roles died");
		}
	}
	return done;
}

static int
scan_all(struct scan *s)
{
	static const char *const titles[] = {
	    "FILE", "VERDICT", ">PARTS", ">MS", "REASON"};

	s->jobs = xcalloc(s->options->n, sizeof(*s->jobs));
	for (size_t i = 0; i < s->options->n; i++)
		s->jobs[i].file = s->options->files[i];
	if (!s->options->common.json)
		s->table = table_new(ARRAY_SIZE(titles), titles);
	while (!give_some(s)) {
		if (s->out > 0)
			receive(s);
		print_ready(s);
	}
	if (s->table)
		table_print(s->table, stdout);
	s->judges = judges_end(s->judges);
	free(s->jobs);
	return s->status;
}

/* The default file when there is one, else the defaults fitted. */
static struct conf *
find_conf(const struct options *o, int *ret_status)
{
	bool given =
	    o->common.conf_path || access(UTIL_CONF_DEFAULT, R_OK) == 0;
	struct conf *conf;

	*ret_status = STATUS_USAGE;
	conf =
	    given ? util_conf(&o->common, ret_status) : plain_conf(o->engines);
	if (!conf)
		return NULL;
	if (given && o->engines) {
		free(conf->worker.engines);
		conf->worker.engines = xstrdup(o->engines);
	}
	/* The roles' own lines would be between the answers. */
	free(conf->site.log_level);
	conf->site.log_level = xstrdup(o->verbose ? "info" : "error");
	return conf;
}

/* The roles would find it too, and say it once for each of them. */
static int
check_rules(const struct conf *conf)
{
	struct policy *policy = NULL;
	struct rules *behaviours = NULL;
	struct known *known = NULL;
	struct address_rule rule;
	char err[512];

	if (address_rule_read(conf, &rule, err, sizeof(err)) < 0)
		return util_fail(STATUS_USAGE, "scan", "%s", err);
	if (conf_has_word(conf->worker.engines, "policy") &&
	    policy_load(conf->policy.rules, &policy, err, sizeof(err)) < 0)
		return util_fail(STATUS_USAGE, "scan", "%s", err);
	(void)policy_free(policy);
	if (conf_has_word(conf->worker.engines, "mef") &&
	    known_load(conf->mef.known, &known, err, sizeof(err)) < 0)
		return util_fail(STATUS_USAGE, "scan", "%s", err);
	(void)known_free(known);
	if (conf_has_word(conf->worker.engines, "vm") &&
	    rules_load(conf->vm.rules, &behaviours, err, sizeof(err)) < 0)
		return util_fail(STATUS_USAGE, "scan", "%s", err);
	(void)rules_free(behaviours);
	return STATUS_FINE;
}

static int
run_scan(const struct options *o)
{
	struct scan s = {.options = o, .status = STATUS_FINE};
	int status = STATUS_FINE, r;

	s.conf = find_conf(o, &status);
	if (!s.conf)
		return status;
	status = check_rules(s.conf);
	if (status == STATUS_FINE) {
		r = plain_write(s.conf, &s.conf_path);
		status = r < 0 ? util_fail(STATUS_SYSTEM, "scan", "/tmp: %s",
				     strerror(-r))
			       : scan_all(&s);
	}
	if (s.conf_path)
		plain_remove(s.conf_path);
	(void)conf_free(s.conf);
	return status;
}

/* "policy,clamd" as a configuration has it: "policy clamd", each once. */
static char *
parse_engines(struct argp_state *state, const char *text)
{
	CLEANUP(free_ptr) char *copy = xstrdup(text);
	char *words = xstrdup(""), *keep = NULL;

	for (char *w = strtok_r(copy, ", ", &keep); w;
	     w = strtok_r(NULL, ", ", &keep)) {
		CLEANUP(free_ptr) char *before = words;

		if (!conf_has_word("policy clamd spam mef vm", w))
			argp_error(state,
			    "%s: no such engine; there are policy, clamd, "
			    "spam, mef and vm",
			    w);
		words = conf_has_word(before, w) ? xstrdup(before)
						 : xasprintf("%s%s%s", before,
						       *before ? " " : "", w);
	}
	if (!*words)
		argp_error(state,
		    "--engines: it names none; write some of policy, clamd, "
		    "spam, mef and vm");
	return words;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'e':
		free(o->engines);
		o->engines = parse_engines(state, arg);
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->files = state->argv + state->next;
		o->n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "write the message files to judge");
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    {"engines", 'e', "A,B", 0, "judge by these engines only", 0},
    {"verbose", 'v', NULL, 0, "let the roles log to standard error", 0}, {0}};

static const struct argp argp = {options, parse, "FILE...",
    "Judge RFC 5322 message files as a worker would, without the spool; - is "
    "standard input.\v"
    "Without -c and without " UTIL_CONF_DEFAULT " the defaults are fitted to "
    "this machine: clamd at its usual socket, and what was not found is "
    "said.\n"
    "JSON, one line a file: file, verdict (clean, virus, ext, spam, "
    "ambiguous, unknown), reason, parts, engines, ms.\n"
    "Exit status: 0 all clean, 1 something was found, 2 something could not "
    "be judged.",
    NULL, NULL, NULL};

int
command_scan(int argc, char **argv)
{
	struct options o = {0};

	int status;

	util_parse(&argp, argc, argv, &o);
	status = run_scan(&o);
	free(o.engines);
	return status;
}
