#include "feed/load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct mono t0 = {1000000};

static int
setup(void **state)
{
	*state = load_new(3, 1, LOAD_PRIOR);
	return 0;
}

static int
teardown(void **state)
{
	load_free(*state);
	return 0;
}

/* Learn n messages of a kind: place and finish each. */
static void
teach(struct load *load, enum load_kind kind, uint64_t bytes, uint64_t usec,
    int n)
{
	for (int i = 0; i < n; i++) {
		load_place(load, "learn", 0, kind, bytes);
		load_finished(load, "learn", bytes, usec);
	}
}

/* Within percent of what is expected. */
static void
assert_near(uint64_t got, double expected, double percent)
{
	double off = fabs((double)got - expected) / expected * 100;

	if (off > percent)
		fail_msg("%llu is %.1f %% off %.0f", (unsigned long long)got,
		    off, expected);
}

static void
content_types_have_a_kind(void **state)
{
	(void)state;
	assert_int_equal(load_kind_of(""), LOAD_TEXT);
	assert_int_equal(load_kind_of("text/plain; charset=utf-8"), LOAD_TEXT);
	assert_int_equal(load_kind_of("TEXT/HTML"), LOAD_TEXT);
	assert_int_equal(load_kind_of("Multipart/Mixed"), LOAD_MULTIPART);
	assert_int_equal(load_kind_of("message/rfc822"), LOAD_MULTIPART);
	assert_int_equal(load_kind_of("application/zip"), LOAD_OTHER);
	assert_int_equal(load_kind_of("text"), LOAD_OTHER);
	assert_int_equal(load_kind_of("\xff\xfe"), LOAD_OTHER);
}

static void
without_a_sample_the_prior_speaks(void **state)
{
	assert_int_equal(load_predict(*state, LOAD_TEXT, 0), 2000);
	assert_int_equal(load_predict(*state, LOAD_OTHER, 1000000), 12000);
	assert_int_equal(load_predict(*state, LOAD_UNKNOWN, 100000), 3000);
}

static void
a_straight_line_is_learned(void **state)
{
	struct load *load = *state;

	for (int i = 0; i < 1500; i++) {
		uint64_t bytes = (uint64_t)(i * 7919 % 400000);

		teach(load, LOAD_TEXT, bytes, 900 + bytes / 20, 1);
	}
	assert_near(load_predict(load, LOAD_TEXT, 0), 900, 5);
	assert_near(load_predict(load, LOAD_TEXT, 100000), 5900, 3);
	assert_near(load_predict(load, LOAD_TEXT, 1000000), 50900, 5);
}

static void
kinds_are_learned_apart(void **state)
{
	struct load *load = *state;

	for (int i = 0; i < 600; i++) {
		teach(load, LOAD_TEXT, 5000, 1000, 1);
		teach(load, LOAD_MULTIPART, 5000, 8000, 1);
	}
	assert_near(load_predict(load, LOAD_TEXT, 5000), 1000, 6);
	assert_near(load_predict(load, LOAD_MULTIPART, 5000), 8000, 6);
}

static void
a_kind_without_samples_follows_the_others(void **state)
{
	struct load *load = *state;

	teach(load, LOAD_TEXT, 5000, 10000, 1000);
	assert_near(load_predict(load, LOAD_UNKNOWN, 5000), 10000, 5);
	teach(load, LOAD_OTHER, 5000, 10000, 1);
	assert_near(load_predict(load, LOAD_OTHER, 5000), 10000, 40);
}

static void
one_outlier_moves_little(void **state)
{
	struct load *load = *state;
	uint64_t before;

	teach(load, LOAD_TEXT, 5000, 3000, 1000);
	before = load_predict(load, LOAD_TEXT, 5000);
	teach(load, LOAD_TEXT, 5000, 60000000, 1);
	assert_near(load_predict(load, LOAD_TEXT, 5000), (double)before, 5);
}

static void
a_first_sample_that_is_an_outlier_is_overcome(void **state)
{
	struct load *load = *state;

	teach(load, LOAD_TEXT, 5000, 60000000, 1);
	assert_true(load_predict(load, LOAD_TEXT, 5000) < 10 * 2000);
	teach(load, LOAD_TEXT, 5000, 3000, 60);
	assert_near(load_predict(load, LOAD_TEXT, 5000), 3000, 15);
}

static void
a_lasting_change_is_followed(void **state)
{
	struct load *load = *state;

	teach(load, LOAD_TEXT, 5000, 1000, 2000);
	teach(load, LOAD_TEXT, 5000, 100000, 1500);
	assert_near(load_predict(load, LOAD_TEXT, 5000), 100000, 10);
	teach(load, LOAD_TEXT, 5000, 1000, 3500);
	assert_near(load_predict(load, LOAD_TEXT, 5000), 1000, 10);
}

/* Small mail, and one in ten large: 0.09 s and 4700 octets a second. */
static void
teach_example(struct load *load, int n)
{
	for (int i = 0; i < n; i++) {
		uint64_t bytes = i % 10 ? 1500 + (uint64_t)(i * 7919 % 1000)
					: 30000 + (uint64_t)(i * 7919 % 40000);

		teach(load, LOAD_TEXT, bytes, 90000 + bytes * 10000 / 47, 1);
	}
}

/* The prior is off by a factor of 45 in a, and of 20000 in b. */
static void
what_was_believed_first_is_forgotten(void **state)
{
	struct load *load = *state;

	teach_example(load, 12000);
	for (int kind = LOAD_TEXT; kind <= LOAD_UNKNOWN;
	     kind += LOAD_UNKNOWN - LOAD_TEXT) {
		assert_near(load_predict(load, (enum load_kind)kind, 2000),
		    90000 + 2000 / 0.0047, 0.1);
		assert_near(load_predict(load, (enum load_kind)kind, 50000),
		    90000 + 50000 / 0.0047, 0.1);
	}
}

/* A newsletter for all: of what an octet costs it tells nothing. */
static void
a_flood_of_one_size_leaves_the_line_as_it_was(void **state)
{
	struct load *load = *state;
	uint64_t seed = 88172645463325252;

	teach_example(load, 12000);
	for (int i = 0; i < 4000; i++) {
		uint64_t bytes = 5000 + (uint64_t)(i * 7919 % 100), usec;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		usec = 90000 + bytes * 10000 / 47;
		teach(load, LOAD_TEXT, bytes, usec * 3 / 4 + seed % (usec / 2),
		    1);
		if (i % 100 == 99) {
			assert_near(load_predict(load, LOAD_TEXT, 5000),
			    90000 + 5000 / 0.0047, 10);
			assert_near(load_predict(load, LOAD_TEXT, 50000),
			    90000 + 50000 / 0.0047, 15);
		}
	}
}

static void
absurd_samples_leave_a_sane_model(void **state)
{
	struct load *load = *state;

	teach(load, LOAD_TEXT, UINT64_MAX, UINT64_MAX, 50);
	teach(load, LOAD_TEXT, 0, 0, 50);
	teach(load, LOAD_TEXT, UINT64_MAX, 0, 50);
	for (uint64_t bytes = 1; bytes < UINT64_MAX / 16; bytes *= 16) {
		uint64_t usec = load_predict(load, LOAD_TEXT, bytes);

		assert_in_range(usec, 1, UINT64_C(3600000000));
		assert_true(usec <= load_predict(load, LOAD_TEXT, bytes * 16));
	}
}

static void
waiting_messages_add_up_and_leave_nothing(void **state)
{
	struct load *load = *state;

	load_place(load, "a", 1, LOAD_TEXT, 0);
	load_place(load, "b", 1, LOAD_TEXT, 100000);
	assert_int_equal(load_empty_usec(load, 0, t0), 0);
	assert_int_equal(load_empty_usec(load, 1, t0), 5000);
	assert_int_equal(load_count(load, 1), 2);
	/* What was added leaves, though the model has changed. */
	teach(load, LOAD_TEXT, 5000, 50000, 300);
	assert_int_equal(load_empty_usec(load, 1, t0), 5000);
	load_finished(load, "a", 0, 77);
	assert_int_equal(load_empty_usec(load, 1, t0), 3000);
	assert_true(load_left(load, "b"));
	assert_int_equal(load_empty_usec(load, 1, t0), 0);
	assert_false(load_left(load, "b"));
	assert_int_equal(load_count(load, 1), 0);
}

static void
a_message_placed_again_counts_once(void **state)
{
	struct load *load = *state;

	load_place(load, "a", 0, LOAD_TEXT, 0);
	load_place(load, "a", 2, LOAD_TEXT, 0);
	assert_int_equal(load_empty_usec(load, 0, t0), 0);
	assert_int_equal(load_empty_usec(load, 2, t0), 2000);
	assert_int_equal(load_count(load, 0) + load_count(load, 2), 1);
}

static void
those_in_service_count_with_what_is_left_of_them(void **state)
{
	struct load *load = *state;
	const struct mono later = {t0.usec + 400}, end = {t0.usec + 9999};

	load_place(load, "a", 0, LOAD_TEXT, 0);
	load_place(load, "b", 0, LOAD_TEXT, 0);
	load_place(load, "c", 0, LOAD_TEXT, 0);
	load_serving(load, 0, 1, t0);
	assert_int_equal(load_empty_usec(load, 0, t0), 6000);
	assert_int_equal(load_empty_usec(load, 0, later), 5600);
	/* Longer than was predicted: it may end at any moment. */
	assert_int_equal(load_empty_usec(load, 0, end), 4001);
	load_serving(load, 0, 1, t0);
	assert_int_equal(load_empty_usec(load, 0, later), 5600);
	/* Two side by side, which have had 400 together. */
	load_serving(load, 0, 2, t0);
	assert_int_equal(load_empty_usec(load, 0, later), 5600);
	assert_int_equal(load_empty_usec(load, 0, end), 2002);
	load_finished(load, "a", 0, 2000);
	load_serving(load, 0, 1, later);
	assert_int_equal(load_empty_usec(load, 0, later), 4000);
	assert_int_equal(load_empty_usec(load, 0, end), 2001);
	/* A worker that died serves nothing: all of it waits again. */
	load_serving(load, 0, 0, later);
	assert_int_equal(load_empty_usec(load, 0, later), 4000);
	assert_int_equal(load_count(load, 0), 2);
}

/* Else the feed would take it for idle, and mail would queue behind it. */
static void
a_lane_that_is_overdue_is_not_empty(void **state)
{
	for (size_t slots = 1; slots < 5; slots++) {
		struct load *load = load_new(2, slots, LOAD_PRIOR);
		const struct mono late = {t0.usec + 60 * USEC_PER_SEC};

		load_place(load, "a", 0, LOAD_TEXT, 0);
		load_serving(load, 0, 1, t0);
		load_serving(load, 1, 1, t0); /* of what nobody placed */
		assert_int_equal(load_empty_usec(load, 0, late), 1);
		assert_int_equal(load_empty_usec(load, 1, late), 0);
		load_finished(load, "a", 0, 60 * USEC_PER_SEC);
		assert_int_equal(load_empty_usec(load, 0, late), 0);
		load_free(load);
	}
	(void)state;
}

static void
slots_share_the_work(void **state)
{
	struct load *load = load_new(1, 4, LOAD_PRIOR);

	(void)state;
	load_place(load, "a", 0, LOAD_TEXT, 0);
	load_place(load, "b", 0, LOAD_TEXT, 0);
	assert_int_equal(load_empty_usec(load, 0, t0), 1000);
	load_free(load);
}

static void
what_a_directory_no_longer_has_is_swept(void **state)
{
	struct load *load = *state;

	load_place(load, "a", 0, LOAD_TEXT, 0);
	load_place(load, "b", 0, LOAD_TEXT, 0);
	load_place(load, "x", 1, LOAD_TEXT, 0);
	load_mark(load, 0);
	assert_true(load_seen(load, "b", 0));
	assert_false(load_seen(load, "new", 0));
	assert_false(load_seen(load, "x", 0));
	load_place(load, "c", 0, LOAD_TEXT, 0); /* meanwhile */
	assert_int_equal(load_sweep(load, 0), 1);
	assert_int_equal(load_empty_usec(load, 0, t0), 4000);
	assert_int_equal(load_empty_usec(load, 1, t0), 2000);
	assert_false(load_left(load, "a"));
	assert_true(load_left(load, "c"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(content_types_have_a_kind),
	    T(without_a_sample_the_prior_speaks),
	    T(a_straight_line_is_learned),
	    T(kinds_are_learned_apart),
	    T(a_kind_without_samples_follows_the_others),
	    T(one_outlier_moves_little),
	    T(a_first_sample_that_is_an_outlier_is_overcome),
	    T(a_lasting_change_is_followed),
	    T(what_was_believed_first_is_forgotten),
	    T(a_flood_of_one_size_leaves_the_line_as_it_was),
	    T(absurd_samples_leave_a_sane_model),
	    T(waiting_messages_add_up_and_leave_nothing),
	    T(a_message_placed_again_counts_once),
	    T(those_in_service_count_with_what_is_left_of_them),
	    T(a_lane_that_is_overdue_is_not_empty),
	    T(slots_share_the_work),
	    T(what_a_directory_no_longer_has_is_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
