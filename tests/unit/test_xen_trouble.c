/*
 * All that the back end Xen does, from a kernel to a clone's end, with a
 * hypervisor that is none: whichever call fails, nothing is left behind.
 */
#include "tests/support/xen_site.h"

#include "tests/support/open_files.h"

#define MANY 1000 /* calls; the nth of which fails */

static int
whole_life(void)
{
	char why[512] = "";
	struct vmm *vmm;
	int r = vmm_xen.probe(&options, why, sizeof(why)), reaped;

	if (r < 0) {
		assert_string_not_equal("", why);
		return r;
	}
	reaped = vmm_xen.reap(&options);
	r = vmm_xen.open(&options, &vmm, why, sizeof(why));
	if (r == 0) {
		r = whole_life_in(vmm);
		vmm_xen.close(vmm);
	} else {
		assert_string_not_equal("", why);
	}
	let_go();
	return reaped < 0 ? reaped : r;
}

/* --- The same, in which the nth call fails. */

typedef int life_fn(void);
typedef void begin_fn(void);

/* Nothing may be left, however it ended, but a domain that Xen has refused to
 * end.  A failure that says nothing (error 0) is one, too. */
static void
fail_each(begin_fn *begin, life_fn *life, int error, unsigned int least)
{
	const size_t before = open_files();
	unsigned int n = 0, failed = 0;
	bool was_reached;

	do {
		int r;

		fake_xen_begin();
		begin();
		fake_xen_fail_nth(++n, error);
		r = life();
		was_reached = fake_xen_has_failed();
		failed += r < 0;
		assert_true(was_reached || r == 0);
		assert_int_equal(0, fake_xen_maps());
		assert_int_equal(0, fake_xen_opened());
		assert_in_range(
		    fake_xen_domains(), 0, fake_xen_failed_at_end());
		assert_int_equal(before, open_files());
	} while (was_reached && n < MANY);
	print_message("%u calls, %u of which are needed\n", n - 1, failed);
	assert_in_range(n, least, MANY - 1);
	assert_in_range(failed, least / 2, n);
}

static void
as_it_is(void)
{
}

static void
without_sharing(void)
{
	fake_xen_host.no_sharing = ENOSYS;
}

static void
a_life_ends_well_whichever_call_fails(void **test)
{
	(void)test;
	fail_each(as_it_is, whole_life, ENOMEM, 30);
	fail_each(as_it_is, whole_life, ESRCH, 30);
	fail_each(as_it_is, whole_life, 0, 30);
}

static void
so_does_one_that_is_restored_whole(void **test)
{
	(void)test;
	fail_each(without_sharing, whole_life, ENOMEM, 30);
}

static int
park_in_words(void)
{
	char err[512] = "";
	int r = park(PATIENCE_USEC, 1, err, sizeof(err));

	if (r < 0)
		assert_string_not_equal("", err);
	return r;
}

static void
a_reference_is_parked_or_nothing_is_left(void **test)
{
	(void)test;
	fail_each(as_it_is, park_in_words, ENOMEM, 60);
	fail_each(as_it_is, park_in_words, 0, 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(
		a_life_ends_well_whichever_call_fails, set_up),
	    cmocka_unit_test_setup(so_does_one_that_is_restored_whole, set_up),
	    cmocka_unit_test_setup(
		a_reference_is_parked_or_nothing_is_left, set_up),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
