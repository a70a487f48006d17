/*
 * small-first and steal once more, with nothing left out: a clock that ticks
 * each microsecond, and at each tick every free lane is asked.
 */
#include "tools/sim/simulate.h"

#include "feed/load.h"
#include "tools/sim/rng.h"
#include "tools/sim/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGES 250 /* one batch: the predictions for limits stay */
#define LANES    3
#define RUNS     60

struct message {
	uint64_t arrived, bytes, service, predicted, due;
	size_t queue; /* class, or lane that it was placed in */
	bool begun;
};

struct naive {
	const struct model *model;
	struct message m[MESSAGES];
	size_t came, begun;
	uint64_t now, waits;
	uint64_t free_at[LANES], predicted_at[LANES], limit_usec[LANES];
	uint64_t empty[LANES], heads[LANES];
};

static struct rng rng;

static uint64_t
draw(uint64_t below)
{
	return rng_next(&rng) % below;
}

static void
draw_trace(struct trace_message *messages)
{
	uint64_t now = 12345;

	for (size_t i = 0; i < MESSAGES; i++) {
		const bool large = draw(4) == 0;

		now += draw(40);
		messages[i] = (struct trace_message){.arrived_usec = now,
		    .bytes = large ? 5000 + draw(9000) : 1 + draw(2000),
		    .service_usec = large ? 90 + draw(90) : 10 + draw(20)};
	}
}

/* As a trace is read: each predicted by what those before it taught. */
static void
naive_init(struct naive *n, const struct model *model,
    const struct trace_message *messages)
{
	struct load *load = load_new(1, 1, LOAD_PRIOR);

	*n = (struct naive){.model = model};
	for (size_t i = 0; i < MESSAGES; i++) {
		const uint64_t bytes = messages[i].bytes;
		struct message *m = &n->m[i];

		m->arrived =
		    messages[i].arrived_usec - messages[0].arrived_usec;
		m->bytes = bytes;
		m->service = messages[i].service_usec;
		m->predicted = load_predict(load, LOAD_UNKNOWN, bytes);
		m->due = feed_due(
		    m->arrived, m->predicted, (uint64_t)model->patience);
		load_finished(load, "", bytes, m->service);
	}
	for (size_t i = 0; i + 1 < LANES; i++)
		n->limit_usec[i] = load_predict(
		    load, LOAD_UNKNOWN, model->limits.max_bytes[i]);
	load_free(load);
}

/* The first of queue by due time (small-first), or by arrival. */
static struct message *
head(struct naive *n, size_t queue)
{
	const bool by_due = n->model->policy == FEED_SMALL_FIRST;
	struct message *first = NULL;

	for (size_t i = 0; i < n->came; i++)
		if (!n->m[i].begun && n->m[i].queue == queue &&
		    (!first || (by_due && n->m[i].due < first->due)))
			first = &n->m[i];
	return first;
}

static void
look(struct naive *n)
{
	for (size_t i = 0; i < LANES; i++) {
		const struct message *first = head(n, i);

		n->empty[i] = n->free_at[i] > n->now;
		if (n->empty[i] && n->predicted_at[i] > n->now)
			n->empty[i] = n->predicted_at[i] - n->now;
		n->heads[i] = UINT64_MAX;
		if (first)
			n->heads[i] = n->model->policy == FEED_SMALL_FIRST
					  ? first->due
					  : first->bytes;
		if (n->model->policy == FEED_SMALL_FIRST)
			continue;
		for (size_t k = 0; k < n->came; k++)
			if (!n->m[k].begun && n->m[k].queue == i)
				n->empty[i] += n->m[k].predicted;
	}
}

/* What the free lane takes next, or NULL. */
static struct message *
choose(struct naive *n, size_t lane)
{
	size_t from = lane;

	look(n);
	if (n->model->policy == FEED_SMALL_FIRST)
		from = feed_take(
		    &n->model->limits, lane, n->heads, n->empty, n->limit_usec);
	else if (!head(n, lane))
		from = feed_steal(&n->model->limits, lane, n->empty, n->heads);
	return from < LANES ? head(n, from) : NULL;
}

static void
ask_everybody(struct naive *n)
{
	bool taken;

	do {
		taken = false;
		for (size_t lane = 0; lane < LANES; lane++) {
			struct message *m = NULL;

			if (n->free_at[lane] <= n->now)
				m = choose(n, lane);
			if (!m)
				continue;
			m->begun = taken = true;
			n->begun++;
			n->waits += n->now - m->arrived;
			n->free_at[lane] = n->now + m->service;
			n->predicted_at[lane] = n->now + m->predicted;
		}
	} while (taken);
}

static void
arrive(struct naive *n)
{
	struct message *m = &n->m[n->came];

	look(n);
	if (n->model->policy == FEED_SMALL_FIRST)
		m->queue = feed_class(&n->model->limits, m->bytes);
	else
		m->queue = feed_pick(
		    FEED_STEAL, &n->model->limits, n->empty, m->bytes);
	n->came++;
}

static double
naive_mean_s(struct naive *n)
{
	for (; n->begun < MESSAGES; n->now++) {
		assert_true(n->now < 1000000);
		if (n->begun < n->came)
			ask_everybody(n);
		while (n->came < MESSAGES && n->m[n->came].arrived == n->now) {
			arrive(n);
			ask_everybody(n);
		}
	}
	return (double)n->waits / 1e6 / MESSAGES;
}

static void
compare(enum feed_policy policy)
{
	static const uint64_t limits[] = {1500, 8000};
	static struct trace_message messages[MESSAGES];
	static struct naive naive;
	const struct trace trace = {MESSAGES, messages};

	for (uint64_t i = 0; i < RUNS; i++) {
		struct model model = {.policy = policy, .slots = 1};
		struct simulation s;
		double mean_s;

		rng_init(&rng, i, 0);
		model.patience = (double)(i % 3 * i);
		assert_int_equal(
		    feed_limits_make(LANES, limits, i % 3, &model.limits), 0);
		for (size_t lane = 0; lane < LANES; lane++)
			model.speed[lane] = 1;
		draw_trace(messages);
		naive_init(&naive, &model, messages);
		mean_s = naive_mean_s(&naive);
		assert_int_equal(simulate_trace(&model, &trace, &s), 0);
		assert_true(mean_s > 0);
		if (s.all.mean_s < mean_s - 1e-12 ||
		    s.all.mean_s > mean_s + 1e-12)
			fail_msg("run %d: %.9f, not %.9f", (int)i, s.all.mean_s,
			    mean_s);
	}
}

static void
small_first_is_what_asking_at_each_tick_gives(void **state)
{
	(void)state;
	compare(FEED_SMALL_FIRST);
}

static void
steal_is_what_asking_at_each_tick_gives(void **state)
{
	(void)state;
	compare(FEED_STEAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_first_is_what_asking_at_each_tick_gives),
	    cmocka_unit_test(steal_is_what_asking_at_each_tick_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
