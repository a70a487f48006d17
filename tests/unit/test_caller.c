/*
 * tests/unit/test_caller.c - the engine flow in a judge, between fakes of
 * sluice-flow and sluice-learn.
 */
#include "tests/support/judge_site.h"

#include "common/cleanup.h"
#include "common/ipc.h"

#include <sys/socket.h>

/* One of both: says `reply` to each question; NULL: nothing. */
struct daemon {
	struct event_base *base;
	const char *reply;
	int listener, fd; /* -1: none */
	struct event *event, *readable;
	int questions;
	char last[4096];
};

struct fakes {
	struct site *site;
	struct daemon flow, learn;
};

#define FOUND \
	"found by=client ordinal=2 messages=2 state=open secret=0 " \
	"approximate=0 " FEATURES
#define FEATURES \
	"client=192.0.2.1 port=40000 start=1.5 at=2.5 pkts_in=12 rtt_var=null"
#define OPINION "opinion score=2.25 points=9 above=1 why=idle_max (+0.8)"

static void
on_question(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	const ssize_t n = recv(fd, d->last, sizeof(d->last) - 1, 0);

	(void)what;
	if (n <= 0) {
		(void)event_del(d->readable);
		return;
	}
	d->last[n] = '\0';
	d->questions++;
	if (d->reply)
		assert_true(send(fd, d->reply, strlen(d->reply), 0) > 0);
}

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	d->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(d->fd >= 0);
	d->readable =
	    event_new(d->base, d->fd, EV_READ | EV_PERSIST, on_question, d);
	(void)event_add(d->readable, NULL);
}

static void
daemon_start(struct daemon *d, struct site *s, const char *name)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/flow/%s", s->dir, name);

	d->base = s->base;
	d->fd = -1;
	d->listener = ipc_listen(path);
	assert_true(d->listener >= 0);
	d->event = event_new(
	    s->base, d->listener, EV_READ | EV_PERSIST, on_connected, d);
	(void)event_add(d->event, NULL);
}

static void
daemon_hang_up(struct daemon *d)
{
	if (d->readable)
		event_free(d->readable);
	d->readable = NULL;
	close_fd(&d->fd);
	d->fd = -1;
}

static void
daemon_stop(struct daemon *d)
{
	daemon_hang_up(d);
	if (d->event)
		event_free(d->event);
	d->event = NULL;
	close_fd(&d->listener);
	d->listener = -1;
}

static bool
leave_little(struct reading_writer *w, void *arg)
{
	(void)arg;
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

static int
set_up(void **state)
{
	struct fakes *f = xcalloc(1, sizeof(*f));
	CLEANUP(free_ptr) char *dir = NULL;
	struct site *s;

	assert_int_equal(site_setup((void **)&f->site), 0);
	s = f->site;
	dir = xasprintf("%s/flow", s->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	f->flow = (struct daemon){.listener = -1, .fd = -1};
	f->learn = f->flow;
	daemon_start(&f->flow, s, "flow.sock");
	daemon_start(&f->learn, s, "learn.sock");
	f->flow.reply = FOUND;
	f->learn.reply = OPINION;
	site_set(&s->conf->worker.engines, "clamd spam flow", "");
	s->conf->flow.timeout_usec = USEC_PER_SEC / 5;
	s->conf->flow.weight = 4;
	s->reading = leave_little;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fakes *f = *state;

	daemon_stop(&f->flow);
	daemon_stop(&f->learn);
	(void)site_teardown((void **)&f->site);
	free(f);
	return 0;
}

static void
start(struct site *s)
{
	char err[200] = "";

	assert_int_equal(site_start(s, err, sizeof(err)), 0);
}

static const struct wire_job usual = {.job = 1,
    .id = "6ATFsbUP018818",
    .sender = "a@x.test",
    .rcpt = "b@y.test",
    .client = "client.test [192.0.2.1]",
    .address = "192.0.2.1",
    .port = 40000,
    .message_id = " (c) <id@x.test> d"};

static void
judge(struct site *s, const struct wire_job *like, const char *content)
{
	struct wire_job info = *like;
	const int fd = memfd_new("message");

	info.bytes = strlen(content);
	assert_int_equal(write_all(fd, content, strlen(content)), 0);
	s->done[1] = 0;
	judge_submit(s->judge, &info, fd);
	assert_int_equal(s->done[1], 0);
	site_finish(s, 1);
	site_run_for(s, 5000); /* what is still said to the learner */
}

static void
the_connection_is_asked_for_and_judged(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;

	s->conf->flow.weight = 0;
	start(s);
	judge(s, &usual, "OK");
	assert_string_equal(f->flow.last,
	    "client=192.0.2.1 port=40000 queue=6ATFsbUP018818 "
	    "id=<id@x.test>");
	assert_int_equal(f->flow.questions, 1);
	site_said(s, 1, "flow", ANSWER_CLEAN,
	    "score +2.25, 0.0 points: idle_max (+0.8)");
	assert_true(site_answer(s, 1, "flow")->score == 2.25);
	site_said(s, 1, "spam", ANSWER_CLEAN, "score 1.5 of 5.0: A");
	assert_non_null(strstr(s->evidence[1],
	    "\"flow\":{\"by\":\"client\",\"ordinal\":2,\"score\":2.25,"
	    "\"points\":0.0,\"client\":\"192.0.2.1\",\"port\":40000,"
	    "\"start\":1.5,\"at\":2.5,\"pkts_in\":12,\"rtt_var\":null}"));
	/* And what the spam engine said is learned, with the same features. */
	assert_int_equal(f->learn.questions, 2);
	assert_string_equal(f->learn.last, "learn content=1.5 " FEATURES);
}

static void
points_make_spam_of_what_the_spam_engine_passed(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;

	start(s);
	judge(s, &usual, "OK");
	site_said(s, 1, "flow", ANSWER_CLEAN, "score +2.25, 4.0 points");
	site_said(s, 1, "spam", ANSWER_HIT,
	    "score 1.5 + 4.0 for its connection of 5.0: A");
	assert_string_equal(f->learn.last, "learn content=1.5 " FEATURES);
	s->conf->flow.weight = 3;
	judge(s, &usual, "OK");
	site_said(s, 1, "spam", ANSWER_CLEAN, "score 1.5 of 5.0: A");
}

static void
no_points_make_ham_of_spam(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;

	fake_spam_reply(s->spam, SITE_SPAM);
	f->learn.reply = "opinion score=-3 points=-9 above=0 why=none";
	start(s);
	judge(s, &usual, "OK");
	site_said(s, 1, "spam", ANSWER_HIT, "score 9.5 of 5.0: GTUBE");
	assert_string_equal(f->learn.last, "learn content=9.5 " FEATURES);
}

/* What sluice-flow and sluice-learn say; NULL: nothing, in time. */
static const struct {
	const char *flow, *learn, *reason;
} without[] = {
    {"none reason=unknown", OPINION,
	"no opinion: its connection isn't known: unknown"},
    {"none reason=ambiguous", OPINION,
	"no opinion: its connection isn't known: ambiguous"},
    {NULL, OPINION, "no opinion: sluice-flow: no answer in time"},
    {"foul by=client", OPINION, "no opinion: sluice-flow's answer is none"},
    {"found by=client ordinal=1", OPINION,
	"no opinion: sluice-flow's answer is none"},
    {"found by=client ordinal=-1 client=1", OPINION,
	"no opinion: sluice-flow's answer is none"},
    {FOUND, NULL,
	"no opinion: found by client, but sluice-learn: no answer in time"},
    {FOUND, "opinion score=1e999 points=3 above=1 why=x",
	"no opinion: sluice-learn's answer is none"},
    {FOUND, "opinion score=1 points=null above=1 why=x",
	"no opinion: sluice-learn's answer is none"},
    {FOUND, "none reason=bad-question",
	"no opinion: sluice-learn's answer is none"},
    {FOUND, "opinion score=null points=0 above=0 why=too few mails",
	"no opinion: too few mails"},
};

static void
without_an_opinion_the_mail_is_judged_all_the_same(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;

	start(s);
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		struct mono begun;

		f->flow.reply = without[i].flow;
		f->learn.reply = without[i].learn;
		begun = mono_now();
		judge(s, &usual, "OK");
		assert_true(mono_span(begun, mono_now()) < USEC_PER_SEC);
		print_message("  %s\n", without[i].reason);
		site_said(s, 1, "flow", ANSWER_CLEAN, without[i].reason);
		site_said(s, 1, "spam", ANSWER_CLEAN, "score 1.5 of 5.0: A");
		daemon_hang_up(&f->flow);
		daemon_hang_up(&f->learn);
		site_run_for(s, 2000);
	}
}

static void
a_daemon_may_come_and_go(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;

	daemon_stop(&f->flow);
	start(s);
	judge(s, &usual, "OK");
	site_said(s, 1, "flow", ANSWER_CLEAN,
	    "no opinion: sluice-flow: Connection refused");
	daemon_start(&f->flow, s, "flow.sock");
	judge(s, &usual, "OK");
	site_said(s, 1, "flow", ANSWER_CLEAN, "score +2.25");
	daemon_stop(&f->flow);
	daemon_start(&f->flow, s, "flow.sock");
	judge(s, &usual, "OK");
	site_said(s, 1, "flow", ANSWER_CLEAN, "score +2.25");
}

/* Early is a message of which sluice-flow hasn't seen the end. */
static void
who_is_asked_too_early_is_asked_again(void **state)
{
	static const char early[] =
	    "found by=client ordinal=0 messages=0 state=open secret=0 "
	    "approximate=0 " FEATURES;
	struct fakes *f = *state;
	struct site *s = f->site;

	f->flow.reply = early;
	start(s);
	judge(s, &usual, "OK");
	assert_int_equal(f->flow.questions, 2);
	assert_non_null(strstr(s->evidence[1], "\"ordinal\":0"));
	f->flow.reply = "none reason=unknown";
	judge(s, &usual, "OK");
	assert_int_equal(f->flow.questions, 4);
	f->flow.reply = "found by=client ordinal=0 messages=0 state=open "
			"secret=1 approximate=0 " FEATURES;
	judge(s, &usual, "OK");
	assert_int_equal(f->flow.questions, 5);
}

/* A late answer to one is not taken for that to the next. */
static void
an_answer_that_is_late_is_nobody_elses(void **state)
{
	static const char late[] =
	    "found by=id ordinal=1 client=192.0.2.9 port=1 pkts_in=1";
	struct fakes *f = *state;
	struct site *s = f->site;

	f->flow.reply = NULL;
	start(s);
	judge(s, &usual, "OK");
	site_said(s, 1, "flow", ANSWER_CLEAN, "no answer in time");
	assert_true(send(f->flow.fd, late, sizeof(late) - 1, 0) > 0);
	f->flow.reply = FOUND;
	judge(s, &usual, "OK");
	site_said(s, 1, "flow", ANSWER_CLEAN, "score +2.25");
	assert_null(strstr(s->evidence[1], "192.0.2.9"));
	assert_string_equal(f->learn.last, "learn content=1.5 " FEATURES);
}

static void
what_a_sender_writes_makes_no_question(void **state)
{
	static const struct {
		const char *message_id, *question;
	} rows[] = {
	    {"<a b@x.test>", "client=192.0.2.1 port=40000 "
			     "queue=6ATFsbUP018818 "},
	    {"<a\x01@x.test>", "client=192.0.2.1 port=40000 "
			       "queue=6ATFsbUP018818 "},
	    {"a@x.test", "client=192.0.2.1 port=40000 "
			 "queue=6ATFsbUP018818 "},
	    {"<a@x.test> client=192.0.2.9 port=1",
		"client=192.0.2.1 port=40000 queue=6ATFsbUP018818 "
		"id=<a@x.test>"},
	};
	struct fakes *f = *state;
	struct site *s = f->site;

	start(s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_job info = usual;

		(void)strcpy(info.message_id, rows[i].message_id);
		judge(s, &info, "OK");
		assert_string_equal(f->flow.last, rows[i].question);
	}
}

static void
mail_of_no_connection_is_not_asked_about(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;
	struct wire_job info = usual;

	info.client[0] = '\0';
	start(s);
	judge(s, &info, "OK");
	assert_int_equal(f->flow.questions, 0);
	site_said(
	    s, 1, "flow", ANSWER_CLEAN, "no opinion: it came by no connection");
}

static void
only_a_final_verdict_on_content_is_learned(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;
	struct wire_job info = usual;

	start(s);
	judge(s, &usual, "Eicar FOUND");
	site_said(s, 1, "clamd", ANSWER_HIT, "Eicar");
	assert_int_equal(f->learn.questions, 1);
	info.afresh = 1;
	judge(s, &info, "OK");
	assert_int_equal(f->learn.questions, 2);
	fake_spam_reply(s->spam, "SPAMD/1.1 76 Bad header line\r\n");
	judge(s, &usual, "OK");
	site_said(s, 1, "spam", ANSWER_UNKNOWN_SYSTEM, "spamd");
	assert_int_equal(f->learn.questions, 3);
	assert_null(strstr(f->learn.last, "learn"));
}

static void
a_judge_that_ends_asks_nobody_back(void **state)
{
	struct fakes *f = *state;
	struct site *s = f->site;

	f->flow.reply = NULL;
	start(s);
	site_submit(s, 1, "OK");
	site_run_for(s, 20000);
	s->judge = judge_free(s->judge);
	site_run_for(s, 20000);
	assert_int_equal(s->done[1], 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_connection_is_asked_for_and_judged),
	    TEST(points_make_spam_of_what_the_spam_engine_passed),
	    TEST(no_points_make_ham_of_spam),
	    TEST(without_an_opinion_the_mail_is_judged_all_the_same),
	    TEST(a_daemon_may_come_and_go),
	    TEST(who_is_asked_too_early_is_asked_again),
	    TEST(an_answer_that_is_late_is_nobody_elses),
	    TEST(what_a_sender_writes_makes_no_question),
	    TEST(mail_of_no_connection_is_not_asked_about),
	    TEST(only_a_final_verdict_on_content_is_learned),
	    TEST(a_judge_that_ends_asks_nobody_back),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
