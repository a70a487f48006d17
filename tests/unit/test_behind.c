/*
 * tests/unit/test_behind.c - links of a mail before the judge, with a fetch
 * role that says what a test wants.
 */
#include "tests/support/judge_site.h"

#include "common/cleanup.h"
#include "worker/behind.h"
#include "worker/fetcher.h"

#include <jansson.h>

static struct {
	int fds[2]; /* the judge's end, the fetch role's */
	struct ipc_msg msg;
	int n_long;
	uint32_t n_links;   /* of each mail */
	unsigned int mails; /* readings that are a mail's, not a file's */
	unsigned int readings;
	const char *file; /* what clamd says of each file */
	bool is_cut;
} web;

/* Mails first, then files behind their links. */
static bool
leave(struct reading_writer *w, void *arg)
{
	char url[64];

	(void)arg;
	if (web.readings++ >= web.mails) {
		(void)fake_part(w, web.file, strlen(web.file), "a.pdf");
	} else {
		(void)fake_part(w, "OK", 2, "");
		for (uint32_t i = 0; i < web.n_links; i++) {
			(void)snprintf(url, sizeof(url), "http://a.test/%u.pdf",
			    (unsigned int)i);
			writer_link(w, url, web.n_links);
		}
		if (web.is_cut)
			writer_links_cut(w);
	}
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

static void
on_long(void *arg, uint64_t job)
{
	(void)arg;
	assert_true(job > 0);
	web.n_long++;
}

static void
start(struct site *s)
{
	char err[200] = "";

	assert_int_equal(site_start(s, err, sizeof(err)), 0);
	judge_fetch(s->judge, web.fds[0], on_long);
}

static int
setup(void **state)
{
	int r = site_setup(state);
	struct site *s = *state;

	memset(&web, 0, sizeof(web));
	web.n_links = 1;
	web.mails = 1;
	web.file = "OK";
	assert_int_equal(ipc_pair(web.fds), 0);
	s->conf->links.enabled = true;
	s->reading = leave;
	return r;
}

static int
teardown(void **state)
{
	int r = site_teardown(state);

	(void)close(web.fds[0]);
	if (web.fds[1] >= 0)
		(void)close(web.fds[1]);
	return r;
}

/* What the judge asks next, or NULL when it has asked nothing for a while. */
static const struct wire_fetch *
asked(struct site *s)
{
	const struct mono begin = mono_now();
	const struct wire_fetch *f;

	while (mono_span(begin, mono_now()) < USEC_PER_SEC / 5) {
		site_turn(s);
		if (ipc_recv(web.fds[1], &web.msg) < 0)
			continue;
		assert_int_equal(wire_fetch(&web.msg, &f), 0);
		return f;
	}
	return NULL;
}

static void
say(const struct wire_fetched *f, const char *content, bool seal)
{
	CLEANUP(close_fd) int fd = memfd_new("file");

	assert_int_equal(write_all(fd, content, strlen(content)), 0);
	if (seal)
		assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(
	    ipc_send(web.fds[1], WIRE_FETCHED, f, sizeof(*f), &fd, (int)f->got),
	    0);
}

static void
bring(uint64_t number, const char *content)
{
	const struct wire_fetched f = {.number = number,
	    .got = 1,
	    .bytes = strlen(content),
	    .name = "a.pdf"};

	say(&f, content, true);
}

static void
bring_none(uint64_t number)
{
	const struct wire_fetched f = {
	    .number = number, .text = "nobody there"};

	say(&f, "", true);
}

static void
a_hit_behind_a_link_is_one_of_the_mail(void **state)
{
	struct site *s = *state;
	const struct wire_fetch *f;

	web.file = "A FOUND";
	start(s);
	site_submit(s, 1, "OK");
	f = asked(s);
	assert_non_null(f);
	assert_string_equal(f->url, "http://a.test/0.pdf");
	assert_int_equal(s->done[1], 0);
	assert_int_equal(web.n_long, 1);
	bring(f->number, "octets");
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_HIT, "A (behind http://a.test/0.pdf)");
	site_said(s, 1, "links", ANSWER_CLEAN, "");
	assert_non_null(strstr(s->evidence[1],
	    "\"url\":\"http://a.test/0.pdf\",\"fetched\":true,\"bytes\":6"));
	assert_non_null(strstr(s->evidence[1], "\"a.pdf\""));
}

static void
a_harmless_file_changes_nothing(void **state)
{
	struct site *s = *state;

	start(s);
	site_submit(s, 1, "OK");
	bring(asked(s)->number, "octets");
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_CLEAN, "");
	site_said(s, 1, "policy", ANSWER_CLEAN, "");
	assert_int_equal(web.readings, 2);
}

static void
a_mail_with_anything_against_it_asks_for_nothing(void **state)
{
	static const char *const raws[] = {"B FOUND", "New ERROR"};
	struct site *s = *state;

	start(s);
	for (size_t i = 0; i < ARRAY_SIZE(raws); i++) {
		web.readings = 0;
		site_submit(s, 1, raws[i]);
		assert_null(asked(s));
		site_finish(s, 1);
	}
	fake_spam_reply(s->spam, SITE_SPAM);
	web.readings = 0;
	site_submit(s, 1, "OK");
	assert_null(asked(s));
	site_finish(s, 1);
	site_said(s, 1, "spam", ANSWER_HIT, "GTUBE");
	assert_int_equal(web.n_long, 0);
}

static void
what_did_not_come_is_evidence_and_no_more(void **state)
{
	struct site *s = *state;

	web.n_links = 2;
	start(s);
	site_submit(s, 1, "OK");
	bring_none(asked(s)->number);
	bring_none(asked(s)->number);
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_CLEAN, "");
	site_said(s, 1, "links", ANSWER_CLEAN, "");
	assert_non_null(strstr(
	    s->evidence[1], "\"fetched\":false,\"why\":\"nobody there\""));
}

static void
with_hold_what_did_not_come_holds(void **state)
{
	struct site *s = *state;

	site_set(&s->conf->links.unfetched, "hold", "");
	start(s);
	site_submit(s, 1, "OK");
	bring_none(asked(s)->number);
	site_finish(s, 1);
	site_said(s, 1, "links", ANSWER_HIT,
	    "held: http://a.test/0.pdf not fetched: nobody there");
	/* More links than are told are not fetched, either. */
	web.readings = 0;
	web.is_cut = true;
	site_submit(s, 1, "OK");
	bring(asked(s)->number, "octets");
	site_finish(s, 1);
	site_said(s, 1, "links", ANSWER_HIT, "links.per_message");
	assert_non_null(strstr(s->evidence[1], "\"links_omitted\":true"));
}

static void
a_file_without_its_end_is_judged_and_holds(void **state)
{
	struct wire_fetched f = {
	    .got = 1, .is_cut = 1, .bytes = 6, .text = "cut off"};
	struct site *s = *state;

	web.file = "A FOUND";
	site_set(&s->conf->links.unfetched, "hold", "");
	start(s);
	site_submit(s, 1, "OK");
	f.number = asked(s)->number;
	say(&f, "octets", true);
	site_finish(s, 1);
	site_said(s, 1, "clamd", ANSWER_HIT, "A");
	site_said(s, 1, "links", ANSWER_HIT, "cut off");
}

static void
no_more_links_are_asked_than_the_limit_whatever_a_cell_says(void **state)
{
	struct site *s = *state;

	web.n_links = 9;
	s->conf->links.per_message = 3;
	start(s);
	site_submit(s, 1, "OK");
	for (int i = 0; i < 3; i++)
		bring_none(asked(s)->number);
	assert_null(asked(s));
	site_finish(s, 1);
}

static void
links_are_left_alone_without_a_fetch_role(void **state)
{
	struct site *s = *state;
	char err[200];

	assert_int_equal(site_start(s, err, sizeof(err)), 0);
	site_submit(s, 1, "OK");
	assert_null(asked(s));
	site_finish(s, 1);
	assert_null(strstr(s->evidence[1], "links"));
}

static void
a_file_that_could_still_change_ends_the_role(void **state)
{
	struct wire_fetched f = {.got = 1, .bytes = 6};
	struct site *s = *state;

	start(s);
	site_submit(s, 1, "OK");
	f.number = asked(s)->number;
	say(&f, "octets", false);
	site_run_for(s, USEC_PER_SEC / 20);
	assert_int_equal(s->lost, 1);
	assert_int_equal(s->done[1], 0);
}

static void
a_file_of_another_size_ends_the_role(void **state)
{
	struct wire_fetched f = {.got = 1, .bytes = 7};
	struct site *s = *state;

	start(s);
	site_submit(s, 1, "OK");
	f.number = asked(s)->number;
	say(&f, "octets", true);
	site_run_for(s, USEC_PER_SEC / 20);
	assert_int_equal(s->lost, 1);
}

static void
the_end_of_the_fetch_role_is_told(void **state)
{
	struct site *s = *state;

	start(s);
	site_submit(s, 1, "OK");
	assert_non_null(asked(s));
	(void)close(web.fds[1]);
	web.fds[1] = -1;
	site_run_for(s, USEC_PER_SEC / 20);
	assert_int_equal(s->lost, 1);
}

/* The mail holds all the room that there is for readings while it waits. */
static void
a_file_is_read_though_mail_has_all_the_room(void **state)
{
	struct site *s = *state;

	web.mails = 1;
	s->conf->budget.output_bytes = 1;
	start(s);
	site_submit(s, 1, "OK");
	bring(asked(s)->number, "octets");
	site_finish(s, 1);
	assert_int_equal(web.readings, 2);
}

/* The other places are for those that wait for clones. */
static void
links_take_half_of_the_places_of_long_messages(void **state)
{
	struct site *s = *state;
	const struct wire_fetch *f;

	web.mails = 2;
	s->conf->detonate.waiting = 2;
	start(s);
	site_submit(s, 1, "OK");
	f = asked(s);
	assert_non_null(f);
	site_submit(s, 2, "OK");
	assert_null(asked(s));
	site_finish(s, 2);
	assert_non_null(strstr(s->evidence[2], "too many messages wait"));
	assert_int_equal(s->done[1], 0);
	assert_int_equal(web.n_long, 1);
	bring_none(f->number);
	site_finish(s, 1);
	/* Its place is free again. */
	web.readings = 0;
	site_submit(s, 3, "OK");
	assert_non_null(asked(s));
}

static void
above_the_most_at_a_time_a_link_is_refused_at_once(void **state)
{
	struct site *s = *state;
	int n = 0;

	web.n_links = 16;
	web.mails = 3;
	s->conf->links.per_message = 16;
	start(s);
	for (uint64_t job = 1; job <= 3; job++)
		site_submit(s, job, "OK");
	while (asked(s))
		n++;
	assert_int_equal(n, FETCHER_MOST);
}

static void
the_evidence_of_many_links_fits(void **state)
{
	struct site *s = *state;
	json_t *root;

	web.n_links = 16;
	s->conf->links.per_message = 16;
	start(s);
	site_submit(s, 1, "OK");
	for (int i = 0; i < 16; i++)
		bring(asked(s)->number, "octets");
	site_finish(s, 1);
	assert_true(strlen(s->evidence[1]) <= WIRE_EVIDENCE_MAX);
	root = json_loads(s->evidence[1], 0, NULL);
	assert_int_equal(json_array_size(json_object_get(root, "links")), 16);
	assert_int_equal(json_array_size(json_object_get(root, "parts")), 1);
	json_decref(root);
}

/* The head of the mail that a file becomes. */
static void
head_is(const struct wire_fetched *f, const char *url, const char *want)
{
	CLEANUP(close_fd) int file = memfd_new("file");
	CLEANUP(close_fd) int mail = -1;
	CLEANUP(free_ptr) char *text = NULL;
	uint64_t bytes;
	size_t len;

	assert_int_equal(write_all(file, "a\0b\n\nc", 6), 0);
	mail = behind_mail(url, f, file, &bytes);
	assert_true(mail >= 0);
	assert_int_equal(read_fd(mail, 4096, &text, &len), 0);
	assert_int_equal(len, bytes);
	assert_memory_equal(text + len - 6, "a\0b\n\nc", 6);
	text[len - 6] = '\0';
	assert_string_equal(text, want);
}

static void
no_server_can_write_more_than_its_own_header_fields(void **state)
{
	const struct wire_fetched plain = {.bytes = 6, .name = "c.exe"};
	const struct wire_fetched evil = {.bytes = 6,
	    .name = "a\";\r\nX: y\377",
	    .type = "multipart/mixed; boundary=x",
	    .disposition = "inline; filename=\"a\r\n\r\nb\n; x"};
	const struct wire_fetched typed = {
	    .bytes = 6, .type = "application/PDF;a=b"};

	(void)state;
	head_is(&plain, "http://a.test/b%20d.pdf?e",
	    "MIME-Version: 1.0\n"
	    "Content-Type: application/octet-stream; name*=utf-8''b%20d.pdf\n"
	    "Content-Transfer-Encoding: binary\n"
	    "Content-Disposition: attachment; filename*=utf-8''c.exe\n\n");
	head_is(&evil, "http://a.test/b.pdf",
	    "MIME-Version: 1.0\n"
	    "Content-Type: application/octet-stream; name*=utf-8''b.pdf\n"
	    "Content-Transfer-Encoding: binary\n"
	    "Content-Disposition: attachment; "
	    "filename*=utf-8''a%22%3B%0D%0AX%3A%20y%FF"
	    "; filename=\"a    b ; x\n\n");
	head_is(&typed, "http://a.test/b.pdf",
	    "MIME-Version: 1.0\n"
	    "Content-Type: application/PDF; name*=utf-8''b.pdf\n"
	    "Content-Transfer-Encoding: binary\n"
	    "Content-Disposition: attachment; filename*=utf-8''b.pdf\n\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_hit_behind_a_link_is_one_of_the_mail),
	    TEST(a_harmless_file_changes_nothing),
	    TEST(a_mail_with_anything_against_it_asks_for_nothing),
	    TEST(what_did_not_come_is_evidence_and_no_more),
	    TEST(with_hold_what_did_not_come_holds),
	    TEST(a_file_without_its_end_is_judged_and_holds),
	    TEST(no_more_links_are_asked_than_the_limit_whatever_a_cell_says),
	    TEST(links_are_left_alone_without_a_fetch_role),
	    TEST(a_file_that_could_still_change_ends_the_role),
	    TEST(a_file_of_another_size_ends_the_role),
	    TEST(the_end_of_the_fetch_role_is_told),
	    TEST(a_file_is_read_though_mail_has_all_the_room),
	    TEST(links_take_half_of_the_places_of_long_messages),
	    TEST(above_the_most_at_a_time_a_link_is_refused_at_once),
	    TEST(the_evidence_of_many_links_fits),
	    cmocka_unit_test(
		no_server_can_write_more_than_its_own_header_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
