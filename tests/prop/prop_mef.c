/*
 * tests/prop/prop_mef.c - models are sums: whatever the order and grouping of
 * additions and removals, the file is the same octets.
 */
#include "worker/mef/model.h"

#include "tests/support/prop_draw.h"

#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define RUNS      4
#define DOCUMENTS 12
#define LOG_CELLS 10 /* small, so that cells collide */

struct made {
	struct mef_bag *bag;
	struct digest digest;
	enum mef_class class;
};

static struct made
gen_document(void)
{
	struct made d = {.bag = mef_bag_new()};
	const uint64_t name = draw(UINT64_MAX);

	for (int f = 0; f < MEF_FAMILIES; f++)
		for (uint64_t i = draw(4) ? draw(400) : 0; i > 0; i--) {
			/* Half from a small set that documents share. */
			const uint64_t n = draw(draw(2) ? 300 : UINT64_MAX);

			mef_bag_add(
			    d.bag, (enum mef_family)f, mef_hash(&n, sizeof(n)));
		}
	mef_bag_finish(d.bag);
	d.digest = digest_memory(&name, sizeof(name));
	d.class = draw(2) ? MEF_MALICIOUS : MEF_BENIGN;
	return d;
}

static void
add(struct mef_model *model, const struct made *d)
{
	assert_int_equal(mef_model_add(model, d->bag, &d->digest, d->class), 0);
}

/* The whole file, which is how models are compared. */
static char *
octets_of(struct mef_model *model, size_t *ret_n)
{
	char path[] = "/tmp/prop_mef.XXXXXX", *octets;
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(mef_model_save(model, path), 0);
	assert_int_equal(
	    read_file(AT_FDCWD, path, (size_t)1 << 30, &octets, ret_n), 0);
	assert_int_equal(unlink(path), 0);
	return octets;
}

static void
assert_same(struct mef_model *a, struct mef_model *b)
{
	size_t n, m;
	char *x = octets_of(a, &n), *y = octets_of(b, &m);

	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
}

static void
shuffle(struct made *all, size_t n)
{
	while (n > 1) {
		const size_t k = draw(n--);
		const struct made swap = all[k];

		all[k] = all[n];
		all[n] = swap;
	}
}

/* Some of the rest are learned on the way and forgotten again. */
static void
add_in_another_order(struct mef_model *model, struct made *all, size_t n,
    const struct made *extra, size_t n_extra)
{
	for (size_t i = 0; i < n_extra; i++)
		add(model, &extra[i]);
	shuffle(all, n);
	for (size_t i = 0; i < n; i++) {
		add(model, &all[i]);
		if (i < n_extra)
			assert_int_equal(mef_model_remove(model, extra[i].bag,
					     &extra[i].digest, extra[i].class),
			    0);
	}
}

/* Parts that are merged, and one that is merged and taken away. */
static struct mef_model *
merge_in_parts(struct made *all, size_t n, enum mef_set set,
    const struct made *extra, size_t n_extra)
{
	struct mef_model *sum = mef_model_new(set, LOG_CELLS);
	struct mef_model *other = mef_model_new(set, LOG_CELLS);

	for (size_t i = 0; i < n_extra; i++)
		add(other, &extra[i]);
	assert_int_equal(mef_model_merge(sum, other), 0);
	shuffle(all, n);
	for (size_t i = 0; i < n;) {
		struct mef_model *part = mef_model_new(set, LOG_CELLS);

		for (size_t k = 1 + draw(8); k > 0 && i < n; k--)
			add(part, &all[i++]);
		assert_int_equal(mef_model_merge(sum, part), 0);
		(void)mef_model_free(part);
	}
	assert_int_equal(mef_model_subtract(sum, other), 0);
	(void)mef_model_free(other);
	return sum;
}

static void
prop_order_and_grouping_do_not_show(void **state)
{
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		const enum mef_set set = run % 4 ? MEF_SET_FULL : MEF_SET_2001;
		struct mef_model *batch = mef_model_new(set, LOG_CELLS);
		struct mef_model *moved = mef_model_new(set, LOG_CELLS);
		struct mef_model *parts;
		const size_t n_extra = draw(6), n = n_extra + draw(DOCUMENTS);
		struct made all[DOCUMENTS + 12];

		for (size_t i = 0; i < n + n_extra; i++)
			all[i] = gen_document();
		for (size_t i = 0; i < n; i++)
			add(batch, &all[i]);
		add_in_another_order(moved, all, n, all + n, n_extra);
		assert_same(batch, moved);
		parts = merge_in_parts(all, n, set, all + n, n_extra);
		assert_same(batch, parts);
		for (size_t i = 0; i < n + n_extra; i++)
			(void)mef_bag_free(all[i].bag);
		(void)mef_model_free(batch);
		(void)mef_model_free(moved);
		(void)mef_model_free(parts);
	}
}

static void
prop_what_can_not_be_removed_changes_nothing(void **state)
{
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		struct made a = gen_document(), b = gen_document();
		struct mef_model *one = mef_model_new(MEF_SET_FULL, LOG_CELLS);
		struct mef_model *two = mef_model_new(MEF_SET_FULL, LOG_CELLS);

		add(one, &a);
		add(two, &a);
		assert_int_equal(
		    mef_model_remove(one, b.bag, &b.digest, b.class), -ENOENT);
		assert_int_equal(mef_model_remove(one, a.bag, &a.digest,
				     (enum mef_class) !a.class),
		    -ENOENT);
		/* The digest is known, the features are another's. */
		mef_bag_add(b.bag, MEF_LINES, 1);
		for (uint64_t i = 0; i < 3000; i++)
			mef_bag_add(b.bag, MEF_WORDS, mef_hash(&i, sizeof(i)));
		mef_bag_finish(b.bag);
		assert_int_equal(
		    mef_model_remove(one, b.bag, &a.digest, a.class), -EINVAL);
		add(two, &b);
		assert_int_equal(mef_model_subtract(one, two), -EINVAL);
		assert_int_equal(
		    mef_model_remove(two, b.bag, &b.digest, b.class), 0);
		assert_same(one, two);
		(void)mef_bag_free(a.bag);
		(void)mef_bag_free(b.bag);
		(void)mef_model_free(one);
		(void)mef_model_free(two);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prop_order_and_grouping_do_not_show),
	    cmocka_unit_test(prop_what_can_not_be_removed_changes_nothing),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
