/*
 * tools/sim/options_parse.c - the options as argp knows them.
 */
#include "tools/sim/options.h"

#include "tools/sim/options_value.h"
#include "tools/sim/sizes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERR_MAX 512
/* Enough for 1 % where queues are half full, and done in seconds. */
#define MESSAGES_DEFAULT 10000000

enum option_key {
	OPT_WORKERS = 1000,
	OPT_LIMITS,
	OPT_RATE,
	OPT_SERVICE,
	OPT_SIZES,
	OPT_POLICY,
	OPT_SLOTS,
	OPT_SPEEDS,
	OPT_TAIL,
	OPT_HITS,
	OPT_PATIENCE,
	OPT_SEED,
	OPT_MESSAGES,
	OPT_HALF_WIDTH,
	OPT_THREADS,
	OPT_JSON,
	OPT_CSV,
	OPT_PROGRESS,
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "The mail and the scanner:", 2},
    {"rate", OPT_RATE, "MSG_PER_S", 0, "messages that arrive a second", 0},
    {"service", OPT_SERVICE, "A,B", 0,
	"a message of x octets is scanned in A + B * x seconds", 0},
    {"sizes", OPT_SIZES, "SPEC", 0,
	"how large messages are: exp:MEAN, gaussmix:W,MU,SD,..., "
	"lognormal:MU,SIGMA, pareto:ALPHA,XMIN[,XMAX], hist:FILE (lines LOW "
	"HIGH COUNT), list:FILE (a size a line)",
	0},
    {"tail", OPT_TAIL, "SHARE,SECONDS", 0,
	"this share of messages takes up to so long on top (detonations)", 0},
    {"hits", OPT_HITS, "SHARE", 0,
	"this share of messages is known already and takes A alone", 0},
    {NULL, 0, NULL, 0, "The queues:", 3},
    {"workers", OPT_WORKERS, "N", 0, "feed queues and workers (4)", 0},
    {"limits", OPT_LIMITS, "B,B,...", 0,
	"largest message of each queue but the last, ascending, in octets; "
	"queues beyond have none (2000,10000,50000 for 4 workers)",
	0},
    {"policy", OPT_POLICY, "NAME,...", 0,
	"size, size+load, least-work, small-first, steal, or all", 0},
    {"slots", OPT_SLOTS, "N", 0, "messages a worker serves at a time (1)", 0},
    {"speeds", OPT_SPEEDS, "X,X,...", 0,
	"of each worker (1 each); placement doesn't know them, as in the feed",
	0},
    {"patience", OPT_PATIENCE, "X", 0,
	"small-first: others pass a message for X times its service (100)", 0},
    {NULL, 0, NULL, 0, "The simulation:", 4},
    {"messages", OPT_MESSAGES, "N", 0,
	"how many to measure, such as 4e8 (1e7; 4e8 with --half-width)", 0},
    {"half-width", OPT_HALF_WIDTH, "SHARE", 0,
	"stop when the mean is known so well, such as 0.01, at 99 %", 0},
    {"seed", OPT_SEED, "N", 0, "same seed, same messages (1)", 0},
    {"threads", OPT_THREADS, "N", 0, "(one for each processor)", 0},
    {NULL, 0, NULL, 0, "The answer:", 5},
    {"json", OPT_JSON, NULL, 0, "as one JSON object a policy", 0},
    {"csv", OPT_CSV, NULL, 0, "as comma-separated values, a row a queue", 0},
    {"progress", OPT_PROGRESS, NULL, 0,
	"say how far it is (default on a terminal)", 0},
    {0}};

static int
parse_tail(struct model *m, const char *arg, char *err, size_t err_size)
{
	static const struct value_rule rule = {"--tail", 0, 1e6, false,
	    "a share and seconds, such as --tail 0.02,60"};
	double x[2];
	size_t n;
	int r = value_numbers(&rule, arg, 2, 2, x, &n, err, err_size);

	if (r == 0 && x[0] > 1) {
		(void)snprintf(err, err_size,
		    "--tail: the share %g is above 1: write %s", x[0],
		    rule.write);
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	m->tail_share = x[0];
	m->tail_s = x[1];
	return 0;
}

static int
parse_service(struct sim_options *o, const char *arg, char *err, size_t size)
{
	static const struct value_rule rule = {"--service", 0, 1e6, false,
	    "seconds and seconds an octet, such as --service 0.09,0.0002"};
	double x[2];
	size_t n;
	int r = value_numbers(&rule, arg, 2, 2, x, &n, err, size);

	if (r == 0 && x[0] + x[1] <= 0) {
		(void)snprintf(err, size,
		    "--service: %s takes no time at all: write %s", arg,
		    rule.write);
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	o->model.fixed_s = x[0];
	o->model.per_octet_s = x[1];
	o->has_service = true;
	return 0;
}

static int
parse_sizes(struct sim_options *o, const char *arg, char *err, size_t err_size)
{
	char why[ERR_MAX - 16];
	int r;

	o->sizes = sizes_free(o->sizes);
	o->sizes_as = arg;
	r = sizes_parse(arg, &o->sizes, why, sizeof(why));
	if (r < 0)
		(void)snprintf(err, err_size, "--sizes: %s", why);
	return r;
}

static int
parse_mail(
    int key, const char *arg, struct sim_options *o, char *err, size_t err_size)
{
	static const struct value_rule rate = {
	    "--rate", 0, 1e9, true, "messages a second, such as --rate 1.39"};
	static const struct value_rule hits = {
	    "--hits", 0, 1, false, "a share from 0 to 1, such as --hits 0.3"};

	switch (key) {
	case OPT_RATE:
		o->has_rate = true;
		return value_number(&rate, arg, &o->model.rate, err, err_size);
	case OPT_SERVICE:
		return parse_service(o, arg, err, err_size);
	case OPT_SIZES:
		return parse_sizes(o, arg, err, err_size);
	case OPT_TAIL:
		return parse_tail(&o->model, arg, err, err_size);
	case OPT_HITS:
		return value_number(
		    &hits, arg, &o->model.hit_share, err, err_size);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
parse_queues(
    int key, const char *arg, struct sim_options *o, char *err, size_t err_size)
{
	static const struct value_rule workers = {"--workers", 1,
	    FEED_MAX_LANES, false, "a whole number from 1 to 64"};
	static const struct value_rule slots = {
	    "--slots", 1, 1024, false, "a whole number from 1 to 1024"};
	static const struct value_rule speeds = {"--speeds", 0, 1e6, true,
	    "one factor a worker, such as --speeds 1,1,2,2"};
	static const struct value_rule patience = {"--patience", 0, 1e9, false,
	    "a whole factor from 0 (first come, first served), such as "
	    "100"};
	uint64_t n;
	int r = 0;

	switch (key) {
	case OPT_WORKERS:
		r = value_count(&workers, arg, &n, err, err_size);
		if (r == 0)
			o->workers = n;
		o->has_workers = true;
		return r;
	case OPT_LIMITS:
		o->has_limits = true;
		o->n_limits = 0;
		o->has_no_limit = *arg == '\0';
		if (o->has_no_limit)
			return 0;
		return value_limits(
		    arg, o->limits, &o->n_limits, err, err_size);
	case OPT_POLICY:
		return value_policies(
		    arg, o->policies, &o->n_policies, err, err_size);
	case OPT_SLOTS:
		r = value_count(&slots, arg, &n, err, err_size);
		if (r == 0)
			o->model.slots = n;
		return r;
	case OPT_SPEEDS:
		return value_numbers(&speeds, arg, 1, FEED_MAX_LANES,
		    o->model.speed, &o->n_speeds, err, err_size);
	case OPT_PATIENCE:
		r = value_count(&patience, arg, &n, err, err_size);
		if (r == 0)
			o->model.patience = (double)n;
		return r;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
parse_run(
    int key, const char *arg, struct sim_options *o, char *err, size_t err_size)
{
	static const struct value_rule messages = {"--messages", 1, 1e12, false,
	    "a whole number, such as --messages 4e8"};
	static const struct value_rule half_width = {"--half-width", 0, 1, true,
	    "a share below 1, such as --half-width 0.01"};
	static const struct value_rule seed = {
	    "--seed", 0, 0x1p53, false, "a whole number, such as --seed 1"};
	static const struct value_rule threads = {"--threads", 0, 1024, false,
	    "a whole number; 0 is one for each processor"};
	uint64_t n = 0;
	int r = 0;

	switch (key) {
	case OPT_MESSAGES:
		o->has_messages = true;
		return value_count(
		    &messages, arg, &o->run.max_messages, err, err_size);
	case OPT_HALF_WIDTH:
		return value_number(
		    &half_width, arg, &o->run.half_width, err, err_size);
	case OPT_SEED:
		o->has_seed = true;
		return value_count(&seed, arg, &o->run.seed, err, err_size);
	case OPT_THREADS:
		r = value_count(&threads, arg, &n, err, err_size);
		o->run.threads = (unsigned int)n;
		return r;
	case OPT_JSON:
		o->form = OUTPUT_JSON;
		return 0;
	case OPT_CSV:
		o->form = OUTPUT_CSV;
		return 0;
	case OPT_PROGRESS:
		o->progress = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct sim_options *o = state->input;
	char err[ERR_MAX] = "";
	int r = parse_mail(key, arg, o, err, sizeof(err));

	if (r == ARGP_ERR_UNKNOWN)
		r = parse_queues(key, arg, o, err, sizeof(err));
	if (r == ARGP_ERR_UNKNOWN)
		r = parse_run(key, arg, o, err, sizeof(err));
	if (r >= 0)
		return r;
	/* Not argp_error(): its line of advice would be all that is read. */
	exit(options_fail(options_status_of(r), state->name, "%s", err));
}

const struct argp options_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

void
options_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	struct sim_options *o = input;
	error_t r = argp_parse(argp, argc, argv, 0, NULL, input);

	if (r != 0)
		exit(options_fail(SIM_SYSTEM, argv[0], "%s", strerror(r)));
	if (o->has_no_limit && o->workers > 1)
		exit(options_fail(SIM_USAGE, argv[0],
		    "--limits: \"\" has no limits for %zu workers: write up to "
		    "%zu octets that ascend, or none",
		    o->workers, o->workers - 1));
	if (!o->has_messages)
		o->run.max_messages =
		    o->run.half_width > 0 ? MESSAGES_PATIENT : MESSAGES_DEFAULT;
	o->model.sizes = o->sizes;
}
