#include "feed/load.h"

#include "tests/support/prop_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RUNS  200
#define STEPS 500
#define LANES 3
#define IDS   40

/* The simple model: lists, summed anew at each question. */
struct model {
	struct {
		int id;
		uint64_t usec;
		bool seen;
	} items[LANES][IDS];
	size_t n[LANES];
	size_t serving[LANES];
	uint64_t served_usec[LANES];
};

static bool
model_remove(struct model *m, int id)
{
	for (size_t lane = 0; lane < LANES; lane++) {
		for (size_t i = 0; i < m->n[lane]; i++) {
			if (m->items[lane][i].id != id)
				continue;
			m->n[lane]--;
			memmove(&m->items[lane][i], &m->items[lane][i + 1],
			    (m->n[lane] - i) * sizeof(m->items[0][0]));
			return true;
		}
	}
	return false;
}

static uint64_t
model_empty(const struct model *m, size_t lane)
{
	uint64_t serving_usec = 0, waiting_usec = 0, serving = 0;

	for (size_t i = 0; i < m->n[lane]; i++)
		if (i < m->serving[lane]) {
			serving_usec += m->items[lane][i].usec;
			serving++;
		} else {
			waiting_usec += m->items[lane][i].usec;
		}
	if (serving_usec > m->served_usec[lane] + serving)
		return waiting_usec + serving_usec - m->served_usec[lane];
	return waiting_usec + serving;
}

static const char *
id_text(int id)
{
	static char text[16];

	(void)snprintf(text, sizeof(text), "id%d", id);
	return text;
}

static void
do_place(struct load *load, struct model *m)
{
	size_t lane = draw(LANES), at;
	int id = (int)draw(IDS);
	uint64_t bytes = draw(1000000);
	enum load_kind kind = (enum load_kind)draw(LOAD_KINDS);

	(void)model_remove(m, id);
	at = m->n[lane]++;
	m->items[lane][at].id = id;
	m->items[lane][at].usec = load_predict(load, kind, bytes);
	load_place(load, id_text(id), lane, kind, bytes);
}

static void
do_remove(struct load *load, struct model *m)
{
	int id = (int)draw(IDS);
	bool was = model_remove(m, id);

	if (draw(2))
		load_finished(load, id_text(id), draw(1000000), draw(100000));
	else
		assert_int_equal(load_left(load, id_text(id)), was);
}

static void
do_sweep(struct load *load, struct model *m)
{
	size_t lane = draw(LANES), dropped = 0;

	load_mark(load, lane);
	for (size_t i = 0; i < m->n[lane]; i++) {
		m->items[lane][i].seen = draw(2);
		if (m->items[lane][i].seen)
			assert_true(load_seen(
			    load, id_text(m->items[lane][i].id), lane));
	}
	for (size_t i = m->n[lane]; i-- > 0;)
		if (!m->items[lane][i].seen)
			dropped += model_remove(m, m->items[lane][i].id);
	assert_int_equal(load_sweep(load, lane), dropped);
}

/* What workers say, as the feed takes it in before each question. */
static void
do_serving(struct load *load, struct model *m, struct mono now)
{
	for (size_t lane = 0; lane < LANES; lane++) {
		m->serving[lane] = draw(6);
		m->served_usec[lane] = draw(20000);
		load_serving(load, lane, m->serving[lane],
		    (struct mono){now.usec - m->served_usec[lane]});
	}
}

static void
prop_the_sum_is_that_of_the_lists(void **state)
{
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		struct load *load = load_new(LANES, 1, LOAD_PRIOR);
		struct model m = {0};
		struct mono now = {1};

		for (int step = 0; step < STEPS; step++) {
			switch (draw(8)) {
			case 0:
				do_sweep(load, &m);
				break;
			case 1:
			case 2:
			case 3:
				do_remove(load, &m);
				break;
			default:
				do_place(load, &m);
			}
			now.usec += 1000000;
			do_serving(load, &m, now);
			for (size_t i = 0; i < LANES; i++) {
				assert_int_equal(load_count(load, i), m.n[i]);
				assert_int_equal(load_empty_usec(load, i, now),
				    model_empty(&m, i));
			}
		}
		for (int id = 0; id < IDS; id++)
			(void)load_left(load, id_text(id));
		for (size_t i = 0; i < LANES; i++) {
			load_serving(load, i, 0, now);
			assert_int_equal(load_empty_usec(load, i, now), 0);
		}
		load_free(load);
	}
}

/* Noise within a factor of two, and one in forty a thousand times off. */
static uint64_t
noisy(double usec)
{
	double factor = 0.5 + (double)draw(1000) / 1000; /* mean 1 */

	if (draw(40) == 0)
		return draw(2) ? (uint64_t)(usec * 1000) : 0;
	return (uint64_t)(usec * factor);
}

static void
prop_any_line_is_found_within_a_factor_of_two(void **state)
{
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		struct load *load = load_new(1, 1, LOAD_PRIOR);
		double a = (double)(100 + draw(20000));
		double b = (double)(1 + draw(200)) / 1000;
		enum load_kind kind = (enum load_kind)draw(LOAD_UNKNOWN);

		for (int i = 0; i < 3000; i++) {
			uint64_t bytes = draw(20) ? draw(20000) : draw(2000000);

			load_place(load, "x", 0, kind, bytes);
			load_finished(
			    load, "x", bytes, noisy(a + b * (double)bytes));
		}
		for (uint64_t bytes = 1000; bytes < 2000000; bytes *= 4) {
			double got = (double)load_predict(load, kind, bytes);
			double real = a + b * (double)bytes;

			if (got > 2 * real || got < real / 2)
				fail_msg("a=%g b=%g: %g at %" PRIu64 ", not %g",
				    a, b, got, bytes, real);
		}
		load_free(load);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prop_the_sum_is_that_of_the_lists),
	    cmocka_unit_test(prop_any_line_is_found_within_a_factor_of_two),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
