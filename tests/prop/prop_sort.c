#include "feed/sort.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define PROP_RUNS 20000

static uint64_t seed;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13; /* xorshift64 */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		prop_no_admissible_lane_is_better_than_the_one_chosen),
	    cmocka_unit_test(prop_more_load_attracts_nothing),
	};
	const char *given = getenv("PROP_SEED");

	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) | 1;
	printf("PROP_SEED=%" PRIu64 "\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
