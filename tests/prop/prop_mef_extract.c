/*
 * tests/prop/prop_mef_extract.c - what is read quickly is what a plain reader
 * reads, and what is sorted and summed in lots is what it would be singly.
 */
#include "worker/mef/extract_priv.h"
#include "worker/mef/moments.h"

#include "tests/support/mef_plain.h"
#include "tests/support/prop_draw.h"

#include "common/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define RUNS 20000

static void
assert_same(const struct mef_bag *bag, const struct plain *plain)
{
	for (int f = 0; f < MEF_FAMILIES; f++) {
		assert_int_equal(bag->family[f].n, plain->n[f]);
		if (plain->n[f] > 0)
			assert_memory_equal(bag->family[f].at, plain->at[f],
			    plain->n[f] * sizeof(uint64_t));
	}
}

static void
compare(const unsigned char *octets, size_t n)
{
	struct mef_bag *bag = mef_bag_new();
	struct plain plain = {{NULL}, {0}};

	bytes_read(bag, (struct octets){octets, n});
	strings_read(bag, (struct octets){octets, n});
	mef_bag_finish(bag);
	plain_bytes(&plain, octets, n);
	plain_strings(&plain, octets, n);
	plain_finish(&plain);
	assert_same(bag, &plain);
	(void)mef_bag_free(bag);
	plain_done(&plain);
}

static uint64_t
gen_octet(unsigned int kind)
{
	static const unsigned char edges[] =
	    "\x1f !/09:@AZ[`az{~\x7f\t\x80\xff";

	switch (kind) {
	case 0:
		return 0;
	case 1:
		return 'a' + draw(26);
	case 2:
		return 'A' + draw(26);
	case 3:
		return (draw(4) ? 'a' : 'A') + draw(26);
	case 4:
		return ' ' + draw(95);
	case 5:
		return '0' + draw(10);
	case 6:
		return edges[draw(sizeof(edges) - 1)];
	default:
		return draw(256);
	}
}

/* Stretches of text, of UTF-16, of zeroes and of anything, any length. */
static size_t
gen_stretch(unsigned char *to, size_t room)
{
	const unsigned int kind = (unsigned int)draw(8);
	const bool is_wide = draw(4) == 0;
	const size_t n = draw(draw(6) ? 12 : 200);
	size_t at = 0;

	for (size_t i = 0; i < n && at < room; i++) {
		to[at++] = (unsigned char)gen_octet(kind);
		if (is_wide && at < room)
			to[at++] = (unsigned char)(draw(40) == 0);
	}
	return at;
}

/* In memory of just their length, so that a sanitizer sees what is beyond. */
static unsigned char *
gen_octets(size_t *ret_n)
{
	const size_t n = draw(draw(8) ? 300 : 5000);
	unsigned char *octets = xcalloc(1, n + 1);
	size_t at = 0;

	octets = realloc(octets, n ? n : 1);
	while (at < n)
		at += gen_stretch(octets + at, n - at);
	*ret_n = n;
	return octets;
}

static void
prop_windows_strings_and_words_are_those_of_a_plain_reader(void **state)
{
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		size_t n;
		unsigned char *octets = gen_octets(&n);

		compare(octets, n);
		free(octets);
	}
}

static void
programs_of_this_machine_are_read_as_a_plain_reader_does(void **state)
{
	static const char *const paths[] = {
	    "/proc/self/exe", "/bin/sh", "/usr/bin/gcc", "/usr/bin/python3"};
	char *octets;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (read_file(AT_FDCWD, paths[i], 256u << 20, &octets, &n) < 0)
			continue;
		compare((unsigned char *)octets, n);
		free(octets);
	}
}

static void
prop_a_line_of_a_list_is_a_string(void **state)
{
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		size_t n;
		unsigned char *octets = gen_octets(&n);
		struct mef_bag *bag = mef_bag_new();
		struct plain plain = {{NULL}, {0}};

		strings_one(bag, (char *)octets, n);
		mef_bag_finish(bag);
		plain_string(&plain, (char *)octets, n);
		plain_finish(&plain);
		assert_same(bag, &plain);
		(void)mef_bag_free(bag);
		plain_done(&plain);
		free(octets);
	}
}

/* Spread evenly, few, alike at the beginning, alike at the end, in order. */
static uint64_t
gen_hash(unsigned int kind, uint64_t i)
{
	switch (kind) {
	case 0:
		return draw(UINT64_MAX);
	case 1:
		return draw(UINT64_MAX) % 50 * UINT64_C(0x9e3779b97f4a7c15);
	case 2:
		return draw(1u << 20);
	case 3:
		return draw(UINT64_MAX) << 40;
	case 4:
		return draw(4) ? UINT64_C(7) << 60 | draw(UINT64_MAX) >> 16
			       : draw(UINT64_MAX);
	default:
		return i;
	}
}

static void
prop_a_finished_bag_is_in_order_and_has_everything_once(void **state)
{
	(void)state;
	for (int run = 0; run < 300; run++) {
		struct mef_bag *bag = mef_bag_new();
		struct plain plain = {{NULL}, {0}};
		const unsigned int kind = (unsigned int)draw(6);
		const uint64_t n = draw(draw(4) ? 300 : 30000);

		for (uint64_t i = 0; i < n; i++) {
			const uint64_t hash = gen_hash(kind, i);

			mef_bag_add(bag, MEF_SCRIPT, hash);
			plain_add(&plain, MEF_SCRIPT, hash);
		}
		mef_bag_finish(bag);
		plain_finish(&plain);
		assert_same(bag, &plain);
		(void)mef_bag_free(bag);
		plain_done(&plain);
	}
}

/* Some places empty, as where a family is missing; some beyond a lot. */
static void
gen_vector(int32_t x[MOMENT_DIMS])
{
	const uint64_t share = draw(3), most = draw(50) ? 4095 : 100000;

	for (unsigned int i = 0; i < MOMENT_DIMS; i++)
		x[i] = draw(3) < share
			   ? (int32_t)draw(2 * most) - (int32_t)most + 1
			   : 0;
}

static void
add_plainly(int64_t *sums, const int32_t x[MOMENT_DIMS], int sign)
{
	for (unsigned int i = 0; i < MOMENT_DIMS; i++)
		for (unsigned int k = 0; k <= i; k++)
			*sums++ += (int64_t)sign * x[i] * x[k];
}

static void
prop_a_lot_of_vectors_adds_what_each_would(void **state)
{
	struct moments_lot *lot = xcalloc(1, sizeof(*lot));
	int64_t *plain = xcalloc(MOMENT_SUMS, sizeof(*plain));
	struct moments sums = {xcalloc(MOMENT_SUMS, sizeof(*plain))};
	struct moments one = {xcalloc(MOMENT_SUMS, sizeof(*plain))};

	(void)state;
	for (int run = 0; run < 4; run++) {
		const int sign = draw(3) ? 1 : -1;

		for (size_t n = run ? MOMENT_LOT : draw(8); n > 0; n--) {
			int32_t x[MOMENT_DIMS];

			gen_vector(x);
			add_plainly(plain, x, sign);
			moments_count(one, x, sign);
			if (!moments_put(lot, x, sign))
				moments_count(sums, x, sign);
		}
		moments_count_lot(sums, lot);
		assert_memory_equal(plain, one.sums, MOMENT_SUMS * 8);
		assert_memory_equal(plain, sums.sums, MOMENT_SUMS * 8);
	}
	free(lot);
	free(plain);
	free(sums.sums);
	free(one.sums);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		prop_windows_strings_and_words_are_those_of_a_plain_reader),
	    cmocka_unit_test(
		programs_of_this_machine_are_read_as_a_plain_reader_does),
	    cmocka_unit_test(prop_a_line_of_a_list_is_a_string),
	    cmocka_unit_test(
		prop_a_finished_bag_is_in_order_and_has_everything_once),
	    cmocka_unit_test(prop_a_lot_of_vectors_adds_what_each_would),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
