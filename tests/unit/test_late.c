#include "feed/late.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SMALL 1000
#define LARGE 90000

static const struct feed_limits limits = {2, {5000, UINT64_MAX}};
static const struct feed_limits wide = {2, {100000, UINT64_MAX}};

static int
setup(void **state)
{
	*state = late_new(&limits, 10);
	return 0;
}

static int
teardown(void **state)
{
	late_free(*state);
	return 0;
}

static void
add(struct late *late, const char *id, uint64_t bytes, uint64_t arrived_usec,
    uint64_t service_usec)
{
	struct late_message message = {.bytes = bytes,
	    .arrived_usec = arrived_usec,
	    .service_usec = service_usec};

	(void)snprintf(message.id, sizeof(message.id), "%s", id);
	late_add(late, &message);
}

static void
assert_takes(struct late *late, size_t class, const char *id)
{
	struct late_message message;

	assert_true(late_take(late, class, &message));
	assert_string_equal(message.id, id);
}

static void
each_class_gives_what_is_due_first(void **state)
{
	struct late *late = *state;
	struct late_message message;
	uint64_t due_usec[2];

	add(late, "long", SMALL, 100, 50); /* due at 600 */
	add(late, "large", LARGE, 100, 1);
	add(late, "short", SMALL, 200, 30); /* due at 500 */
	add(late, "later", SMALL, 650, 0);
	late_heads(late, due_usec);
	assert_int_equal(due_usec[0], 500);
	assert_int_equal(due_usec[1], 110);
	assert_takes(late, 0, "short");
	assert_takes(late, 0, "long");
	assert_takes(late, 0, "later");
	assert_false(late_take(late, 0, &message));
	late_heads(late, due_usec);
	assert_true(due_usec[0] == UINT64_MAX);
	assert_takes(late, 1, "large");
	assert_int_equal(late_count(late), 0);
}

static void
of_equals_the_first_is_the_first(void **state)
{
	struct late *late = *state;
	char id[8];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "m%d", i);
		add(late, id, SMALL, 7, 7);
	}
	for (int i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "m%d", i);
		assert_takes(late, 0, id);
	}
}

static void
new_limits_and_patience_sort_anew(void **state)
{
	struct late *late = *state;

	add(late, "a", LARGE, 0, 100);
	add(late, "b", SMALL, 900, 1);
	add(late, "c", SMALL, 950, 0);
	assert_int_equal(late_work_usec(late), 101);
	late_sort(late, &wide, 0); /* one class, first come, first served */
	assert_int_equal(late_count(late), 3);
	assert_takes(late, 0, "a");
	late_sort(late, &limits, 100); /* b is due at 1000 */
	assert_takes(late, 0, "c");
	assert_takes(late, 0, "b");
	assert_int_equal(late_work_usec(late), 0);
}

static void
nothing_is_left_of_what_was_cleared(void **state)
{
	struct late *late = *state;
	struct late_message message;

	add(late, "a", SMALL, 1, 1);
	add(late, "b", LARGE, 1, 1);
	late_clear(late);
	assert_int_equal(late_count(late), 0);
	assert_int_equal(late_work_usec(late), 0);
	assert_false(late_take(late, 0, &message));
	assert_false(late_take(late, 1, &message));
	add(late, "c", SMALL, 1, 1);
	assert_takes(late, 0, "c");
}

/* A table of what is in, searched whole: the simple model of a heap. */
#define MODEL 500

struct model {
	uint64_t due_usec[MODEL];
	bool is_in[MODEL];
};

static void
model_take(struct model *model, struct late *late)
{
	struct late_message message;
	int best = -1, got;

	for (int i = 0; i < MODEL; i++)
		if (model->is_in[i] &&
		    (best < 0 || model->due_usec[i] < model->due_usec[best]))
			best = i;
	assert_int_equal(late_take(late, 0, &message), best >= 0);
	if (best < 0)
		return;
	got = atoi(message.id + 1);
	assert_true(model->is_in[got]);
	assert_int_equal(model->due_usec[got], model->due_usec[best]);
	model->is_in[got] = false;
}

static void
it_agrees_with_a_search(void **state)
{
	struct late *late = *state;
	struct model model = {0};
	unsigned int seed = 5;
	char id[16];

	for (int i = 0; i < MODEL; i++) {
		uint64_t arrived = (uint64_t)rand_r(&seed) % 1000;
		uint64_t service = (uint64_t)rand_r(&seed) % 100;

		(void)snprintf(id, sizeof(id), "m%d", i);
		add(late, id, SMALL, arrived, service);
		model.due_usec[i] = arrived + 10 * service;
		model.is_in[i] = true;
		if (rand_r(&seed) % 3 == 0)
			model_take(&model, late);
	}
	while (late_count(late) > 0)
		model_take(&model, late);
	model_take(&model, late);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(each_class_gives_what_is_due_first),
	    T(of_equals_the_first_is_the_first),
	    T(new_limits_and_patience_sort_anew),
	    T(nothing_is_left_of_what_was_cleared),
	    T(it_agrees_with_a_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
