/*
 * tests/unit/test_ledger_files.c - the ledger knows which message had which
 * file, in whatever order and however often the lines come.
 */
#include "worker/ledger_files.h"

#include "tests/support/ledger_site.h"

#include <errno.h>

#define DAY (86400 * USEC_PER_SEC)

/* A message whose file is named and judged so; hash: one digit. */
static void
say_file(struct site *s, const char *id, uint64_t t, char hash,
    const char *name, const char *answer)
{
	char hex[DIGEST_HEX];
	CLEANUP(free_ptr) char *evidence = NULL;
	struct event in = {.kind = EVENT_MOVE,
	    .t.usec = t - 1,
	    .from = SPOOL_IN,
	    .to = SPOOL_FEED1,
	    .sender = "a@x.test",
	    .rcpt = "b@y.test c@y.test"};
	struct event out = {.kind = EVENT_MOVE,
	    .t.usec = t,
	    .from = SPOOL_FEED1,
	    .to = SPOOL_OUT,
	    .verdict = "clean"};

	memset(hex, hash, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	evidence = xasprintf(
	    "{\"engines\":[],\"reading\":{\"parts\":[{\"sha256\":\"%s\","
	    "\"names\":[\"%s\"],\"bytes\":7,\"view\":\"mime\","
	    "\"flags\":[\"attachment\"],\"verdicts\":[{\"engine\":\"clamd\","
	    "\"answer\":\"%s\"}]}]}}",
	    hex, name, answer);
	out.evidence = evidence;
	(void)strcpy(in.id, id);
	(void)strcpy(out.id, id);
	write_line(s->feed, &in);
	write_line(s->worker, &out);
}

static int
note(void *arg, const struct ledger_file *f)
{
	char *at = (char *)arg + strlen(arg), hex[DIGEST_HEX];

	(void)sprintf(at, "%.1s %s %ju %ju %s %s %s %s>%s %s;",
	    digest_hex(&f->digest, hex), f->id, (uintmax_t)f->t.usec,
	    (uintmax_t)f->bytes, f->name, f->verdict, f->engine, f->sender,
	    f->rcpt, f->place);
	return 0;
}

static const struct ledger_files_query all = {
    .to.bytes = {255, 255, 255, 255, 255, 255, 255, 255}};

static void
files_are(struct site *s, const struct ledger_files_query *q, const char *want)
{
	char have[2000] = "";

	assert_int_equal(ledger_files(s->ledger, q, note, have), 0);
	assert_string_equal(have, want);
}

static void
import(struct site *s)
{
	int r;

	do
		r = ledger_import(s->ledger, s->spool, 1);
	while (r > 0);
	assert_int_equal(r, 0);
}

#define OF_A1 "b A1 2000 7 n.exe hit clamd a@x.test>b@y.test c@y.test out;"
#define OF_A2 "a A2 3000 7 m clean clamd a@x.test>b@y.test c@y.test out;"
#define OF_A3 "b A3 9000 7 o clean clamd a@x.test>b@y.test c@y.test out;"

static void
each_message_of_a_file_is_known_by_its_hash(void **state)
{
	struct site *s = *state;
	struct ledger_files_query q = all;

	say_file(s, "A1", 2000, 'b', "n.exe", "hit");
	say_file(s, "A2", 3000, 'a', "m", "clean");
	say_file(s, "A3", 9000, 'b', "o", "clean");
	say(s, s->feed, "A4", SPOOL_IN, SPOOL_FEED1);
	import(s);
	files_are(s, &all, OF_A2 OF_A1 OF_A3);
	assert_int_equal(ledger_rebuild(s->ledger, s->spool), 7);
	files_are(s, &all, OF_A2 OF_A1 OF_A3);
	/* Seen since then: with its life before. */
	q.since.usec = 9000;
	files_are(s, &q, OF_A1 OF_A3);
	q = all;
	memset(q.to.bytes, 0xaa, sizeof(q.to.bytes));
	files_are(s, &q, OF_A2);
	memset(q.from.bytes, 0xab, sizeof(q.to.bytes));
	files_are(s, &q, "");
}

static void
a_message_that_is_judged_again_counts_once(void **state)
{
	struct site *s = *state;

	say_file(s, "A1", 2000, 'b', "o", "clean");
	say_file(s, "A1", 2000, 'b', "o", "clean");
	import(s);
	files_are(s, &all,
	    "b A1 2000 7 o clean clamd a@x.test>b@y.test c@y.test out;");
	say_file(s, "A1", 4000, 'b', "n", "hit");
	say_file(s, "A1", 3000, 'b', "m", "clean"); /* late */
	import(s);
	files_are(
	    s, &all, "b A1 4000 7 n hit clamd a@x.test>b@y.test c@y.test out;");
}

static int
count(void *arg, const struct ledger_message *m)
{
	*(uint64_t *)arg += m->t.usec + (strcmp(m->sender, "a@x.test") == 0);
	return 0;
}

static void
times_and_people_are_told_since_an_instant(void **state)
{
	struct site *s = *state;
	uint64_t n = 0;

	say_file(s, "A1", 2000, 'b', "o", "clean");
	say_file(s, "A2", 3000, 'b', "o", "clean");
	import(s);
	assert_int_equal(
	    ledger_file_times(s->ledger, (struct wall){2001}, count, &n), 0);
	assert_int_equal(n, 3000);
	n = 0;
	assert_int_equal(
	    ledger_people(s->ledger, (struct wall){1999}, count, &n), 0);
	assert_int_equal(n, 2);
}

static void
what_is_older_than_is_kept_goes_and_does_not_come_back(void **state)
{
	struct site *s = *state;
	const uint64_t now = wall_now().usec;
	CLEANUP(free_ptr) char *want = NULL;

	say_file(s, "A1", now - 3 * DAY, 'a', "o", "clean");
	say_file(s, "A2", now - DAY, 'b', "o", "clean");
	import(s);
	ledger_keep_files(s->ledger, 2 * DAY);
	say(s, s->feed, "A3", SPOOL_IN, SPOOL_FEED1);
	import(s);
	want = xasprintf("b A2 %ju 7 o clean clamd a@x.test>b@y.test "
			 "c@y.test out;",
	    (uintmax_t)(now - DAY));
	files_are(s, &all, want);
	assert_int_equal(ledger_rebuild(s->ledger, s->spool), 5);
	files_are(s, &all, want);
}

/* What a sender can write into a name, as the cell and JSON let it through. */
static void
names_are_cut_between_characters_and_mean_nothing_to_sql(void **state)
{
	struct site *s = *state;
	CLEANUP(free_ptr) char *want = NULL;
	char name[300] = "";

	for (int i = 0; i < 50; i++)
		(void)strcat(name, "\xe2\x82\xac"); /* 150 octets */
	say_file(s, "A1", 2000, 'a', name, "clean");
	say_file(s, "A2", 3000, 'b', "'; DROP TABLE attachment; --", "clean");
	say_file(s, "A3", 4000, 'c', "\\u202e\\\"%s\\n", "clean");
	say_file(s, "A4", 5000, 'd', "bad \\u0000 name", "hit");
	import(s);
	name[78] = '\0'; /* 26 of three octets */
	want = xasprintf(
	    "a A1 2000 7 %s clean clamd a@x.test>b@y.test c@y.test out;"
	    "b A2 3000 7 '; DROP TABLE attachment; -- clean clamd "
	    "a@x.test>b@y.test c@y.test out;"
	    "c A3 4000 7 \xe2\x80\xae\"%%s\n clean clamd a@x.test>b@y.test "
	    "c@y.test out;",
	    name);
	files_are(s, &all, want);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_message_of_a_file_is_known_by_its_hash),
	    TEST(a_message_that_is_judged_again_counts_once),
	    TEST(times_and_people_are_told_since_an_instant),
	    TEST(what_is_older_than_is_kept_goes_and_does_not_come_back),
	    TEST(names_are_cut_between_characters_and_mean_nothing_to_sql),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
