/*
 * tests/unit/test_web.c - the last check of an address, which is made when
 * libcurl opens its socket: whatever came before it said.
 */
#include "worker/web.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "worker/fetch_address.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

struct site {
	struct event_base *base;
	struct web *web;
	struct address_rule rule;
	int listener;
	uint16_t port;
	int done;
	char error[200];
};

static int
setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct web_options options = {.rule = &s->rule, .agent = "test"};
	socklen_t len = sizeof(a);

	assert_non_null(s);
	s->base = event_base_new();
	assert_int_equal(web_new(s->base, &options, &s->web), 0);
	s->listener =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->listener, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (void *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct site *s = *state;

	(void)web_free(s->web);
	event_base_free(s->base);
	(void)close(s->listener);
	free(s);
	return 0;
}

static void
on_done(void *arg, const struct web_answer *answer)
{
	struct site *s = arg;

	s->done++;
	(void)snprintf(s->error, sizeof(s->error), "%s", answer->error);
}

/* Whom has the server heard from?  -1: nobody. */
static int
heard(struct site *s)
{
	return accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Ask host at the port that is listened to, which means these addresses. */
static struct web_request *
ask(struct site *s, const char *host, const char *addresses)
{
	struct web_request *q;
	char url[100];

	(void)snprintf(url, sizeof(url), "http://%s:%u/x.pdf", host, s->port);
	s->done = 0;
	q = web_ask(s->web,
	    &(struct web_question){.url = url,
		.host = host,
		.port = s->port,
		.addresses = addresses,
		.fd = -1,
		.most_bytes = 100},
	    on_done, s);
	assert_non_null(q);
	assert_int_equal(s->done, 0); /* never before it returns */
	return q;
}

static void
turn(struct site *s)
{
	const struct mono begin = mono_now();

	while (!s->done && mono_span(begin, mono_now()) < USEC_PER_SEC / 4) {
		(void)event_base_loop(s->base, EVLOOP_NONBLOCK);
		(void)usleep(500);
	}
}

/* As when a name means something else at its second lookup. */
static void
a_name_that_came_to_mean_this_host_is_not_connected_to(void **state)
{
	struct site *s = *state;

	(void)ask(s, "public.test", "127.0.0.1");
	turn(s);
	assert_int_equal(s->done, 1);
	assert_string_equal(s->error, "its address is not to be asked");
	assert_int_equal(heard(s), -1);
}

static void
a_number_is_checked_as_well(void **state)
{
	struct site *s = *state;

	(void)ask(s, "127.0.0.1", NULL);
	turn(s);
	assert_int_equal(s->done, 1);
	assert_string_equal(s->error, "its address is not to be asked");
	assert_int_equal(heard(s), -1);
}

static void
what_is_allowed_is_connected_to_until_it_is_cancelled(void **state)
{
	struct site *s = *state;
	struct web_request *q;
	char err[100], text[512] = "";
	int fd;

	assert_int_equal(
	    address_list_read("127.0.0.1", &s->rule.allow, err, sizeof(err)),
	    0);
	q = ask(s, "name.test", "127.0.0.1");
	turn(s);
	fd = heard(s);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(
	    strstr(text, "HEAD /x.pdf HTTP/1.1\r\nHost: name.test"));
	assert_non_null(strstr(text, "\r\nUser-Agent: test\r\n"));
	web_cancel(q);
	turn(s);
	assert_int_equal(s->done, 0);
	assert_int_equal(read(fd, text, 1), 0); /* its end is gone */
	(void)close(fd);
}

/* Another question's lookup of the same name is not this one's. */
static void
each_question_goes_where_its_own_addresses_are(void **state)
{
	struct site *s = *state;
	struct web_request *q;
	char err[100];
	int fd;

	assert_int_equal(
	    address_list_read("127.0.0.1", &s->rule.allow, err, sizeof(err)),
	    0);
	(void)ask(s, "name.test", "127.0.0.9");
	turn(s);
	assert_string_equal(s->error, "its address is not to be asked");
	q = ask(s, "name.test", "127.0.0.1");
	turn(s);
	fd = heard(s);
	assert_true(fd >= 0);
	(void)close(fd);
	web_cancel(q);
	(void)ask(s, "name.test", "127.0.0.9");
	turn(s);
	assert_int_equal(s->done, 1);
	assert_int_equal(heard(s), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_name_that_came_to_mean_this_host_is_not_connected_to),
	    TEST(a_number_is_checked_as_well),
	    TEST(what_is_allowed_is_connected_to_until_it_is_cancelled),
	    TEST(each_question_goes_where_its_own_addresses_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
