/*
 * tests/unit/test_cells.c - what becomes of a reading, however its cell ends.
 */
#include "tests/support/cells_site.h"

static void
a_cell_gets_the_message_and_its_budget(void **state)
{
	struct world *w = *state;
	const struct conf *conf = w->conf;
	struct fake_cell cell = fake_scan_fork(&w->scan);
	const struct wire_task *task;
	char text[5] = "";
	struct run run;

	ask(w, &run);
	turn(w);
	task = fake_cell_task(&w->scan, &cell);
	assert_non_null(task);
	assert_int_equal(task->limits.message_bytes, BYTES);
	assert_int_equal(task->limits.output_bytes, conf->budget.output_bytes);
	assert_int_equal(task->limits.memory_bytes, conf->budget.memory_bytes);
	assert_int_equal(task->limits.cpu_usec, conf->budget.cpu_usec);
	assert_int_equal(task->limits.parts, conf->budget.parts);
	assert_int_equal(task->limits.depth, conf->budget.depth);
	assert_int_equal(task->limits.headers, conf->budget.headers);
	assert_int_equal(pread(w->scan.msg.fds[0], text, 5, 0), 4);
	assert_string_equal(text, "mail");
	ipc_drop_fds(&w->scan.msg);
	assert_int_equal(run.count, 0);
	fake_cell_end(&cell);
}

static void
a_reading_is_delivered_once_its_cell_has_ended(void **state)
{
	struct world *w = *state;
	struct run run;
	struct fake_cell cell = begin(w, &run);

	write_reading(&cell);
	turn(w);
	assert_int_equal(run.count, 0); /* it may still write */
	fake_cell_end(&cell);
	turn(w);
	has_reading(&run);
	fake_scan_gone(&w->scan, &cell, 0);
	turn(w);
	assert_int_equal(run.count, 1);
	assert_int_equal(w->lost, 0);
	hears_nothing(w);
}

/* Both ways may be heard first. */
static void
a_reading_is_delivered_when_the_status_comes_first(void **state)
{
	struct world *w = *state;
	struct run run;
	struct fake_cell cell = begin(w, &run);

	write_reading(&cell);
	fake_scan_gone(&w->scan, &cell, 0);
	turn(w);
	has_reading(&run);
	fake_cell_end(&cell);
	turn(w);
	assert_int_equal(run.count, 1);
}

/* A cell that has written its reading may be killed on its way out. */
static void
a_reading_counts_whatever_the_status(void **state)
{
	struct world *w = *state;
	struct run run;
	struct fake_cell cell = begin(w, &run);

	write_reading(&cell);
	fake_cell_end(&cell);
	fake_scan_gone(&w->scan, &cell, SIGSEGV);
	turn(w);
	has_reading(&run);
}

static void
a_reading_cannot_be_changed_once_it_is_taken(void **state)
{
	struct world *w = *state;
	struct run run;
	struct fake_cell cell = begin(w, &run);

	write_reading(&cell);
	(void)close(cell.sock);
	turn(w);
	assert_int_equal(pwrite(cell.arena, "x", 1, READING_HEAD_BYTES), -1);
	has_reading(&run);
	(void)close(cell.arena);
}

static void
why_there_is_no_reading_is_said(void **state)
{
	static const struct {
		int status; /* as wait(2) gives it */
		enum answer answer;
		const char *reason;
	} rows[] = {
	    {SIGSEGV, ANSWER_UNKNOWN_MESSAGE, "its cell died: signal 11"},
	    {SIGABRT, ANSWER_UNKNOWN_MESSAGE, "its cell died: signal 6"},
	    {SIGABRT, ANSWER_UNKNOWN_MESSAGE,
		"probably budget exceeded: memory (budget.memory)"},
	    {SIGTRAP, ANSWER_UNKNOWN_MESSAGE, "(budget.memory)"},
	    {CELL_EXIT_MEMORY << 8, ANSWER_UNKNOWN_MESSAGE,
		"budget exceeded: memory (budget.memory)"},
	    {SIGSYS, ANSWER_UNKNOWN_MESSAGE, "its cell died: signal 31"},
	    {CELL_EXIT_UNCONFINED << 8, ANSWER_UNKNOWN_SYSTEM,
		"its cell could not be confined"},
	    {1 << 8, ANSWER_UNKNOWN_MESSAGE, "its cell died: exit 1"},
	    {0, ANSWER_UNKNOWN_MESSAGE, "its cell died: exit 0"},
	    {SIGXCPU, ANSWER_UNKNOWN_MESSAGE,
		"budget exceeded: 10 s of processor time (budget.cpu)"},
	    {SIGXFSZ, ANSWER_UNKNOWN_MESSAGE, "budget.output"},
	    {SIGKILL, ANSWER_UNKNOWN_SYSTEM, "killed from outside"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run run;
		struct fake_cell cell = begin(w, &run);

		fake_cell_end(&cell);
		turn(w);
		assert_int_equal(run.count, 0); /* only its status tells */
		fake_scan_gone(&w->scan, &cell, rows[i].status);
		turn(w);
		has_none(&run, rows[i].answer, rows[i].reason);
	}
	assert_int_equal(w->lost, 0);
}

/* The kernel kills what doesn't heed SIGXCPU. */
static void
a_kill_after_all_its_processor_time_is_the_budgets(void **state)
{
	struct world *w = *state;
	const uint64_t budget_usec = w->conf->budget.cpu_usec;
	struct run run;

	for (uint64_t i = 0; i < 2; i++) {
		struct fake_cell cell = begin(w, &run);

		fake_cell_end(&cell);
		fake_scan_gone_after(
		    &w->scan, &cell, SIGKILL, budget_usec - 1 + i);
		turn(w);
		has_none(&run,
		    i ? ANSWER_UNKNOWN_MESSAGE : ANSWER_UNKNOWN_SYSTEM,
		    i ? "(budget.cpu)" : "killed from outside");
	}
}

static void
a_late_cell_is_killed_and_charged_to_its_message(void **state)
{
	struct world *w = *state;
	struct fake_cell cell;
	struct run run;

	w->conf->budget.wall_usec = 50 * USEC_PER_MSEC;
	cell = begin(w, &run);
	run_for(w, 10 * USEC_PER_MSEC);
	hears_nothing(w);
	run_for(w, 60 * USEC_PER_MSEC);
	hears(w, WIRE_CELL_KILL, cell.number);
	assert_int_equal(run.count, 0);
	fake_cell_end(&cell);
	fake_scan_gone(&w->scan, &cell, SIGKILL);
	turn(w);
	/* Our own SIGKILL is no kill from outside. */
	has_none(&run, ANSWER_UNKNOWN_MESSAGE, "(budget.wall)");
	assert_non_null(strstr(run.why.reason, "budget exceeded: not read"));
	hears_nothing(w);
}

static void
the_wall_budget_starts_with_the_cell(void **state)
{
	struct world *w = *state;
	struct fake_cell cell;
	struct run first, run;

	w->conf->budget.wall_usec = 100 * USEC_PER_MSEC;
	w->conf->worker.cells_max = 1;
	cell = fake_scan_fork(&w->scan);
	ask(w, &first);
	run_for(w, 60 * USEC_PER_MSEC);
	ask(w, &run); /* there is none for it yet */
	run_for(w, 70 * USEC_PER_MSEC);
	hears(w, WIRE_CELL_KILL, cell.number);
	fake_cell_end(&cell);
	fake_scan_gone(&w->scan, &cell, SIGKILL);
	turn(w);
	hears(w, WIRE_CELL_WANT, 0);
	cell = fake_scan_fork(&w->scan);
	run_for(w, 60 * USEC_PER_MSEC);
	hears_nothing(w);
	write_reading(&cell);
	fake_cell_end(&cell);
	turn(w);
	has_reading(&run);
}

/* It said all that it may and holds its place: one of worker.cells_max. */
static void
a_cell_that_closes_its_socket_and_lives_on_is_killed(void **state)
{
	struct world *w = *state;
	struct fake_cell cell;
	struct run run;

	w->conf->budget.wall_usec = 50 * USEC_PER_MSEC;
	cell = begin(w, &run);
	write_reading(&cell);
	fake_cell_end(&cell);
	turn(w);
	has_reading(&run);
	run_for(w, 70 * USEC_PER_MSEC);
	hears(w, WIRE_CELL_KILL, cell.number);
	fake_scan_gone(&w->scan, &cell, SIGKILL);
	run_for(w, 70 * USEC_PER_MSEC);
	hears_nothing(w);
	assert_int_equal(run.count, 1);
}

static void
a_cell_that_has_ended_is_never_killed(void **state)
{
	struct world *w = *state;
	struct fake_cell cell;
	struct run run;

	w->conf->budget.wall_usec = 50 * USEC_PER_MSEC;
	cell = begin(w, &run);
	write_reading(&cell);
	fake_cell_end(&cell);
	fake_scan_gone(&w->scan, &cell, 0);
	turn(w);
	has_reading(&run);
	run_for(w, 70 * USEC_PER_MSEC);
	hears_nothing(w);
}

static void
a_malformed_reading_is_the_messages_own_fault(void **state)
{
	struct world *w = *state;
	struct run run;
	struct fake_cell cell = begin(w, &run);
	const unsigned char parent[] = {0x40, 0x9c};
	struct reading_writer *writer = writer_new(cell.arena, 1 << 20);

	/* Its head is right, but its record is not. */
	(void)fake_part(writer, "octets", 6, "a.txt");
	assert_int_equal(
	    writer_commit(writer, READING_COMPLETE, 0, false, ""), 0);
	writer_free(writer);
	assert_int_equal(
	    pwrite(cell.arena, parent, 2, READING_HEAD_BYTES + 6 + 16), 2);
	fake_cell_end(&cell);
	turn(w);
	has_none(&run, ANSWER_UNKNOWN_MESSAGE, "malformed reading");
	fake_scan_gone(&w->scan, &cell, 0);
	turn(w);
	assert_int_equal(run.count, 1);
	assert_int_equal(w->lost, 0);
}

/* Nobody else may write what is read: no seal, no reading. */
static void
an_arena_that_is_mapped_elsewhere_is_refused(void **state)
{
	struct world *w = *state;
	struct run run;
	struct fake_cell cell = begin(w, &run);
	void *map;

	write_reading(&cell);
	map =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, cell.arena, 0);
	assert_true(map != MAP_FAILED);
	fake_cell_end(&cell);
	turn(w);
	has_none(&run, ANSWER_UNKNOWN_MESSAGE, "malformed reading");
	(void)munmap(map, 4096);
}

static void
a_cell_that_dies_while_it_waits_is_replaced(void **state)
{
	struct world *w = *state;
	struct fake_cell cell = fake_scan_fork(&w->scan), next;
	struct run run;

	turn(w);
	fake_cell_end(&cell);
	turn(w);
	hears_nothing(w);
	fake_scan_gone(&w->scan, &cell, SIGSEGV);
	turn(w);
	hears(w, WIRE_CELL_WANT, 0);
	hears_nothing(w);
	next = begin(w, &run);
	write_reading(&next);
	fake_cell_end(&next);
	turn(w);
	has_reading(&run); /* and nobody's message was charged */
}

/* Its end isn't heard yet when the message is sent to it. */
static void
a_message_sent_to_a_dead_cell_goes_to_the_next(void **state)
{
	struct world *w = *state;
	struct fake_cell dead = fake_scan_fork(&w->scan), next;
	struct run run;

	turn(w);
	fake_cell_end(&dead);
	ask(w, &run);
	next = fake_scan_fork(&w->scan);
	assert_non_null(fake_cell_task(&w->scan, &next));
	ipc_drop_fds(&w->scan.msg);
	hears(w, WIRE_CELL_WANT, 0); /* for after that */
	fake_scan_gone(&w->scan, &dead, SIGSEGV);
	turn(w);
	hears_nothing(w);
	assert_int_equal(run.count, 0);
	write_reading(&next);
	fake_cell_end(&next);
	turn(w);
	has_reading(&run);
}

static void
no_more_cells_than_allowed_serve_messages_in_order(void **state)
{
	struct world *w = *state;
	struct run runs[3];

	w->conf->worker.cells_max = 1;
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		ask(w, &runs[i]);
	turn(w);
	hears_nothing(w);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct fake_cell cell = fake_scan_fork(&w->scan);

		turn(w);
		write_reading(&cell);
		fake_cell_end(&cell);
		turn(w);
		has_reading(&runs[i]);
		assert_int_equal(runs[i].turn, (int)i + 1);
		hears_nothing(w); /* its process may live on */
		fake_scan_gone(&w->scan, &cell, 0);
		turn(w);
		hears(w, WIRE_CELL_WANT, 0);
		hears_nothing(w);
	}
}

/* A fork would compete with the rest of its message's judgement. */
static void
a_successor_is_put_off_while_another_cell_is_ready(void **state)
{
	struct world *w = *state;
	struct fake_cell cell = fake_scan_fork(&w->scan);
	struct run run, next;

	ask(w, &run);
	turn(w);
	hears_nothing(w);
	run_for(w, 30 * USEC_PER_MSEC);
	hears(w, WIRE_CELL_WANT, 0);
	hears_nothing(w);
	ask(w, &run);
	ask(w, &next); /* takes the last one */
	hears(w, WIRE_CELL_WANT, 0);
	hears(w, WIRE_CELL_WANT, 0);
	hears_nothing(w);
	fake_cell_end(&cell);
}

static void
without_the_scan_role_nothing_can_be_read(void **state)
{
	struct world *w = *state;

	fake_scan_close(&w->scan);
	run_for(w, 20 * USEC_PER_MSEC);
	assert_int_equal(w->lost, 1); /* once */
}

static void
a_scan_role_that_talks_nonsense_is_lost_too(void **state)
{
	struct world *w = *state;
	const struct wire_cell_gone gone = {.number = 0};

	assert_int_equal(
	    ipc_send(w->scan.fd, WIRE_CELL_GONE, &gone, sizeof(gone), NULL, 0),
	    0);
	run_for(w, 20 * USEC_PER_MSEC);
	assert_int_equal(w->lost, 1);
}

static void
a_number_that_nobody_knows_is_ignored(void **state)
{
	struct world *w = *state;
	const struct fake_cell other = {.number = 99};
	struct run run;
	struct fake_cell cell = begin(w, &run);

	fake_scan_gone(&w->scan, &other, SIGKILL);
	turn(w);
	hears_nothing(w);
	assert_int_equal(run.count + w->lost, 0);
	fake_cell_end(&cell);
}

static void
freeing_ends_runs_without_their_callback(void **state)
{
	struct world *w = *state;
	struct run busy, waiting;
	struct fake_cell cell = begin(w, &busy);

	ask(w, &waiting);
	w->cells = cells_free(w->cells);
	turn(w);
	assert_int_equal(busy.count + waiting.count, 0);
	assert_int_equal(ipc_recv(cell.sock, &w->scan.msg), -EPIPE);
	fake_cell_end(&cell);
}

static int
setup_two(void **state)
{
	return setup_with(state, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_cell_gets_the_message_and_its_budget),
	    TEST(a_reading_is_delivered_once_its_cell_has_ended),
	    TEST(a_reading_is_delivered_when_the_status_comes_first),
	    TEST(a_reading_counts_whatever_the_status),
	    TEST(a_reading_cannot_be_changed_once_it_is_taken),
	    TEST(why_there_is_no_reading_is_said),
	    TEST(a_kill_after_all_its_processor_time_is_the_budgets),
	    TEST(a_late_cell_is_killed_and_charged_to_its_message),
	    TEST(the_wall_budget_starts_with_the_cell),
	    TEST(a_cell_that_closes_its_socket_and_lives_on_is_killed),
	    TEST(a_cell_that_has_ended_is_never_killed),
	    TEST(a_malformed_reading_is_the_messages_own_fault),
	    TEST(an_arena_that_is_mapped_elsewhere_is_refused),
	    TEST(a_cell_that_dies_while_it_waits_is_replaced),
	    TEST(a_message_sent_to_a_dead_cell_goes_to_the_next),
	    TEST(no_more_cells_than_allowed_serve_messages_in_order),
	    TEST(without_the_scan_role_nothing_can_be_read),
	    TEST(a_scan_role_that_talks_nonsense_is_lost_too),
	    cmocka_unit_test_setup_teardown(
		a_successor_is_put_off_while_another_cell_is_ready, setup_two,
		teardown),
	    TEST(a_number_that_nobody_knows_is_ignored),
	    TEST(freeing_ends_runs_without_their_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
