#include "feed/sort.h"

#include "tests/support/prop_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PROP_RUNS 20000

static struct feed_limits
gen_limits(void)
{
	uint64_t bytes[FEED_MAX_LANES], at = 0;
	size_t lanes = 1 + draw(8), count = draw(lanes);
	struct feed_limits limits;

	for (size_t i = 0; i < count; i++)
		bytes[i] = at += 1 + draw(100);
	assert_int_equal(feed_limits_make(lanes, bytes, count, &limits), 0);
	return limits;
}

/* Small numbers, so that ties and exact limits are common. */
static void
prop_no_admissible_lane_is_better_than_the_one_chosen(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		const struct feed_limits l = gen_limits();
		const uint64_t bytes = draw(800);
		uint64_t empty[FEED_MAX_LANES];
		size_t got;

		for (size_t i = 0; i < l.lanes; i++)
			empty[i] = draw(4);
		got = feed_pick(FEED_SIZE_LOAD, &l, empty, bytes);
		assert_true(got < l.lanes && bytes <= l.max_bytes[got]);
		for (size_t i = 0; i < l.lanes; i++) {
			if (bytes > l.max_bytes[i])
				continue;
			assert_true(empty[got] <= empty[i]);
			assert_true(empty[got] < empty[i] || got <= i);
		}
	}
}

/* A busier lane gets no message that it would not have got before. */
static void
prop_more_load_attracts_nothing(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		const struct feed_limits l = gen_limits();
		const uint64_t bytes = draw(800);
		uint64_t empty[FEED_MAX_LANES];
		size_t before, busier = draw(l.lanes);

		for (size_t i = 0; i < l.lanes; i++)
			empty[i] = draw(4);
		before = feed_pick(FEED_SIZE_LOAD, &l, empty, bytes);
		empty[busier] += 1 + draw(3);
		if (before != busier)
			assert_int_equal(
			    feed_pick(FEED_SIZE_LOAD, &l, empty, bytes),
			    before);
	}
}

/*
 * A few workers and messages on a clock of whole ticks: a message of b octets
 * takes b ticks.
 */
#define STARVE_MESSAGES 60

struct waiting {
	uint64_t arrived, bytes, due, started;
};

struct run {
	struct feed_limits limits;
	struct waiting m[STARVE_MESSAGES];
	uint64_t until[FEED_MAX_LANES]; /* each lane's message is done */
	uint64_t patience;
};

/* Sparse and dense arrivals, mostly small, some as large as all the rest. */
static void
gen_run(struct run *run)
{
	const uint64_t gap = 1 + draw(60);
	uint64_t now = 1;

	*run = (struct run){.limits = gen_limits(), .patience = draw(6)};
	for (size_t i = 0; i < STARVE_MESSAGES; i++) {
		struct waiting *m = &run->m[i];

		now += draw(gap);
		m->arrived = now;
		m->bytes = 1 + (draw(3) ? draw(60) : draw(900));
		m->due = feed_due(now, m->bytes, run->patience);
		m->started = UINT64_MAX;
	}
}

/* The least due of a class that waits, or NULL. */
static struct waiting *
head_of(struct run *run, size_t class, uint64_t now)
{
	struct waiting *head = NULL;

	for (size_t i = 0; i < STARVE_MESSAGES; i++) {
		struct waiting *m = &run->m[i];

		if (m->arrived <= now && m->started == UINT64_MAX &&
		    feed_class(&run->limits, m->bytes) == class &&
		    (!head || m->due < head->due))
			head = m;
	}
	return head;
}

/* What lane takes now, or NULL. */
static struct waiting *
offer(struct run *run, size_t lane, uint64_t now)
{
	const size_t lanes = run->limits.lanes;
	uint64_t due[FEED_MAX_LANES], empty[FEED_MAX_LANES];
	struct waiting *heads[FEED_MAX_LANES];
	size_t class;

	for (size_t i = 0; i < lanes; i++) {
		heads[i] = head_of(run, i, now);
		due[i] = heads[i] ? heads[i]->due : UINT64_MAX;
		empty[i] = run->until[i] > now ? run->until[i] - now : 0;
	}
	class =
	    feed_take(&run->limits, lane, due, empty, run->limits.max_bytes);
	return class < lanes ? heads[class] : NULL;
}

/* Everything arrives and starts; at each event every free lane is asked. */
static void
serve(struct run *run)
{
	size_t left = STARVE_MESSAGES;

	for (uint64_t now = 1; left; now++) {
		assert_true(now < 1000000);
		for (size_t i = 0; i < run->limits.lanes; i++) {
			struct waiting *m = NULL;

			if (run->until[i] <= now)
				m = offer(run, i, now);
			if (m) {
				m->started = now;
				run->until[i] = now + m->bytes;
				left--;
			}
		}
	}
}

/* The bound on m's wait of feed/sort.h, or what it got before it applies. */
static uint64_t
longest_wait(const struct run *run, const struct waiting *m)
{
	const uint64_t then = m->due; /* arrived + patience * service */
	uint64_t longest = 0, work = 0;
	size_t limits = 0;

	while (limits + 1 < run->limits.lanes &&
	       run->limits.max_bytes[limits] != UINT64_MAX)
		limits++;
	for (size_t i = 0; i < STARVE_MESSAGES; i++) {
		const struct waiting *o = &run->m[i];

		if (o->started <= then && o->started + o->bytes > then &&
		    o->started + o->bytes - then > longest)
			longest = o->started + o->bytes - then;
		if (o->started > then && o->due <= m->due)
			work += o->bytes;
	}
	return then - m->arrived + longest +
	       work / (run->limits.lanes - limits);
}

static void
prop_nothing_starves(void **state)
{
	(void)state;
	for (int i = 0; i < PROP_RUNS / 50; i++) {
		struct run run;

		gen_run(&run);
		serve(&run);
		for (size_t j = 0; j < STARVE_MESSAGES; j++)
			assert_true(run.m[j].started - run.m[j].arrived <=
				    longest_wait(&run, &run.m[j]));
	}
}

/* When each lane is empty, and what has waited longest there. */
static void
look_at_lanes(const struct run *run, const size_t *lane_of, size_t n,
    uint64_t now, uint64_t *ret_empty, uint64_t *ret_head)
{
	for (size_t i = 0; i < run->limits.lanes; i++) {
		ret_empty[i] = run->until[i] > now ? run->until[i] - now : 0;
		ret_head[i] = UINT64_MAX;
	}
	for (size_t i = n; i-- > 0;)
		if (run->m[i].started > now)
			ret_head[lane_of[i]] = run->m[i].bytes;
}

/* By size+load, when everything takes as long as was thought: a lane that is
 * idle now was the emptiest for whoever it would take. */
static void
prop_without_surprises_nothing_can_be_stolen(void **state)
{
	(void)state;
	for (int i = 0; i < PROP_RUNS / 50; i++) {
		uint64_t empty[FEED_MAX_LANES], head[FEED_MAX_LANES];
		size_t lane_of[STARVE_MESSAGES];
		struct run run;

		gen_run(&run);
		for (size_t n = 0; n < STARVE_MESSAGES; n++) {
			struct waiting *m = &run.m[n];
			const size_t lanes = run.limits.lanes;
			size_t to;

			look_at_lanes(
			    &run, lane_of, n, m->arrived, empty, head);
			for (size_t j = 0; j < lanes; j++)
				assert_true(
				    empty[j] > 0 || feed_steal(&run.limits, j,
							empty, head) == lanes);
			to =
			    feed_pick(FEED_STEAL, &run.limits, empty, m->bytes);
			lane_of[n] = to;
			m->started = m->arrived + empty[to];
			run.until[to] = m->started + m->bytes;
		}
	}
}

/* Which lane asks doesn't matter, for any can be the kept one. */
static void
prop_every_free_lane_takes_the_same(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		const struct feed_limits l = gen_limits();
		uint64_t due[FEED_MAX_LANES], empty[FEED_MAX_LANES];
		size_t first = SIZE_MAX;

		for (size_t i = 0; i < l.lanes; i++) {
			due[i] = draw(3) ? draw(9) : UINT64_MAX;
			empty[i] = draw(3) ? draw(300) : 0;
		}
		for (size_t i = 0; i < l.lanes; i++) {
			size_t got;

			if (empty[i] != 0)
				continue;
			got = feed_take(&l, i, due, empty, l.max_bytes);
			assert_true(got <= l.lanes);
			assert_true(got == l.lanes || due[got] < UINT64_MAX);
			assert_true(first == SIZE_MAX || got == first);
			first = got;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		prop_no_admissible_lane_is_better_than_the_one_chosen),
	    cmocka_unit_test(prop_more_load_attracts_nothing),
	    cmocka_unit_test(prop_nothing_starves),
	    cmocka_unit_test(prop_without_surprises_nothing_can_be_stolen),
	    cmocka_unit_test(prop_every_free_lane_takes_the_same),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
