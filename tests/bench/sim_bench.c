/*
 * tests/bench/sim_bench.c - the simulator measured, for tests/bench/sim.
 *
 * usage: sim_bench speed [MESSAGES]      messages a second, one thread
 *        sim_bench published [MESSAGES]  waits of the VirScan example
 *        sim_bench coverage [RUNS [RHO]] how often the interval is right
 *        sim_bench queue NAME RHO [MESSAGES]
 *                                        "MEAN HALF-WIDTH CLOSED" of a queue
 *
 * published and coverage end with 1 when a figure is out of its bar.  NAME is
 * mm1, mmc (4 servers), md1 or mg1; service is a second in the mean.
 */
#include "tools/sim/closed.h"
#include "tools/sim/simulate.h"
#include "tools/sim/sizes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OCTETS      1e6 /* of a message that takes a second */
#define BAR_COVERED 0.97
#define HALF_WIDTH  0.05

static const char example_spec[] = "gaussmix:0.9,2000,400,0.1,50000,10000";

static struct sizes *
parse(const char *spec)
{
	struct sizes *sizes;
	char err[256];

	if (sizes_parse(spec, &sizes, err, sizeof(err)) < 0) {
		(void)fprintf(stderr, "sim_bench: %s\n", err);
		exit(111);
	}
	return sizes;
}

static struct model
model_of(
    enum feed_policy policy, size_t lanes, const uint64_t *limits, size_t count)
{
	struct model model = {.policy = policy, .slots = 1};

	if (feed_limits_make(lanes, limits, count, &model.limits) < 0)
		abort();
	for (size_t i = 0; i < FEED_MAX_LANES; i++)
		model.speed[i] = 1;
	return model;
}

/* The example of the VirScan papers as calibrated: four workers, 0.09 s a
 * message and 4700 octets a second, 1.39 messages a second. */
struct example {
	const char *name;
	enum feed_policy policy;
	uint64_t limits[3];
	size_t count;
	double patience;
	double wait_s, within_s; /* published, or derived from it; 0: none */
};

static const struct example examples[] = {
    {"size, default limits", FEED_SIZE, {2000, 10000, 50000}, 3, 0, 2.4917,
	0.01},
    {"size+load, published limits", FEED_SIZE_LOAD, {2891, 6431, 97328}, 3, 0,
	0.735, 0.02},
    {"least-work, no limits", FEED_LEAST_WORK, {0}, 0, 0, 0.404, 0.004},
    {"size+load, one limit", FEED_SIZE_LOAD, {6431}, 1, 0, 0.183, 0.002},
    {"small-first, no limits", FEED_SMALL_FIRST, {0}, 0, 1e6, 0.268, 0.003},
    {"small-first, one limit", FEED_SMALL_FIRST, {6431}, 1, 1e6, 0, 0},
    {"small-first, one limit, patience 10", FEED_SMALL_FIRST, {6431}, 1, 10, 0,
	0},
    {"steal, published limits", FEED_STEAL, {2891, 6431, 97328}, 3, 0, 0, 0},
};

#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static struct simulation
run_example(const struct example *e, const struct simulate_options *options)
{
	struct sizes *sizes = parse(example_spec);
	struct model model = model_of(e->policy, 4, e->limits, e->count);
	struct simulation simulation;

	model.rate = 1.39;
	model.fixed_s = 0.09;
	model.per_octet_s = 1.0 / 4700;
	model.sizes = sizes;
	model.patience = e->patience;
	if (simulate(&model, options, &simulation) < 0)
		abort();
	sizes_free(sizes);
	return simulation;
}

static double
processor_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* By processor time, since others may use the machine too. */
static int
speed(uint64_t messages)
{
	const struct simulate_options options = {
	    .seed = 1, .max_messages = messages, .threads = 1};

	for (size_t i = 0; i < EXAMPLES; i++) {
		const double before_s = processor_s();
		const struct simulation s = run_example(&examples[i], &options);

		(void)printf("%-37s %6.1f million messages/s a core\n",
		    examples[i].name,
		    (double)s.messages / (processor_s() - before_s) / 1e6);
	}
	return 0;
}

static int
published(uint64_t messages)
{
	const struct simulate_options options = {
	    .seed = 1, .max_messages = messages};
	int failed = 0;

	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct example *e = &examples[i];
		const struct simulation s = run_example(e, &options);
		const bool ok =
		    s.stable &&
		    (e->wait_s == 0 ||
			fabs(s.all.mean_s - e->wait_s) <= e->within_s);

		failed |= !ok;
		(void)printf("%-37s W %.5f +- %.5f  p50 %.3f p95 %.3f p99 "
			     "%.3f max %.0f",
		    e->name, s.all.mean_s, s.ci99_s, s.all.p50_s, s.all.p95_s,
		    s.all.p99_s, s.all.max_s);
		if (e->wait_s > 0)
			(void)printf("  %s (%.4f +- %.3f)",
			    ok ? "ok" : "FAILED", e->wait_s, e->within_s);
		(void)printf("\n");
		(void)fflush(stdout);
	}
	return failed;
}

struct queue {
	const char *name;
	size_t servers;
	const char *spec; /* NULL: all alike */
	double fixed_s;
};

static const struct queue queues[] = {
    {"mm1", 1, "exp:1000000", 0},
    {"mmc", 4, "exp:1000000", 0},
    {"md1", 1, NULL, 0},
    {"mg1", 1, "gaussmix:0.9,300000,60000,0.1,2300000,460000", 0.5},
};

#define QUEUES (sizeof(queues) / sizeof(queues[0]))

static struct simulation
run_queue(const struct queue *queue, double rho,
    const struct simulate_options *options, double *ret_closed_s)
{
	const double same = OCTETS;
	struct sizes *sizes =
	    queue->spec ? parse(queue->spec) : sizes_of_list(&same, 1);
	struct model model = model_of(FEED_SIZE, 1, NULL, 0);
	struct simulation simulation;
	struct closed closed;

	model.sizes = sizes;
	model.slots = queue->servers;
	model.fixed_s = queue->fixed_s;
	model.per_octet_s = 1 / OCTETS;
	model.rate =
	    rho * (double)queue->servers / model_service(&model).mean_s;
	closed_figures(&model, &closed);
	*ret_closed_s = closed.wait_mean_s;
	if (simulate(&model, options, &simulation) < 0)
		abort();
	sizes_free(sizes);
	return simulation;
}

static int
one_queue(const char *name, double rho, uint64_t messages)
{
	const struct simulate_options options = {
	    .seed = 1, .max_messages = messages};

	for (size_t i = 0; i < QUEUES; i++) {
		struct simulation s;
		double closed_s;

		if (strcmp(name, queues[i].name) != 0)
			continue;
		s = run_queue(&queues[i], rho, &options, &closed_s);
		(void)printf(
		    "%.6f %.6f %.6f\n", s.all.mean_s, s.ci99_s, closed_s);
		return !s.stable;
	}
	(void)fprintf(stderr, "sim_bench: %s: no such queue\n", name);
	return 100;
}

/* The share of runs whose interval holds what the formula says. */
static double
covered(const struct queue *queue, double rho, uint64_t runs)
{
	double messages = 0, widest = 0;
	uint64_t hits = 0;

	for (uint64_t i = 0; i < runs; i++) {
		const struct simulate_options options = {.seed = 1000 + i,
		    .max_messages = 100000000,
		    .half_width = HALF_WIDTH};
		double closed_s;
		const struct simulation s =
		    run_queue(queue, rho, &options, &closed_s);

		hits += s.stable && fabs(s.all.mean_s - closed_s) <= s.ci99_s;
		widest = fmax(widest, s.ci99_s / s.all.mean_s);
		messages += (double)s.all.messages / (double)runs;
	}
	(void)printf("%s at %.2f: %5.1f %% of %" PRIu64 " runs covered, widest "
		     "half-width %.2f %%, %.0f messages each\n",
	    queue->name, rho, 100 * (double)hits / (double)runs, runs,
	    widest * 100, messages);
	(void)fflush(stdout);
	return widest <= HALF_WIDTH ? (double)hits / (double)runs : 0;
}

static int
coverage(uint64_t runs, double rho)
{
	int failed = 0;

	for (size_t i = 0; i < QUEUES; i++)
		failed |= covered(&queues[i], rho, runs) < BAR_COVERED;
	return failed;
}

static uint64_t
count_of(int argc, char **argv, int i, double standard)
{
	return (uint64_t)(argc > i ? strtod(argv[i], NULL) : standard);
}

int
main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (strcmp(command, "speed") == 0)
		return speed(count_of(argc, argv, 2, 3e7));
	if (strcmp(command, "published") == 0)
		return published(count_of(argc, argv, 2, 1e9));
	if (strcmp(command, "coverage") == 0)
		return coverage(count_of(argc, argv, 2, 1000),
		    argc > 3 ? strtod(argv[3], NULL) : 0.8);
	if (strcmp(command, "queue") == 0 && argc > 3)
		return one_queue(argv[2], strtod(argv[3], NULL),
		    count_of(argc, argv, 4, 3e7));
	(void)fprintf(stderr, "usage: sim_bench speed|published|coverage "
			      "[NUMBER], queue NAME RHO [MESSAGES]\n");
	return 100;
}
