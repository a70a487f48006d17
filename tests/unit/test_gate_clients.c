/*
 * The gate's questions and answers: as text, and over real sockets with
 * clients that behave and such that don't.
 */
#include "tools/sluice/gate_clients.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"
#include "tools/sluice/gate_wire.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
/* after those that it needs */
#include <cmocka.h>

static void
a_question_is_one_netstring_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int want;
		uint64_t bytes;
	} cases[] = {
	    {"5:gate ,", 8, 0},
	    {"9:gate 1234,", 12, 1234},
	    {"9:gate 1234,9:gate", 12, 1234},
	    {"24:gate 9223372036854775807,", 28, INT64_MAX},
	    {"24:gate 9999999999999999999,", 28, UINT64_C(9999999999999999999)},
	    {"6:gate 0,", 9, 0},
	    {"", -EAGAIN, 0},
	    {"2", -EAGAIN, 0},
	    {"24", -EAGAIN, 0},
	    {"9:gat", -EAGAIN, 0},
	    {"9:gate 1234", -EAGAIN, 0},
	    {"x", -EBADMSG, 0},
	    {":", -EBADMSG, 0},
	    {"4:gate,", -EBADMSG, 0},
	    {"25:", -EBADMSG, 0},
	    {"100", -EBADMSG, 0},
	    {"05:gate ,", -EBADMSG, 0},
	    {"0:,", -EBADMSG, 0},
	    {"5 gate ,", -EBADMSG, 0},
	    {"5:gaze ,", -EBADMSG, 0},
	    {"5:gate x", -EBADMSG, 0},
	    {"7:gate -1,", -EBADMSG, 0},
	    {"7:gate 1x,", -EBADMSG, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bytes = 0;
		int got =
		    gate_question(cases[i].text, strlen(cases[i].text), &bytes);

		if (got != cases[i].want)
			print_error("\"%s\"\n", cases[i].text);
		assert_int_equal(got, cases[i].want);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void
answers_are_netstrings(void **state)
{
	(void)state;
	for (int a = GATE_TAKE; a <= GATE_FULL; a++) {
		const char *reply = gate_reply((enum gate_answer)a);
		char *rest;
		size_t n = strtoul(reply, &rest, 10);

		assert_int_equal(*rest, ':');
		assert_int_equal(strlen(rest + 1), n + 1);
		assert_int_equal(rest[n + 1], ',');
	}
}

struct stage {
	char *top, *path;
	int listen_fd;
	struct event_base *base;
	struct gate_clients *clients;
	unsigned int asked, bad, too_many;
};

static enum gate_answer
ask(void *arg, uint64_t bytes)
{
	struct stage *s = arg;

	s->asked++;
	return bytes > 100 ? GATE_BUSY : GATE_TAKE;
}

static void
closed(void *arg, enum gate_closing why)
{
	struct stage *s = arg;

	if (why == GATE_TOO_MANY)
		s->too_many++;
	else
		s->bad++;
}

static struct stage *
stage_new(size_t max)
{
	struct stage *s = xcalloc(1, sizeof(*s));
	const struct gate_host host = {s, ask, closed};

	s->top = tmp_new();
	s->path = xasprintf("%s/gate.sock", s->top);
	s->listen_fd = gate_listen(s->path, NULL);
	assert_true(s->listen_fd >= 0);
	s->base = event_base_new();
	s->clients = gate_clients_new(s->base, s->listen_fd, max, &host);
	return s;
}

static void
stage_done(struct stage *s)
{
	(void)gate_clients_free(s->clients);
	event_base_free(s->base);
	(void)close(s->listen_fd);
	tmp_remove(s->top);
	free(s->path);
	free(s);
}

static void
turn(struct stage *s)
{
	/* Once to accept, once to read. */
	for (int i = 0; i < 4; i++)
		(void)event_base_loop(s->base, EVLOOP_NONBLOCK);
}

static int
dial(struct stage *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", s->path);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	turn(s);
	return fd;
}

static void
say(struct stage *s, int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	turn(s);
}

/* "": nothing came; "end": it was closed. */
static const char *
heard(int fd)
{
	static char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return n == 0 || errno != EAGAIN ? "end" : "";
	buf[n] = '\0';
	return buf;
}

static void
questions_are_answered_over_one_connection(void **state)
{
	struct stage *s = stage_new(4);
	int fd = dial(s);
	struct stat st;

	(void)state;
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	say(s, fd, "5:gate ,");
	assert_string_equal(heard(fd), "9:NOTFOUND ,");
	say(s, fd, "8:gate 101,");
	assert_string_equal(heard(fd), "7:OK BUSY,");
	say(s, fd, "8:ga");
	assert_string_equal(heard(fd), "");
	say(s, fd, "te 101,8:gate 100,8");
	assert_string_equal(heard(fd), "7:OK BUSY,9:NOTFOUND ,");
	say(s, fd, ":gate 102,");
	assert_string_equal(heard(fd), "7:OK BUSY,");
	(void)close(fd);
	turn(s);
	assert_int_equal(gate_clients_count(s->clients), 0);
	assert_int_equal(s->asked, 5);
	assert_int_equal(s->bad, 0);
	stage_done(s);
}

static void
what_is_no_question_ends_its_connection_only(void **state)
{
	struct stage *s = stage_new(4);
	int good = dial(s), bad = dial(s);

	(void)state;
	say(s, bad, "EHLO there\r\n");
	assert_string_equal(heard(bad), "end");
	say(s, good, "7:gate 10,");
	assert_string_equal(heard(good), "9:NOTFOUND ,");
	assert_int_equal(s->bad, 1);
	assert_int_equal(gate_clients_count(s->clients), 1);
	(void)close(bad);
	(void)close(good);
	stage_done(s);
}

static void
one_too_many_is_turned_away_and_the_rest_served(void **state)
{
	struct stage *s = stage_new(2);
	int a = dial(s), b = dial(s), c = dial(s), d;

	(void)state;
	assert_int_equal(s->too_many, 1);
	assert_string_equal(heard(c), "end");
	say(s, a, "5:gate ,");
	assert_string_equal(heard(a), "9:NOTFOUND ,");
	(void)close(b);
	turn(s);
	d = dial(s);
	say(s, d, "5:gate ,");
	assert_string_equal(heard(d), "9:NOTFOUND ,");
	(void)close(a);
	(void)close(c);
	(void)close(d);
	stage_done(s);
}

/* Who asks and asks and reads nothing is closed, and nobody waits for it. */
static void
a_client_that_does_not_read_is_closed(void **state)
{
	struct stage *s = stage_new(2);
	int fd = dial(s), n = 0;

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (gate_clients_count(s->clients) > 0 && n++ < 1000000) {
		(void)send(fd, "5:gate ,5:gate ,", 16, MSG_NOSIGNAL);
		(void)event_base_loop(s->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(gate_clients_count(s->clients), 0);
	assert_true(s->asked > 100);
	(void)close(fd);
	stage_done(s);
}

static void
half_a_question_is_not_waited_for(void **state)
{
	struct stage *s = stage_new(2);
	int idle = dial(s), half = dial(s);
	struct timeval tv = {3, 0};

	(void)state;
	say(s, half, "5:gate ,5:ga");
	assert_string_equal(heard(half), "9:NOTFOUND ,");
	say(s, idle, "5:ga");
	say(s, idle, "te ,");
	assert_string_equal(heard(idle), "9:NOTFOUND ,");
	(void)event_base_loopexit(s->base, &tv);
	(void)event_base_dispatch(s->base);
	assert_string_equal(heard(half), "end");
	assert_string_equal(heard(idle), ""); /* a session may last */
	assert_int_equal(s->bad, 1);
	(void)close(half);
	(void)close(idle);
	stage_done(s);
}

static void
a_socket_that_was_left_behind_is_replaced(void **state)
{
	struct stage *s = stage_new(1);
	int again = gate_listen(s->path, NULL);

	(void)state;
	assert_true(again >= 0);
	(void)close(again);
	again = gate_listen("/no/such/directory/gate.sock", NULL);
	assert_int_equal(again, -ENOENT);
	stage_done(s);
}

/* The kernel forgets it with every change of the user. */
static void
the_signal_of_the_parents_death_stays(void **state)
{
	char *top = tmp_new(), *path = xasprintf("%s/sock", top);
	int fd, signal_number = 0;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(prctl(PR_SET_PDEATHSIG, SIGTERM), 0);
	fd = gate_listen(path, "nobody");
	assert_true(fd >= 0);
	assert_int_equal(prctl(PR_GET_PDEATHSIG, &signal_number), 0);
	assert_int_equal(signal_number, SIGTERM);
	assert_int_equal(prctl(PR_SET_PDEATHSIG, 0), 0);
	(void)close(fd);
	free(path);
	tmp_remove(top);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_signal_of_the_parents_death_stays),
	    cmocka_unit_test(a_question_is_one_netstring_and_nothing_else),
	    cmocka_unit_test(answers_are_netstrings),
	    cmocka_unit_test(questions_are_answered_over_one_connection),
	    cmocka_unit_test(what_is_no_question_ends_its_connection_only),
	    cmocka_unit_test(one_too_many_is_turned_away_and_the_rest_served),
	    cmocka_unit_test(a_client_that_does_not_read_is_closed),
	    cmocka_unit_test(half_a_question_is_not_waited_for),
	    cmocka_unit_test(a_socket_that_was_left_behind_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
