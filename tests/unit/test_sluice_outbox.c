/*
 * When `sluice wake` orders a queue run: against a real directory, with what
 * movers and sendmail do to a qf done by hand.
 */
#include "tools/sluice/outbox.h"

#include "common/clock.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after those that it needs */
#include <cmocka.h>

struct place {
	char *top, *out;
	struct outbox *outbox;
	struct mono now;
};

static struct place
place_new(void)
{
	struct place p = {.top = tmp_new()};

	p.out = xasprintf("%s/out", p.top);
	assert_int_equal(mkdir(p.out, 0700), 0);
	p.now = mono_now();
	return p;
}

static void
place_watch(struct place *p)
{
	assert_int_equal(outbox_open(p->out, &p->outbox), 0);
}

static void
place_done(struct place *p)
{
	(void)outbox_close(p->outbox);
	tmp_remove(p->top);
	free(p->out);
}

/* usec later: take in what happened meanwhile, then let time pass. */
static void
pass(struct place *p, uint64_t usec)
{
	p->now.usec += usec;
	assert_int_equal(outbox_read(p->outbox, p->now), 0);
	outbox_tick(p->outbox, p->now);
}

static int
open_in(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	free(path);
	return fd;
}

static void
rename_in(
    const char *from_dir, const char *from, const char *to_dir, const char *to)
{
	char *a = xasprintf("%s/%s", from_dir, from);
	char *b = xasprintf("%s/%s", to_dir, to);

	assert_int_equal(rename(a, b), 0);
	free(a);
	free(b);
}

static void
unlink_in(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

/* What deliver does: rename a qf that it holds open, then let go. */
static void
move_in(struct place *p, const char *name)
{
	int fd = open_in(p->top, name);

	rename_in(p->top, name, p->out, name);
	(void)close(fd);
}

/* What a queue run does to a message that it doesn't deliver. */
static void
look_at(struct place *p, const char *name)
{
	(void)close(open_in(p->out, name));
}

static void
a_message_is_fresh_when_its_mover_lets_go_not_before(void **state)
{
	struct place p = place_new();
	int fd;

	(void)state;
	place_watch(&p);
	fd = open_in(p.top, "qfAA00000001");
	rename_in(p.top, "qfAA00000001", p.out, "qfAA00000001");
	pass(&p, 1000);
	assert_int_equal(outbox_fresh(p.outbox), 0);
	(void)close(fd);
	pass(&p, 1000);
	assert_int_equal(outbox_fresh(p.outbox), 1);
	place_done(&p);
}

static void
what_lay_there_at_the_start_is_fresh(void **state)
{
	struct place p = place_new();

	(void)state;
	move_in(&p, "qfAA00000001");
	move_in(&p, "dfAA00000001");
	move_in(&p, "tfAA00000002");
	place_watch(&p);
	assert_int_equal(outbox_fresh(p.outbox), 1);
	place_done(&p);
}

static void
only_control_files_count(void **state)
{
	struct place p = place_new();

	(void)state;
	place_watch(&p);
	move_in(&p, "dfAA00000001");
	move_in(&p, "xfAA00000001");
	move_in(&p, "qf");
	move_in(&p, "qf.tmp");
	pass(&p, USEC_PER_SEC);
	assert_int_equal(outbox_fresh(p.outbox), 0);
	place_done(&p);
}

static void
a_delivered_message_is_forgotten(void **state)
{
	struct place p = place_new();

	(void)state;
	place_watch(&p);
	move_in(&p, "qfAA00000001");
	pass(&p, 1000);
	outbox_ordered(p.outbox, p.now);
	assert_int_equal(outbox_outstanding(p.outbox), 1);
	unlink_in(p.out, "qfAA00000001");
	pass(&p, 3600 * USEC_PER_SEC);
	assert_int_equal(outbox_fresh(p.outbox), 0);
	assert_int_equal(outbox_outstanding(p.outbox), 0);
	place_done(&p);
}

/* Else each failed delivery would order the next one at once, for ever. */
static void
a_message_that_sendmail_deferred_orders_nothing(void **state)
{
	struct place p = place_new();

	(void)state;
	place_watch(&p);
	move_in(&p, "qfAA00000001");
	pass(&p, 1000);
	outbox_ordered(p.outbox, p.now);
	look_at(&p, "tfAA00000001");
	rename_in(p.out, "tfAA00000001", p.out, "qfAA00000001");
	look_at(&p, "qfAA00000001");
	for (int i = 0; i < 100; i++) {
		pass(&p, 10 * USEC_PER_SEC);
		look_at(&p, "qfAA00000001");
		assert_int_equal(outbox_fresh(p.outbox), 0);
	}
	assert_int_equal(outbox_deferred(p.outbox), 1);
	place_done(&p);
}

/* The run came while the mover held the lock: sendmail skipped it. */
static void
a_message_that_was_looked_at_too_early_is_fresh_again(void **state)
{
	struct place p = place_new();

	(void)state;
	place_watch(&p);
	move_in(&p, "qfAA00000001");
	pass(&p, 1000);
	outbox_ordered(p.outbox, p.now);
	look_at(&p, "qfAA00000001");
	pass(&p, 1000);
	assert_int_equal(outbox_fresh(p.outbox), 1);
	place_done(&p);
}

static void
a_message_that_keeps_being_skipped_is_ordered_ever_more_rarely(void **state)
{
	struct place p = place_new();
	unsigned int orders = 0;

	(void)state;
	place_watch(&p);
	move_in(&p, "qfAA00000001");
	for (int i = 0; i < 1000; i++) { /* 100 s */
		pass(&p, 100 * USEC_PER_MSEC);
		if (outbox_fresh(p.outbox) == 0)
			continue;
		orders++;
		outbox_ordered(p.outbox, p.now);
		look_at(&p, "qfAA00000001");
	}
	assert_in_range(orders, 5, 12);
	place_done(&p);
}

static void
an_order_that_nobody_obeys_is_given_again(void **state)
{
	struct place p = place_new();

	(void)state;
	place_watch(&p);
	move_in(&p, "qfAA00000001");
	pass(&p, 1000);
	outbox_ordered(p.outbox, p.now);
	pass(&p, 4 * USEC_PER_SEC);
	assert_int_equal(outbox_fresh(p.outbox), 0);
	pass(&p, 2 * USEC_PER_SEC);
	assert_int_equal(outbox_fresh(p.outbox), 1);
	place_done(&p);
}

static void
an_order_that_was_refused_makes_all_fresh_again(void **state)
{
	struct place p = place_new();

	(void)state;
	place_watch(&p);
	move_in(&p, "qfAA00000001");
	move_in(&p, "qfAA00000002");
	pass(&p, 1000);
	outbox_ordered(p.outbox, p.now);
	outbox_refused(p.outbox);
	assert_int_equal(outbox_fresh(p.outbox), 2);
	place_done(&p);
}

/* Somebody puts a message there by hand, with mv: nobody holds it open. */
static void
a_message_that_nobody_closes_is_fresh_after_a_moment(void **state)
{
	struct place p = place_new();

	(void)state;
	(void)close(open_in(p.top, "qfAA00000001"));
	place_watch(&p);
	rename_in(p.top, "qfAA00000001", p.out, "qfAA00000001");
	pass(&p, 1000);
	assert_int_equal(outbox_fresh(p.outbox), 0);
	pass(&p, 300 * USEC_PER_MSEC);
	assert_int_equal(outbox_fresh(p.outbox), 1);
	place_done(&p);
}

static void
a_directory_that_goes_is_noticed(void **state)
{
	struct place p = place_new();

	(void)state;
	place_watch(&p);
	assert_int_equal(rmdir(p.out), 0);
	assert_int_equal(outbox_read(p.outbox, p.now), -ENOENT);
	place_done(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_message_is_fresh_when_its_mover_lets_go_not_before),
	    cmocka_unit_test(what_lay_there_at_the_start_is_fresh),
	    cmocka_unit_test(only_control_files_count),
	    cmocka_unit_test(a_delivered_message_is_forgotten),
	    cmocka_unit_test(a_message_that_sendmail_deferred_orders_nothing),
	    cmocka_unit_test(
		a_message_that_was_looked_at_too_early_is_fresh_again),
	    cmocka_unit_test(
		a_message_that_keeps_being_skipped_is_ordered_ever_more_rarely),
	    cmocka_unit_test(an_order_that_nobody_obeys_is_given_again),
	    cmocka_unit_test(an_order_that_was_refused_makes_all_fresh_again),
	    cmocka_unit_test(
		a_message_that_nobody_closes_is_fresh_after_a_moment),
	    cmocka_unit_test(a_directory_that_goes_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
