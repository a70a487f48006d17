#include "tools/sim/simulate_crew.h"

#include "common/clock.h"
#include "common/io.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_THREADS 256
#define SHOW_EACH_S 0.1
#define LEAST_PARTS 16
#define LOOK_EACH   64 /* batches: a millisecond */

struct hand {
	struct crew *crew;
	size_t number; /* 0: the caller's own thread */
	pthread_t thread;
};

double
crew_clock_s(void)
{
	return (double)mono_now().usec / USEC_PER_SEC;
}

static size_t
thread_count(const struct simulate_options *options, size_t runs)
{
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = options->threads;

	if (threads == 0)
		threads = online > 0 ? (size_t)online : 1;
	threads = threads < runs ? threads : runs;
	return threads < MAX_THREADS ? threads : MAX_THREADS;
}

int
crew_init(struct crew *crew, const struct model *model,
    const struct simulate_options *options, size_t runs)
{
	*crew = (struct crew){.options = options,
	    .lanes = model->limits.lanes,
	    .n = runs,
	    .threads = thread_count(options, runs)};
	crew->runs = xcalloc(runs, sizeof(*crew->runs));
	crew->tallies =
	    calloc(crew->threads * 2 * crew->lanes, sizeof(*crew->tallies));
	if (!crew->tallies) {
		free(crew->runs);
		return -ENOMEM;
	}
	for (size_t i = 0; i < runs; i++)
		run_init(&crew->runs[i], model, NULL, options->seed, i);
	crew->shown_at_s = crew_clock_s();
	return 0;
}

void
crew_done(struct crew *crew)
{
	for (size_t i = 0; i < crew->n; i++)
		run_done(&crew->runs[i]);
	free(crew->runs);
	free(crew->tallies);
}

static struct counts
counts_of(const struct crew *crew, size_t number)
{
	struct tally *first = crew->tallies + number * 2 * crew->lanes;

	return (struct counts){first, first + crew->lanes};
}

/* Never backwards, and below 1 as long as something is to be done. */
static void
show(struct crew *crew)
{
	const double now_s = crew_clock_s();
	double done;

	if (!crew->options->progress || now_s - crew->shown_at_s < SHOW_EACH_S)
		return;
	crew->shown_at_s = now_s;
	done = (double)atomic_load(&crew->messages) / crew->expected;
	if (done > crew->shown)
		crew->shown = done < 1 ? done : 1;
	if (!crew->options->progress(crew->options->arg, crew->shown))
		atomic_store(&crew->stopped, true);
}

/* Short steps are cut finer, so that they make a series of batches too. */
static size_t
batch_of(uint64_t share)
{
	if (share >= (uint64_t)LEAST_PARTS * BATCH)
		return BATCH;
	return share > LEAST_PARTS ? (size_t)share / LEAST_PARTS : 1;
}

static void
step_run(const struct hand *hand, struct run *run)
{
	struct crew *crew = hand->crew;
	const struct counts counts = counts_of(crew, hand->number);
	const size_t most = batch_of(crew->share);
	uint64_t left = crew->share, since = 0;

	for (size_t i = 1; left > 0 && !run->failed; i++) {
		const size_t n = left < most ? (size_t)left : most;

		run_batch(run, counts, n);
		left -= n;
		since += n;
		if (left > 0 && i % LOOK_EACH != 0)
			continue;
		atomic_fetch_add(&crew->messages, since);
		since = 0;
		if (hand->number == 0)
			show(crew);
		if (atomic_load(&crew->stopped))
			return;
	}
}

static void *
work(void *arg)
{
	const struct hand *hand = arg;
	struct crew *crew = hand->crew;
	size_t i;

	while ((i = atomic_fetch_add(&crew->next, 1)) < crew->n &&
	       !atomic_load(&crew->stopped))
		step_run(hand, &crew->runs[i]);
	return NULL;
}

int
crew_step(struct crew *crew, uint64_t share)
{
	struct hand hands[MAX_THREADS];
	size_t started = 1;

	crew->share = share;
	atomic_store(&crew->next, 0);
	for (size_t i = 0; i < crew->threads; i++)
		hands[i] = (struct hand){.crew = crew, .number = i};
	/* With fewer threads than wanted it only takes longer. */
	for (; started < crew->threads; started++)
		if (pthread_create(&hands[started].thread, NULL, work,
			&hands[started]) != 0)
			break;
	(void)work(&hands[0]);
	for (size_t i = 1; i < started; i++)
		(void)pthread_join(hands[i].thread, NULL);
	for (size_t i = 0; i < crew->n; i++)
		if (crew->runs[i].failed)
			return -ENOMEM;
	return atomic_load(&crew->stopped) ? -ECANCELED : 0;
}

void
crew_forget(struct crew *crew)
{
	for (size_t i = 0; i < crew->n; i++)
		run_forget(&crew->runs[i]);
	memset(crew->tallies, 0,
	    crew->threads * 2 * crew->lanes * sizeof(*crew->tallies));
}

void
crew_tallies(const struct crew *crew, struct tally *ret_tallies)
{
	for (size_t i = 0; i < 2 * crew->lanes; i++) {
		ret_tallies[i] = (struct tally){0};
		for (size_t t = 0; t < crew->threads; t++)
			tally_merge(&ret_tallies[i],
			    &crew->tallies[t * 2 * crew->lanes + i]);
	}
}
