/*
 * tests/unit/test_spam.c - both protocols, whatever the other side does.
 */
#include "worker/spam.h"
#include "worker/spam_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/support/fake_spam.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define SPAMD(length, spam, names) \
	"SPAMD/1.1 0 EX_OK\r\nContent-length: " length "\r\nSpam: " spam \
	"\r\n\r\n" names
#define HTTP(status, json) \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" \
	"Connection: close\r\n\r\n" json
#define JSON(action, score) \
	"{\"action\":\"" action "\",\"score\":" score \
	",\"required_score\":15.0,\"symbols\":{\"GTUBE\":{\"score\":0.0}," \
	"\"A_B\":{\"score\":2.5},\"Z\":{\"score\":0}}}"

struct world {
	struct event_base *base;
	struct fake_spam *fake;
	struct spam *spam;
	struct spam_options options;
	int left;
};

struct result {
	struct world *world;
	int fd, count;
	struct spam_check *check;
	struct engine_answer answer;
};

/* Of the engine, unless a test is about its end: longer than a busy machine may
 * keep the fake, which shares our loop, from answering. */
#define PATIENCE_USEC (20 * USEC_PER_SEC)

static const struct spam_envelope envelope = {
    "ABC123", "from@example.org", "to@example.net", "mx [IPv6:2001:db8::1]"};

static int
setup(void **state, enum spam_backend backend)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->base = event_base_new();
	w->fake = fake_spam_new(w->base, backend == SPAM_RSPAMD);
	w->options = (struct spam_options){
	    backend, fake_spam_address(w->fake), 2, PATIENCE_USEC};
	w->spam = spam_new(w->base, &w->options);
	assert_non_null(w->spam);
	*state = w;
	return 0;
}

static int
setup_spamd(void **state)
{
	return setup(state, SPAM_SPAMD);
}

static int
setup_rspamd(void **state)
{
	return setup(state, SPAM_RSPAMD);
}

static int
teardown(void **state)
{
	struct world *w = *state;

	spam_free(w->spam);
	fake_spam_free(w->fake);
	event_base_free(w->base);
	free(w);
	return 0;
}

static void
done(void *arg, const struct engine_answer *answer)
{
	struct result *r = arg;

	r->answer = *answer;
	r->count++;
	(void)close(r->fd);
	if (--r->world->left == 0)
		(void)event_base_loopbreak(r->world->base);
}

static void
ask(struct world *w, struct result *r, const char *mail, size_t len)
{
	*r = (struct result){.world = w, .fd = memfd_new("t")};
	assert_true(r->fd >= 0);
	assert_int_equal(write_all(r->fd, mail, len), 0);
	w->left++;
	r->check = spam_check(w->spam, r->fd, len, &envelope, done, r);
	assert_int_equal(r->count, 0);
}

static void
run_for(struct world *w, unsigned int msec)
{
	const struct timeval tv = span_timeval(msec * USEC_PER_MSEC);

	(void)event_base_loopexit(w->base, &tv);
	(void)event_base_dispatch(w->base);
}

static void
run(struct world *w)
{
	run_for(w, 2 * PATIENCE_USEC / USEC_PER_MSEC);
	assert_int_equal(w->left, 0);
}

static void
check(struct world *w, const char *reply, enum answer want, const char *reason)
{
	struct result r;

	fake_spam_reply(w->fake, reply);
	ask(w, &r, "Subject: x\n\nbody\n", 17);
	run(w);
	assert_int_equal(r.count, 1);
	assert_string_equal(r.answer.engine, "spam");
	if (r.answer.answer != (uint32_t)want ||
	    !strstr(r.answer.reason, reason))
		fail_msg("%s -> %s \"%s\", not %s \"%s\"", reply ? reply : "-",
		    answer_name(r.answer.answer), r.answer.reason,
		    answer_name(want), reason);
}

static void
spamds_answers_are_understood(void **state)
{
	struct world *w = *state;
	size_t len;

	check(w, SPAMD("9", "True ; 1000.1 / 5.0", "GTUBE,A_B"), ANSWER_HIT,
	    "score 1000.1 of 5.0: GTUBE,A_B");
	assert_string_equal(fake_spam_request(w->fake, &len),
	    "SYMBOLS SPAMC/1.5\r\nContent-length: 17\r\n\r\n"
	    "Subject: x\n\nbody\n");
	check(w, SPAMD("0", "False ; -2.5 / 5.0", ""), ANSWER_CLEAN,
	    "score -2.5 of 5.0");
	check(w, SPAMD("1", "no;4/5", "A\r\n"), ANSWER_CLEAN, "4.0 of 5.0: A");
}

static void
spamds_other_answers_are_unknown(void **state)
{
	static const char *const odd[] = {"", "\r\n", "SPAMD/1.1 0 EX_OK\r\n",
	    "SPAMD/1.1 0 EX_OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
	    "SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1 / 5\r\n\r\n",
	    "SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n",
	    "SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; 1 / 5",
	    "SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; 1 / 5\r\n",
	    "SPAMD/1.1 69 EX_UNAVAILABLE\r\n\r\n",
	    "SPAMD/1.1 79 EX_TIMEOUT\r\n\r\n",
	    "SPAMD/1.1 00 EX_OK\r\nContent-length: 0\r\n\r\n",
	    SPAMD("9", "False ; 1 / 5", "cut"),
	    SPAMD("3", "False ; 1 / 5", "longer"),
	    SPAMD("-1", "False ; 1 / 5", "A"), SPAMD("x", "False ; 1 / 5", ""),
	    SPAMD("9999999999", "False ; 1 / 5", ""),
	    SPAMD("0", "Maybe ; 1 / 5", ""), SPAMD("0", "False ; x / 5", ""),
	    SPAMD("0", "False ; 1", ""), SPAMD("0", "False 1 / 5", ""),
	    SPAMD("0", "False ; 1 / 5 more", ""), SPAMD("0", "", ""),
	    SPAMD("0", "False ; nan / 5", ""), SPAMD("0", "False ; 1 / ", ""),
	    SPAMD("0", "False ; 1 / 5\r\nSpam: True ; 9 / 5", "")};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		check(w, odd[i], ANSWER_UNKNOWN_SYSTEM, "spamd");
	check(w, "SPAMD/1.1 98 EX_TOOBIG\r\n\r\n", ANSWER_UNKNOWN_MESSAGE,
	    "EX_TOOBIG");
}

static void
rspamds_answers_are_understood(void **state)
{
	struct world *w = *state;
	const char *request;
	size_t len;

	check(w, HTTP("200 OK", JSON("reject", "17.5")), ANSWER_HIT,
	    "reject, score 17.5 of 15.0: A_B");
	request = fake_spam_request(w->fake, &len);
	assert_memory_equal(request, "POST /checkv2 HTTP/1.1\r\n", 24);
	assert_non_null(strstr(request, "\r\nQueue-Id: ABC123\r\n"));
	assert_non_null(strstr(request, "\r\nFrom: from@example.org\r\n"));
	assert_non_null(strstr(request, "\r\nRcpt: to@example.net\r\n"));
	assert_non_null(strstr(request, "\r\nIP: 2001:db8::1\r\n"));
	assert_non_null(strstr(request, "\r\n\r\nSubject: x\n\nbody\n"));
	check(w, HTTP("200 OK", JSON("add header", "7")), ANSWER_HIT, "7.0");
	check(w, HTTP("200 OK", JSON("rewrite subject", "7")), ANSWER_HIT, "");
	check(w, HTTP("200 OK", JSON("no action", "-1.25")), ANSWER_CLEAN,
	    "no action, score -1.2 of 15.0");
	check(w, HTTP("200 OK", JSON("greylist", "4")), ANSWER_CLEAN, "");
	check(w, HTTP("200 OK", JSON("soft reject", "4")),
	    ANSWER_UNKNOWN_SYSTEM, "soft reject");
}

static void
rspamds_other_answers_are_unknown(void **state)
{
	static const char *const odd[] = {"", "HTTP/1.1 200 OK\r\n",
	    "SPAMD/1.1 0 EX_OK\r\n\r\n", HTTP("200 OK", ""),
	    HTTP("200 OK", "{}"), HTTP("200 OK", "[]"), HTTP("200 OK", "{"),
	    HTTP("200 OK", "null"), HTTP("200 OK", JSON("no action", "\"0\"")),
	    HTTP("200 OK", JSON("custom", "0")),
	    HTTP("200 OK", JSON("No Action", "0")),
	    HTTP("200 OK", JSON("no action", "0") "x"),
	    HTTP("200 OK", "{\"action\":\"no action\",\"score\":0}"),
	    HTTP("200 OK", "{\"error\":\"x\",\"action\":\"no action\"}"),
	    HTTP("200 OK", "{\"action\":\"reject\",\"action\":\"no action\","
			   "\"score\":0,\"required_score\":1,\"symbols\":{}}"),
	    HTTP("500 Oops", JSON("no action", "0")), HTTP("404 Not found", ""),
	    HTTP("204 None", ""), HTTP("100 Continue", ""),
	    "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" JSON(
		"no action", "0")};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		check(w, odd[i], ANSWER_UNKNOWN_SYSTEM, "");
	check(w, HTTP("413 Too large", "{\"error\":\"message too big\"}"),
	    ANSWER_UNKNOWN_MESSAGE, "too large");
}

static void
is_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static void
a_silent_engine_is_unknown_in_time(void **state)
{
	static const struct timeval two_seconds = {2, 0};
	struct world *w = *state;
	bool is_too_late = false;
	/* Not a span: a loop that was kept waiting runs its timers in the
	 * order in which they are due. */
	struct event *limit = evtimer_new(w->base, is_over, &is_too_late);
	struct mono start;

	spam_free(w->spam);
	w->options.timeout_usec = USEC_PER_SEC / 2;
	w->spam = spam_new(w->base, &w->options);
	start = mono_now();
	(void)evtimer_add(limit, &two_seconds);
	check(w, NULL, ANSWER_UNKNOWN_SYSTEM, "no answer in time");
	/* libevent counts from the time at the top of its loop. */
	assert_true(mono_span(start, mono_now()) >=
		    w->options.timeout_usec - 50 * USEC_PER_MSEC);
	assert_false(is_too_late);
	event_free(limit);
}

static void
an_absent_engine_is_unknown_at_once(void **state)
{
	struct world *w = *state;
	char address[32];

	(void)strcpy(address, w->options.address);
	w->options.address = address;
	spam_free(w->spam);
	w->spam = spam_new(w->base, &w->options);
	/* Nobody listens on the port any more. */
	w->fake = fake_spam_free(w->fake);
	{
		const struct mono start = mono_now();
		struct result r;

		ask(w, &r, "x", 1);
		run(w);
		assert_int_equal(r.count, 1);
		assert_int_equal(r.answer.answer, ANSWER_UNKNOWN_SYSTEM);
		assert_non_null(strstr(r.answer.reason, "connection to"));
		assert_true(
		    mono_span(start, mono_now()) < w->options.timeout_usec);
	}
}

static void
a_large_message_arrives_whole(void **state)
{
	struct world *w = *state;
	const size_t len = 5 * 1024 * 1024;
	char *mail = xcalloc(1, len);
	const char *request;
	struct result r;
	size_t got;

	for (size_t i = 0; i < len; i++)
		mail[i] = (char)('a' + i % 26 + i / 100000 % 3);
	fake_spam_reply(w->fake, w->options.backend == SPAM_SPAMD
				     ? SPAMD("0", "False ; 1 / 5", "")
				     : HTTP("200 OK", JSON("no action", "0")));
	ask(w, &r, mail, len);
	run(w);
	assert_int_equal(r.answer.answer, ANSWER_CLEAN);
	request = fake_spam_request(w->fake, &got);
	assert_true(got > len);
	assert_memory_equal(request + got - len, mail, len);
	/* An empty one too. */
	ask(w, &r, "", 0);
	run(w);
	assert_int_equal(r.answer.answer, ANSWER_CLEAN);
	free(mail);
}

static void
requests_above_the_limit_wait(void **state)
{
	struct world *w = *state;
	struct result r[12];

	fake_spam_reply(w->fake, w->options.backend == SPAM_SPAMD
				     ? SPAMD("0", "True ; 9 / 5", "")
				     : HTTP("200 OK", JSON("reject", "9")));
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], "x", 1);
	run_for(w, 20);
	spam_cancel(r[0].check); /* one that runs */
	spam_cancel(r[5].check); /* one that waits */
	(void)close(r[0].fd);
	(void)close(r[5].fd);
	w->left -= 2;
	run(w);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(r[i].count, i != 0 && i != 5);
		if (r[i].count) {
			assert_int_equal(r[i].answer.answer, ANSWER_HIT);
			assert_true(r[i].answer.score == 9.0);
		}
	}
	assert_true(fake_spam_at_once(w->fake) <= 3); /* one of them ends */
	assert_true(fake_spam_at_once(w->fake) >= 2);
}

static void
freeing_ends_checks_without_their_callback(void **state)
{
	struct world *w = *state;
	struct result r[4];

	fake_spam_reply(w->fake, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		ask(w, &r[i], "x", 1);
	run_for(w, 50);
	w->spam = spam_free(w->spam);
	run_for(w, 50);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(r[i].count, 0);
		(void)close(r[i].fd);
	}
}

static void
an_address_is_host_and_port(void **state)
{
	static const char *const bad[] = {"", "127.0.0.1", "localhost:783",
	    "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999", ":783",
	    "127.0.0.1:x", "[::1]", "::1"};
	struct event_base *base = event_base_new();
	struct spam_options o = {SPAM_SPAMD, "127.0.0.1:783", 1, 1};
	struct spam *s = spam_new(base, &o);

	(void)state;
	assert_non_null(s);
	spam_free(s);
	o.address = "[::1]:783";
	s = spam_new(base, &o);
	assert_non_null(s);
	spam_free(s);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		o.address = bad[i];
		s = spam_new(base, &o);
		if (s)
			fail_msg("taken: \"%s\"", bad[i]);
	}
	event_base_free(base);
}

#define SPAMD_TEST(f) cmocka_unit_test_setup_teardown(f, setup_spamd, teardown)
#define RSPAMD_TEST(f) \
	cmocka_unit_test_setup_teardown(f, setup_rspamd, teardown)
#define BOTH(f) SPAMD_TEST(f), RSPAMD_TEST(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SPAMD_TEST(spamds_answers_are_understood),
	    SPAMD_TEST(spamds_other_answers_are_unknown),
	    RSPAMD_TEST(rspamds_answers_are_understood),
	    RSPAMD_TEST(rspamds_other_answers_are_unknown),
	    BOTH(a_silent_engine_is_unknown_in_time),
	    BOTH(an_absent_engine_is_unknown_at_once),
	    BOTH(a_large_message_arrives_whole),
	    BOTH(requests_above_the_limit_wait),
	    BOTH(freeing_ends_checks_without_their_callback),
	    cmocka_unit_test(an_address_is_host_and_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
