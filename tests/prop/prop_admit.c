#include "vmm/admit.h"

#include "tests/support/prop_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PROP_RUNS 20000
#define MAX       12

static size_t
gen_free(uint64_t *free_usec)
{
	size_t n = 1 + draw(MAX);

	for (size_t i = 0; i < n; i++)
		free_usec[i] = draw(3) ? draw(40) : 0;
	return n;
}

/* The same queue, the slow way: somebody looks each microsecond. */
static uint64_t
wait_by_hand(
    const uint64_t *free_usec, size_t n, size_t ahead, uint64_t service)
{
	uint64_t at[MAX];

	memcpy(at, free_usec, n * sizeof(at[0]));
	for (uint64_t t = 0;; t++)
		for (size_t i = 0; i < n; i++)
			while (at[i] == t) {
				if (ahead-- == 0)
					return t;
				at[i] = t + service;
			}
}

static void
prop_the_predicted_wait_is_that_of_the_queue(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		uint64_t a[MAX], b[MAX];
		size_t n = gen_free(a), ahead = draw(30);
		uint64_t service = 1 + draw(20);

		memcpy(b, a, sizeof(b));
		assert_int_equal(admit_wait(a, n, ahead, service),
		    wait_by_hand(b, n, ahead, service));
	}
}

static void
prop_nobody_waits_less_than_who_is_before_him(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		uint64_t a[MAX], b[MAX];
		size_t n = gen_free(a), ahead = draw(30);
		uint64_t service = draw(20);

		memcpy(b, a, sizeof(b));
		assert_true(admit_wait(a, n, ahead, service) <=
			    admit_wait(b, n, ahead + 1, service));
	}
}

static void
prop_no_more_places_than_may_run(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		uint64_t a[MAX];
		size_t n = gen_free(a), running = draw(n + 1);
		size_t most = running + draw(4), places;
		uint64_t latest = 0;

		for (size_t i = 0; i < n; i++)
			latest = a[i] > latest ? a[i] : latest;
		places = admit_servers(a, n, running, most);
		assert_true(places <= n && places <= most);
		assert_true(places == n || places == most);
		assert_int_equal(
		    a[places ? places - 1 : 0], places ? latest : a[0]);
	}
}

/* Whatever is made fits beside the reserve and what others may still take. */
static void
prop_clones_fit_into_memory_and_slots(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		const struct admit_memory m = {draw(3) ? draw(1000) : 0,
		    draw(300), 1 + draw(50), draw(300)};
		uint64_t live = draw(20), most = draw(20);
		uint64_t n = admit_clones(&m, live, most);

		assert_true(n == 0 || live + n <= most);
		if (m.available_bytes) {
			uint64_t need = m.reserve_bytes + m.promised_bytes;

			assert_true(n == 0 || need + n * m.clone_bytes <=
						  m.available_bytes);
			/* And no fewer than could be. */
			assert_true(
			    live + n >= most ||
			    need + (n + 1) * m.clone_bytes > m.available_bytes);
		} else {
			assert_true(live >= most || live + n == most);
		}
	}
}

static void
prop_what_a_clone_grows_to_is_never_below_the_last_seen(void **state)
{
	(void)state;
	for (int run = 0; run < PROP_RUNS; run++) {
		uint64_t known = 1 + draw(1000), seen = draw(1000);
		uint64_t grown = admit_grown(known, seen);
		uint64_t mean = admit_mean(known, seen);

		assert_true(grown >= seen && grown > 0);
		assert_true(grown <= (known > seen ? known : seen));
		assert_true(mean >= (known < seen ? known : seen) &&
			    mean <= (known > seen ? known : seen));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prop_the_predicted_wait_is_that_of_the_queue),
	    cmocka_unit_test(prop_nobody_waits_less_than_who_is_before_him),
	    cmocka_unit_test(prop_no_more_places_than_may_run),
	    cmocka_unit_test(prop_clones_fit_into_memory_and_slots),
	    cmocka_unit_test(
		prop_what_a_clone_grows_to_is_never_below_the_last_seen),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
