/*
 * tests/unit/test_sluice_health.c - what `sluice status` says of messages that
 * wait for clones.
 */
#include "tools/sluice/health.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
/* after those that it needs */
#include <cmocka.h>

struct place {
	char *path;
	struct spool *spool;
	struct conf *conf;
	struct metrics *metrics; /* of worker 1, which is this process */
};

static int
setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char err[200];

	assert_int_equal(prctl(PR_SET_NAME, "sluice-test"), 0);
	p->path = tmpspool_make();
	p->spool = tmpspool_open(p->path);
	assert_int_equal(conf_load(NULL, &p->conf, err, sizeof(err)), 0);
	free(p->conf->site.spool);
	free(p->conf->site.runtime);
	p->conf->site.spool = xstrdup(p->path);
	p->conf->site.runtime = xasprintf("%s/run", p->path);
	assert_int_equal(mkdir(p->conf->site.runtime, 0700), 0);
	assert_int_equal(
	    metrics_open(p->conf->site.runtime, "worker-1", &p->metrics), 0);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	(void)metrics_close(p->metrics);
	(void)conf_free(p->conf);
	(void)spool_free(p->spool);
	tmp_remove(p->path);
	free(p);
	return 0;
}

static void
put_old(struct place *p, enum spool_dir dir, const char *id, uint64_t age_usec)
{
	const time_t then =
	    (time_t)((wall_now().usec - age_usec) / USEC_PER_SEC);
	const struct timespec times[2] = {{then, 0}, {then, 0}};
	char qf[32];

	tmpspool_put(p->spool, dir, id);
	(void)snprintf(qf, sizeof(qf), "qf%s", id);
	assert_int_equal(utimensat(p->spool->fds[dir], qf, times, 0), 0);
}

/* Is that directory called stuck, for mail above a minute? */
static bool
is_stuck(struct place *p, const char *dir, uint64_t in_clones)
{
	const struct health_limits limits = {
	    60 * USEC_PER_SEC, 3600 * USEC_PER_SEC};
	struct health *h;
	bool is = false;

	metrics_set(p->metrics, METRIC_deliver_long, in_clones);
	h = health_look(p->conf, &limits);
	assert_int_equal(h->queues[SPOOL_FEED1].in_clones, in_clones);
	assert_int_equal(h->queues[SPOOL_IN].in_clones, 0);
	assert_int_equal(h->queues[SPOOL_FEED1 + 1].in_clones, 0);
	for (size_t i = 0; i < h->n_problems; i++)
		is |= strstr(h->problems[i], "is stuck") &&
		      strncmp(h->problems[i], dir, strlen(dir)) == 0;
	(void)health_free(h);
	return is;
}

#define MINUTES(n) ((n)*60 * USEC_PER_SEC)

static void
who_waits_for_clones_is_not_stuck(void **state)
{
	struct place *p = *state;

	put_old(p, SPOOL_FEED1, "wAA00001", MINUTES(3));
	put_old(p, SPOOL_FEED1, "wAA00002", 0);
	assert_true(is_stuck(p, "feed1", 0));
	assert_false(is_stuck(p, "feed1", 1));
	put_old(p, SPOOL_FEED1, "wAA00003", MINUTES(2));
	assert_true(is_stuck(p, "feed1", 1)); /* one of them is */
	assert_false(is_stuck(p, "feed1", 2));
}

static void
but_not_for_ever(void **state)
{
	struct place *p = *state;

	p->conf->detonate.patience_usec = MINUTES(5);
	p->conf->vm.deadline_usec = MINUTES(1);
	put_old(p, SPOOL_FEED1, "wAA00001", MINUTES(12));
	assert_false(is_stuck(p, "feed1", 1));
	put_old(p, SPOOL_FEED1, "wAA00002", MINUTES(14));
	assert_true(is_stuck(p, "feed1", 2));
}

static void
others_are_stuck_as_ever(void **state)
{
	struct place *p = *state;

	put_old(p, SPOOL_FEED1, "wAA00001", MINUTES(3));
	put_old(p, SPOOL_FEED1 + 1, "wAA00002", MINUTES(3));
	put_old(p, SPOOL_IN, "wAA00003", MINUTES(3));
	assert_true(is_stuck(p, "feed2", 1));
	assert_true(is_stuck(p, "in", 1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_waits_for_clones_is_not_stuck),
	    TEST(but_not_for_ever),
	    TEST(others_are_stuck_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
