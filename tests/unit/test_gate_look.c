/*
 * What the gate makes of the feed's board and the workers' counters, in a
 * runtime directory made by hand and at times that are given.
 */
#include "tools/sluice/gate_look.h"

#include "common/io.h"
#include "common/metrics.h"
#include "feed/board.h"
#include "feed/sort.h"
#include "tests/support/tmpspool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
/* after those that it needs */
#include <cmocka.h>

struct place {
	char *top;
	int fd;
	struct board board;
	struct board_map *map;
	struct metrics *worker;
	struct gate_eyes *eyes;
	struct gate_sight sight;
};

/* One lane for up to 1000 octets, one for all; 10 messages of 2 s in each. */
static struct place *
place_new(void)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char *dir;

	p->top = tmp_new();
	dir = xasprintf("%s/feed", p->top);
	assert_int_equal(mkdir(dir, 0700), 0);
	free(dir);
	p->fd = open(p->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->eyes = gate_eyes_new(p->top, p->fd, (struct mono){0});
	p->board.lanes = 2;
	p->board.updated_usec = 1;
	for (size_t i = 0; i < p->board.lanes; i++)
		p->board.lane[i] = (struct board_lane){
		    .max_bytes = i == 0 ? 1000 : UINT64_MAX,
		    .messages = 10,
		    .empty_usec = 20 * USEC_PER_SEC,
		};
	return p;
}

static void
place_done(struct place *p)
{
	(void)board_close(p->map);
	(void)metrics_close(p->worker);
	(void)gate_eyes_free(p->eyes);
	(void)close(p->fd);
	tmp_remove(p->top);
	free(p);
}

/* The feed publishes, and the gate looks at that second. */
static void
at(struct place *p, uint64_t second)
{
	struct mono now = {second * USEC_PER_SEC};

	if (!p->map)
		assert_int_equal(board_create(p->top, &p->map), 0);
	p->board.updated_usec++;
	board_write(p->map, &p->board);
	gate_look(p->eyes, now, &p->sight);
}

static uint64_t
wait_sec(const struct place *p, size_t lane)
{
	return p->sight.lane[lane].wait_usec / USEC_PER_SEC;
}

static void
what_waits_in_a_lane_is_its_wait(void **state)
{
	struct place *p = place_new();

	(void)state;
	p->board.lane[0].empty_usec = 5 * USEC_PER_SEC;
	at(p, 1);
	assert_int_equal(p->sight.lanes, 2);
	assert_int_equal(p->sight.lane[0].max_bytes, 1000);
	assert_int_equal(wait_sec(p, 0), 5);
	assert_int_equal(wait_sec(p, 1), 20);
	assert_in_range(p->sight.used_percent, 1, 100);
	place_done(p);
}

/* 20 messages of 2 s wait in two lanes, and 30 more before them. */
static void
what_waits_before_the_lanes_counts_by_the_mean(void **state)
{
	struct place *p = place_new();

	(void)state;
	p->board.ready = 20;
	p->board.held = 10;
	at(p, 1);
	assert_int_equal(wait_sec(p, 0), 50);
	assert_int_equal(wait_sec(p, 1), 50);
	p->board.queued = 20; /* then the sums are of 40, 1 s each */
	at(p, 2);
	assert_int_equal(wait_sec(p, 1), 35);
	place_done(p);
}

static void
a_silent_feed_counts_with_its_silence(void **state)
{
	struct place *p = place_new();

	(void)state;
	at(p, 100);
	assert_int_equal(wait_sec(p, 1), 20 + 100); /* nothing left so long */
	p->board.lane[0].messages = p->board.lane[1].messages = 0;
	p->board.lane[0].empty_usec = p->board.lane[1].empty_usec = 0;
	at(p, 101);
	assert_int_equal(wait_sec(p, 1), 0);
	gate_look(p->eyes, (struct mono){161 * USEC_PER_SEC}, &p->sight);
	assert_int_equal(wait_sec(p, 1), 60);
	at(p, 162);
	assert_int_equal(wait_sec(p, 1), 0);
	place_done(p);
}

static void
without_a_board_the_silence_began_with_the_gate(void **state)
{
	struct place *p = place_new();

	(void)state;
	gate_look(p->eyes, (struct mono){USEC_PER_SEC}, &p->sight);
	assert_int_equal(p->sight.lanes, 1);
	assert_int_equal(p->sight.lane[0].max_bytes, UINT64_MAX);
	assert_int_equal(wait_sec(p, 0), 0);
	gate_look(p->eyes, (struct mono){70 * USEC_PER_SEC}, &p->sight);
	assert_int_equal(wait_sec(p, 0), 70);
	place_done(p);
}

static void
a_worker_that_moves_nothing_counts_with_its_idleness(void **state)
{
	struct place *p = place_new();

	(void)state;
	assert_int_equal(metrics_open(p->top, "worker-2", &p->worker), 0);
	metrics_add(p->worker, METRIC_deliver_virus, 1);
	at(p, 10);
	assert_int_equal(wait_sec(p, 1), 20);
	at(p, 70);
	assert_int_equal(wait_sec(p, 1), 20 + 60);
	metrics_add(p->worker, METRIC_deliver_out, 1);
	at(p, 71);
	assert_int_equal(wait_sec(p, 1), 20);
	place_done(p);
}

static void
an_engine_that_is_away_counts_though_some_mail_passes(void **state)
{
	struct place *p = place_new();

	(void)state;
	assert_int_equal(metrics_open(p->top, "worker-1", &p->worker), 0);
	metrics_set(p->worker, METRIC_deliver_outage, 300);
	metrics_add(p->worker, METRIC_deliver_ext, 1);
	at(p, 1);
	assert_int_equal(wait_sec(p, 0), 20 + 300);
	assert_int_equal(wait_sec(p, 1), 20);
	metrics_set(p->worker, METRIC_deliver_outage, 0);
	at(p, 2);
	assert_int_equal(wait_sec(p, 0), 20);
	place_done(p);
}

/* Its last message gone to error/, it learns nothing of the engine any more:
 * somebody has to be let in, or it stays so for ever. */
static void
an_engine_that_nobody_waits_for_counts_nothing(void **state)
{
	struct place *p = place_new();

	(void)state;
	assert_int_equal(metrics_open(p->top, "worker-1", &p->worker), 0);
	metrics_set(p->worker, METRIC_deliver_outage, 4 * 3600);
	p->board.lane[0].messages = 0;
	p->board.lane[0].empty_usec = 0;
	at(p, 1);
	assert_int_equal(wait_sec(p, 0), 0);
	p->board.lane[0].messages = 1;
	at(p, 2);
	assert_int_equal(wait_sec(p, 0), 4 * 3600);
	place_done(p);
}

/* Until it has counted what lies there, what was known before is the best. */
static void
a_feed_that_starts_anew_is_no_empty_one(void **state)
{
	struct place *p = place_new();

	(void)state;
	at(p, 1);
	assert_int_equal(wait_sec(p, 1), 20);
	p->map = board_close(p->map);
	assert_int_equal(board_create(p->top, &p->map), 0);
	gate_look(p->eyes, (struct mono){2 * USEC_PER_SEC}, &p->sight);
	assert_int_equal(p->sight.lanes, 2);
	assert_int_equal(wait_sec(p, 1), 20);
	gate_look(p->eyes, (struct mono){61 * USEC_PER_SEC}, &p->sight);
	assert_in_range(wait_sec(p, 1), 20 + 60, 20 + 60 + 61);
	place_done(p);
}

/* FEED_SMALL_FIRST gives a worker that is down nothing, so its lane is empty.
 */
static void
what_waits_for_any_worker_waits_for_an_idle_one(void **state)
{
	struct place *p = place_new();

	(void)state;
	for (size_t i = 0; i < p->board.lanes; i++)
		p->board.lane[i].messages = p->board.lane[i].empty_usec = 0;
	at(p, 10);
	assert_int_equal(wait_sec(p, 1), 0);
	p->board.policy = FEED_SMALL_FIRST;
	p->board.queued = 5;
	at(p, 11);
	assert_int_equal(wait_sec(p, 1), 0);
	at(p, 70);
	assert_int_equal(wait_sec(p, 1), 60);
	place_done(p);
}

/* Who looks at the load alone gives every lane every size. */
static void
limits_that_bind_no_lane_bind_no_mail(void **state)
{
	static const enum feed_policy policies[] = {
	    FEED_LEAST_WORK, FEED_SMALL_FIRST};
	struct place *p = place_new();

	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		p->board.policy = policies[i];
		at(p, 1 + i);
		assert_true(p->sight.lane[0].max_bytes == UINT64_MAX);
	}
	p->board.policy = FEED_STEAL;
	at(p, 9);
	assert_int_equal(p->sight.lane[0].max_bytes, 1000);
	place_done(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_waits_in_a_lane_is_its_wait),
	    cmocka_unit_test(what_waits_before_the_lanes_counts_by_the_mean),
	    cmocka_unit_test(a_silent_feed_counts_with_its_silence),
	    cmocka_unit_test(without_a_board_the_silence_began_with_the_gate),
	    cmocka_unit_test(
		a_worker_that_moves_nothing_counts_with_its_idleness),
	    cmocka_unit_test(
		an_engine_that_is_away_counts_though_some_mail_passes),
	    cmocka_unit_test(an_engine_that_nobody_waits_for_counts_nothing),
	    cmocka_unit_test(a_feed_that_starts_anew_is_no_empty_one),
	    cmocka_unit_test(what_waits_for_any_worker_waits_for_an_idle_one),
	    cmocka_unit_test(limits_that_bind_no_lane_bind_no_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
