/*
 * tests/unit/test_deliver_long.c - what the deliver role does with messages
 * that wait for clones: the real role, in a process of its own.
 */
#include "tests/support/deliver_site.h"

#include "common/metrics.h"
#include "queues/lane.h"

#define VM      "worker { engines = \"policy clamd vm\" in_flight = 1 }\n"
#define VM_TWO  "worker { engines = \"policy clamd vm\" in_flight = 2 }\n"
#define UNKNOWN "no clone is free"

static void
make_long(struct site *s, uint64_t job)
{
	const struct wire_long msg = {job};

	assert_int_equal(
	    ipc_send(s->fd, WIRE_LONG, &msg, sizeof(msg), NULL, 0), 0);
}

static void
vm_says(struct site *s, uint64_t job, enum answer answer, enum answer_wait wait)
{
	static const char *const engines[] = {
	    "reading", "policy", "clamd", "vm"};
	struct wire_judgement j = {.job = job, .n_answers = 4};

	for (size_t i = 0; i < 4; i++)
		answer_set(&j.answers[i], engines[i], ANSWER_CLEAN, "%s", "");
	answer_set(&j.answers[3], "vm", answer, "%s",
	    answer == ANSWER_CLEAN ? "" : UNKNOWN);
	j.answers[3].wait = wait;
	assert_int_equal(
	    ipc_send(s->fd, WIRE_JUDGEMENT, &j, sizeof(j), NULL, 0), 0);
}

static uint64_t
metric(const struct site *s, enum metric which)
{
	char *runtime = xasprintf("%s/run", s->path);
	struct metrics_values v;

	assert_int_equal(metrics_read(runtime, "worker-1", &v), 0);
	free(runtime);
	return v.values[which];
}

/* Within patience, since gauges are set after everything else. */
static void
metric_becomes(const struct site *s, enum metric which, uint64_t want)
{
	for (int i = 0; i < SITE_PATIENCE_MSEC; i++) {
		if (metric(s, which) == want)
			return;
		(void)usleep(1000);
	}
	assert_int_equal(metric(s, which), want);
}

static void
begun_on_disk(const struct site *s, const char *id, uint32_t begun)
{
	for (int i = 0; i < SITE_PATIENCE_MSEC; i++) {
		if (site_tries(s, SPOOL_FEED1, id).begun == begun)
			return;
		(void)usleep(1000);
	}
	assert_int_equal(site_tries(s, SPOOL_FEED1, id).begun, begun);
}

static void
who_waits_for_clones_takes_nobodys_place(void **state)
{
	struct site *s = *state;
	uint64_t jobs[4];
	char id[16];

	for (int i = 0; i < 4; i++) {
		(void)snprintf(id, sizeof(id), "wAA%05d", i);
		site_put(s, id);
	}
	site_start(s, VM);
	for (int i = 0; i < 3; i++) {
		jobs[i] = site_job(s).job;
		site_no_job(s, 100); /* in_flight is one */
		make_long(s, jobs[i]);
	}
	jobs[3] = site_job(s).job;
	metric_becomes(s, METRIC_deliver_long, 3);
	metric_becomes(s, METRIC_deliver_in_flight, 1);
	for (int i = 3; i >= 0; i--)
		vm_says(s, jobs[i], i == 1 ? ANSWER_HIT : ANSWER_CLEAN,
		    ANSWER_WAIT_USUAL);
	metric_becomes(s, METRIC_deliver_out, 3);
	metric_becomes(s, METRIC_deliver_virus, 1);
	metric_becomes(s, METRIC_deliver_long, 0);
}

static void
no_more_wait_than_may(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_put(s, "wAA00002");
	site_put(s, "wAA00003");
	site_start(s, VM "detonate { waiting = 1 }");
	make_long(s, site_job(s).job);
	make_long(s, site_job(s).job); /* keeps its place */
	site_no_job(s, 300);
}

static void
nobodys_message_or_one_twice_is_ignored(void **state)
{
	struct site *s = *state;
	uint64_t job;

	site_put(s, "wAA00001");
	site_start(s, VM);
	job = site_job(s).job;
	make_long(s, job + 1);
	make_long(s, job);
	make_long(s, job);
	metric_becomes(s, METRIC_deliver_long, 1);
	vm_says(s, job, ANSWER_CLEAN, ANSWER_WAIT_USUAL);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	make_long(s, job);
	metric_becomes(s, METRIC_deliver_long, 0);
	site_stop(s);
}

/* No cell works on it any more, so none can have died of it. */
static void
after_a_kill_it_is_no_suspect(void **state)
{
	struct site *s = *state;
	uint64_t job;

	site_put(s, "wAA00001");
	site_start(s, VM);
	job = site_job(s).job;
	begun_on_disk(s, "wAA00001", 1);
	make_long(s, job);
	begun_on_disk(s, "wAA00001", 0);
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)close(s->fd);
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
	site_start(s, VM);
	vm_says(s, site_job(s).job, ANSWER_CLEAN, ANSWER_WAIT_USUAL);
	site_arrives(s, SPOOL_OUT, "wAA00001");
}

/* But who reads the clones' reports may, and would for ever. */
static void
when_the_engines_go_it_may_be_why(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_start(s, VM);
	for (uint32_t i = 1; i <= 2; i++) {
		make_long(s, site_job(s).job);
		begun_on_disk(s, "wAA00001", i - 1);
		(void)close(s->fd);
		assert_int_equal(site_end(s), 111);
		begun_on_disk(s, "wAA00001", i);
		site_start(s, VM);
	}
	site_no_job(s, 150); /* it is put off by now */
	make_long(s, site_job(s).job);
	begun_on_disk(s, "wAA00001", 2);
}

static void
a_stop_does_not_wait_for_clones(void **state)
{
	struct site *s = *state;
	uint64_t jobs[2];

	site_put(s, "wAA00001");
	site_put(s, "wAA00002");
	site_start(s, VM);
	jobs[0] = site_job(s).job;
	make_long(s, jobs[0]);
	jobs[1] = site_job(s).job;
	assert_int_equal(kill(s->pid, SIGTERM), 0);
	(void)usleep(50000); /* that one it waits for */
	vm_says(s, jobs[1], ANSWER_CLEAN, ANSWER_WAIT_USUAL);
	assert_int_equal(site_end(s), 0);
	assert_int_equal(metric(s, METRIC_deliver_out), 1);
	for (int i = 1; i <= 2; i++) {
		const char *id = i == 1 ? "wAA00001" : "wAA00002";

		if (site_is_in(s, SPOOL_FEED1, id))
			assert_int_equal(
			    site_tries(s, SPOOL_FEED1, id).begun, 0);
		else
			assert_true(site_is_in(s, SPOOL_OUT, id));
	}
}

static void
the_run_is_no_service(void **state)
{
	struct site *s = *state;
	uint64_t job;

	site_put(s, "wAA00001");
	site_start(s, VM);
	job = site_job(s).job;
	make_long(s, job);
	metric_becomes(s, METRIC_deliver_long, 1);
	site_put(s, "wAA00002");
	(void)site_job(s); /* the worker's time is that one's */
	(void)usleep(600000);
	vm_says(s, job, ANSWER_CLEAN, ANSWER_WAIT_USUAL);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	metric_becomes(s, METRIC_deliver_out, 1);
	assert_true(metric(s, METRIC_deliver_service_usec) > 0);
	assert_true(
	    metric(s, METRIC_deliver_service_usec) < 500 * USEC_PER_MSEC);
}

/* Nor is the lane a busy one while nobody has a place. */
static void
a_lane_of_waiting_ones_is_not_in_service(void **state)
{
	struct site *s = *state;
	char *runtime = xasprintf("%s/run", s->path);
	struct lane *lane = NULL;
	uint64_t n = 99;
	struct mono since;

	site_put(s, "wAA00001");
	site_start(s, VM_TWO);
	make_long(s, site_job(s).job);
	metric_becomes(s, METRIC_deliver_long, 1);
	assert_int_equal(lane_open(runtime, 1, &lane), 0);
	for (int i = 0; n != 0 && i < SITE_PATIENCE_MSEC; i++) {
		lane_get(lane, &n, &since);
		(void)usleep(1000);
	}
	assert_int_equal(n, 0);
	site_put(s, "wAA00002");
	(void)site_job(s);
	for (int i = 0; n != 2 && i < SITE_PATIENCE_MSEC; i++) {
		lane_get(lane, &n, &since);
		(void)usleep(1000);
	}
	assert_int_equal(n, 2);
	(void)lane_close(lane);
	free(runtime);
}

static void
missing_clones_are_no_outage(void **state)
{
	struct site *s = *state;

	site_put(s, "wAA00001");
	site_start(s, VM_TWO);
	vm_says(s, site_job(s).job, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_ON);
	site_put(s, "wAA00002");
	site_put(s, "wAA00003");
	(void)site_job(s); /* two at a time, as ever */
	(void)site_job(s);
	assert_string_equal(
	    site_noted(s, "wAA00001", EVENT_WAIT).reason, UNKNOWN);
	assert_int_equal(site_noted(s, "wAA00001", EVENT_WAIT).count, 1);
	assert_int_equal(metric(s, METRIC_deliver_outage), 0);
}

/* Let it ask again until msec have passed; wait as engines say it. */
static void
ask_for(struct site *s, int msec, const char *engine, enum answer_wait wait,
    uint64_t *ret_held_usec)
{
	const struct mono begun = mono_now();
	struct wire_job job;

	*ret_held_usec = 0;
	while (mono_span(begun, mono_now()) < (uint64_t)msec * USEC_PER_MSEC) {
		if (!site_job_within(s, 50, &job))
			continue;
		ipc_drop_fds(&s->msg);
		*ret_held_usec = job.held_usec;
		if (strcmp(engine, "vm") == 0)
			vm_says(s, job.job, ANSWER_UNKNOWN_SYSTEM, wait);
		else
			site_answer(s, job.job, engine, ANSWER_UNKNOWN_SYSTEM,
			    "down", "{}");
	}
}

#define HOLD \
	"worker { engines = \"policy clamd vm\" in_flight = 1 " \
	"hold_max = 1s backoff_max = 1s }"

static void
who_is_to_wait_on_waits_beyond_the_usual_hold(void **state)
{
	struct site *s = *state;
	uint64_t held;

	site_put(s, "wAA00001");
	site_start(s, HOLD);
	ask_for(s, 2500, "vm", ANSWER_WAIT_ON, &held);
	assert_true(held > USEC_PER_SEC); /* engines are told */
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
	vm_says(s, site_job(s).job, ANSWER_UNKNOWN_SYSTEM, ANSWER_WAIT_NO_MORE);
	site_arrives(s, SPOOL_ERROR, "wAA00001");
	assert_string_equal(
	    site_noted(s, "wAA00001", EVENT_MOVE).reason, UNKNOWN);
}

/* Hours without clamd are none of waiting for clones, nor the reverse. */
static void
each_has_a_hold_of_its_own(void **state)
{
	struct site *s = *state;
	struct wire_job job;
	uint64_t held;

	site_put(s, "wAA00001");
	site_start(s, HOLD);
	ask_for(s, 600, "clamd", ANSWER_WAIT_USUAL, &held);
	assert_int_equal(held, 0);
	ask_for(s, 1500, "vm", ANSWER_WAIT_ON, &held);
	job = site_job(s);
	assert_true(job.held_usec > USEC_PER_SEC);
	/* clamd's hold of 1 s begins now. */
	site_answer(s, job.job, "clamd", ANSWER_UNKNOWN_SYSTEM, "down", "{}");
	(void)usleep(20000);
	assert_true(site_is_in(s, SPOOL_FEED1, "wAA00001"));
	vm_says(s, site_job(s).job, ANSWER_CLEAN, ANSWER_WAIT_USUAL);
	site_arrives(s, SPOOL_OUT, "wAA00001");
	assert_int_equal(site_noted(s, "wAA00001", EVENT_WAIT).count, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_waits_for_clones_takes_nobodys_place),
	    TEST(no_more_wait_than_may),
	    TEST(nobodys_message_or_one_twice_is_ignored),
	    TEST(after_a_kill_it_is_no_suspect),
	    TEST(when_the_engines_go_it_may_be_why),
	    TEST(a_stop_does_not_wait_for_clones),
	    TEST(the_run_is_no_service),
	    TEST(a_lane_of_waiting_ones_is_not_in_service),
	    TEST(missing_clones_are_no_outage),
	    TEST(who_is_to_wait_on_waits_beyond_the_usual_hold),
	    TEST(each_has_a_hold_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
