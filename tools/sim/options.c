#include "tools/sim/options.h"

#include "common/cleanup.h"
#include "tools/sim/sizes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Ageing of small-first, as in the configuration. */
#define PATIENCE_DEFAULT 100
#define ACCURACY_DEFAULT 0.01

static const uint64_t default_limits[WORKERS_DEFAULT - 1] = {
    2000, 10000, 50000};

void
options_init(struct sim_options *o)
{
	*o = (struct sim_options){
	    .workers = WORKERS_DEFAULT,
	    .model = {.slots = 1, .patience = PATIENCE_DEFAULT},
	    .run = {.seed = 1},
	    .progress = isatty(STDERR_FILENO),
	};
	for (size_t i = 0; i < FEED_MAX_LANES; i++)
		o->model.speed[i] = 1;
}

void
options_done(struct sim_options *o)
{
	o->sizes = sizes_free(o->sizes);
}

int
options_need(
    const struct sim_options *o, unsigned int needs, char *err, size_t err_size)
{
	const char *missing = NULL;

	if ((needs & NEED_RATE) && !o->has_rate)
		missing = "--rate is missing: write messages a second, such "
			  "as --rate 1.39";
	else if ((needs & NEED_SERVICE) && !o->has_service)
		missing = "--service is missing: write seconds and seconds "
			  "an octet, such as --service 0.09,0.0002";
	else if ((needs & NEED_SIZES) && !o->sizes)
		missing = "--sizes is missing: write how large messages are, "
			  "such as --sizes exp:6800 or --sizes list:FILE";
	if (!missing)
		return 0;
	(void)snprintf(err, err_size, "%s", missing);
	return -EINVAL;
}

int
options_limits(const struct sim_options *o, size_t workers, bool need,
    struct feed_limits *ret_limits, char *err, size_t err_size)
{
	const uint64_t *limits = o->limits;
	size_t n = o->n_limits;

	if (!o->has_limits && workers == WORKERS_DEFAULT) {
		limits = default_limits;
		n = ARRAY_SIZE(default_limits);
	} else if (!o->has_limits && need && workers > 1) {
		(void)snprintf(err, err_size,
		    "--limits is missing: there is a default for %d workers "
		    "alone, not for %zu: write up to %zu octets that ascend, "
		    "or let `sluice-sim optimize` find them",
		    WORKERS_DEFAULT, workers, workers - 1);
		return -EINVAL;
	}
	if (n >= workers) {
		(void)snprintf(err, err_size,
		    "--limits: %zu limits are too many for %zu workers: write "
		    "at most %zu, the last queue has none",
		    n, workers, workers - 1);
		return -EINVAL;
	}
	return feed_limits_make(workers, limits, n, ret_limits);
}

int
options_model(const struct sim_options *o, enum feed_policy policy,
    struct model *ret_model, char *err, size_t err_size)
{
	struct model m = o->model;
	int r = options_limits(
	    o, o->workers, policy != FEED_LEAST_WORK, &m.limits, err, err_size);

	if (r == 0 && o->n_speeds > 0 && o->n_speeds != o->workers) {
		(void)snprintf(err, err_size,
		    "--speeds: %zu speeds for %zu workers: write one a worker",
		    o->n_speeds, o->workers);
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	m.policy = policy;
	m.sizes = o->sizes;
	*ret_model = m;
	return 0;
}

double
options_accuracy(const struct sim_options *o)
{
	return o->run.half_width > 0 ? o->run.half_width : ACCURACY_DEFAULT;
}

struct simulate_options
options_search(const struct sim_options *o)
{
	struct simulate_options search = o->run;

	if (!o->has_messages)
		search.max_messages = MESSAGES_PATIENT;
	return search;
}

int
options_fail(enum sim_status status, const char *command, const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: ", command);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return (int)status;
}

enum sim_status
options_status_of(int error)
{
	switch (error) {
	case -EINVAL:
	case -ENODATA:
	case -ENOENT:
	case -EISDIR:
	case -EBADMSG:
		return SIM_USAGE;
	default:
		return SIM_SYSTEM;
	}
}
