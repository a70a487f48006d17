/* What the new pair says: its headers, its flags, the text, the original. */
#include "tests/support/wrap_site.h"

#include <sys/random.h>

/* The next draws of random bits, all of one octet; 0: real ones. */
static unsigned char draws[2];
static size_t n_drawn;

ssize_t __real_getrandom(void *, size_t, unsigned int);
ssize_t __wrap_getrandom(void *, size_t, unsigned int);
ssize_t
__wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	if (n_drawn == ARRAY_SIZE(draws) || draws[n_drawn] == 0)
		return __real_getrandom(buf, len, flags);
	memset(buf, draws[n_drawn++], len);
	return (ssize_t)len;
}

static void
expect_file(const struct wrap_site *f, const char *name, const char *fmt,
    const char *word)
{
	CLEANUP(free_ptr) char *got = NULL, *want = NULL;
	const char *at = strstr(fmt, "%s");
	size_t len;

	got = wrap_read(f, name, &len);
	want = xasprintf("%.*s%s%s", (int)(at - fmt), fmt, word, at + 2);
	assert_string_equal(got, want);
}

static void
the_new_pair_is_this(void **state)
{
	struct wrap_site *f = *state;
	CLEANUP(free_ptr) char *qf = NULL, *b = NULL;
	size_t len;

	wrap_put_pair(f);
	wrap_and_look(f);
	qf = wrap_read(f, "qfA1", &len);
	b = wrapped_boundary(qf);
	assert_int_equal(strlen(b), 41);
	expect_file(f, "qfA1",
	    "V8\nT1795333110\nK0\nN0\nP30108\nFbs\n$_localhost [127.0.0.1]\n"
	    "$rESMTP\n$sclient.test\nS<a@x.test>\nrRFC822; b@y.test\n"
	    "RPFD:<b@y.test>\nH?P?Return-Path: <\201g>\n"
	    "H??Received: from client.test\n\tby mx.sluice.test; now\n"
	    "H??Subject: s\nH??MIME-Version: 1.0\n"
	    "H??Content-Type: multipart/mixed;\n\tboundary=\"%s\"\n"
	    "H??Content-Transfer-Encoding: 7bit\n.\n",
	    b);
}

#define QF_START "V8\nT1\nF8b\nB7BIT\nS<a@x.test>\nRPFD:<b@y.test>\n"

static void
headers_of_the_body_go_and_all_others_stay(void **state)
{
	static const char want[] =
	    QF_START "H??Date: d\nH??Contents: kept\nH??ARC: kept\n"
		     "H??X-Content-Type: k\nH??List-Id: <l>\n"
		     "H??In-Reply-To: <2>\nH??MIME-Version: 1.0\n"
		     "H??Content-Type: multipart/mixed;\n\tboundary=";
	struct wrap_site *f = *state;
	CLEANUP(free_ptr) char *qf = NULL;
	size_t len;

	wrap_put(f, "qfA1",
	    QF_START "H??DKIM-Signature: v=1; b=x\n\ty\n"
		     "H??ARC-Seal: i=1\nH??DomainKey-Signature: a\n"
		     "H??Date: d\nH??content-TYPE: text/html;\n charset=x\n"
		     "H??MIME-version: 1.0\nH??mime-version: 2.0\n"
		     "H??Content-Nonsense: z\nH?M?Content-Id: <1>\n"
		     "H??Contents: kept\nH??ARC: kept\nH??X-Content-Type: k\n"
		     "H??List-Id: <l>\nH??In-Reply-To: <2>\n.\n");
	wrap_put(f, "dfA1", "b\n");
	wrap_and_look(f);
	qf = wrap_read(f, "qfA1", &len);
	/* 7-bit: its flags are not touched */
	assert_memory_equal(qf, want, strlen(want));
}

static void
octets_above_127_are_declared(void **state)
{
	static const struct {
		const char *before, *header, *body, *after;
	} rows[] = {
	    {"Fb\n", "", "\xc3\xa4\n", "F8b\nS\nB8BITMIME\n"},
	    {"", "", "\xff\n", "S\nF8\nB8BITMIME\n"},
	    {"F8\nB8BITMIME\n", "", "\xff", "F8\nB8BITMIME\nS\n"},
	    {"Fb\nB7BIT\n", "\xe4", "", "F8b\nB8BITMIME\nS\n"},
	    {"Fb\nB7BIT\nB7BIT\n", "\xe4", "", "F8b\nB8BITMIME\nS\n"},
	};
	struct wrap_site *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_ptr) char *qf = NULL, *got = NULL, *df = NULL;
		CLEANUP(free_ptr) char *want = NULL;
		size_t len;

		qf = xasprintf("V8\n%sS<>\nRPFD:<b>\nH??Subject: s%s\n.\n",
		    rows[i].before, rows[i].header);
		wrap_put(f, "qfA1", qf);
		wrap_put(f, "dfA1", rows[i].body);
		wrap_and_look(f);
		got = wrap_read(f, "qfA1", &len);
		df = wrap_read(f, "dfA1", &len);
		assert_non_null(
		    strstr(got, "H??Content-Transfer-Encoding: 8bit\n"));
		assert_non_null(
		    strstr(df, "\nContent-Transfer-Encoding: 8bit\n"));
		/* S stands for the records in between. */
		want = xasprintf("V8\n%.*sS<>\nRPFD:<b>\n%sH??",
		    (int)strcspn(rows[i].after, "S"), rows[i].after,
		    strchr(rows[i].after, 'S') + 2);
		assert_memory_equal(got, want, strlen(want));
	}
}

static void
a_body_is_enclosed_to_its_last_octet(void **state)
{
	static const char *const bodies[] = {"", "\n", "x", "x\n", "x\n\n",
	    "--x\n", "--=_sluice_--\n\n.\n", "From x\r\n\r\n"};
	struct wrap_site *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		wrap_put_pair(f);
		wrap_put(f, "dfA1", bodies[i]);
		wrap_and_look(f);
	}
	/* Without any header that is sent it begins with the empty line. */
	wrap_put(f, "qfA1", "V8\nS<>\nRPFD:<b>\n.\n");
	wrap_put(f, "dfA1", "x\n");
	wrap_and_look(f);
}

/* 9e9e... and ababab...: the first is across the end of a chunk of 64 KiB. */
static void
a_boundary_that_is_in_the_original_is_not_taken(void **state)
{
	static const size_t places[] = {
	    0, 5, 65536 - 20, 65536 - 1, 65536, 2 * 65536 - 40, 199000};
	struct wrap_site *f = *state;
	CLEANUP(free_ptr) char *body = xcalloc(1, 200001);
	CLEANUP(free_ptr) char *qf = NULL, *b = NULL;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		static const char word[] =
		    "=_sluice_9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e";

		memset(body, 'x', 200000);
		memcpy(body + places[i], word, strlen(word));
		draws[0] = 0x9e;
		draws[1] = 0xab;
		n_drawn = 0;
		wrap_put_pair(f);
		wrap_put(f, "dfA1", body);
		wrap_and_look(f);
		assert_int_equal(n_drawn, 2);
		free(TAKE_PTR(qf));
		free(TAKE_PTR(b));
		qf = wrap_read(f, "qfA1", &len);
		b = wrapped_boundary(qf);
		assert_string_equal(
		    b, "=_sluice_abababababababababababababababab");
	}
	draws[0] = 0x9e;
	n_drawn = 0;
	wrap_put(f, "qfA1",
	    "V8\nS<>\nRPFD:<b>\n"
	    "H??X: =_sluice_9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e\n.\n");
	wrap_put(f, "dfA1", "");
	wrap_and_look(f);
	assert_int_equal(n_drawn, 2);
}

static void
the_text_is_quoted_printable(void **state)
{
	struct wrap_site *f = *state;
	CLEANUP(free_ptr) char *df = NULL, *line = NULL;
	size_t len;

	wrap_put_pair(f);
	assert_int_equal(wrap_take(f), 0);
	line = xasprintf("%074d\xc3\xa4 \n\tb = c\t\n--x\r\n.\nend ", 0);
	assert_int_equal(wrap_claimed(f, line), 0);
	df = wrap_read(f, "dfA1", &len);
	assert_non_null(strstr(df, "0000=\n=C3=A4=20\n\tb =3D c=09\n--x=0D\n"
				   ".\nend=20\n--=_sluice_"));
	for (const char *p = df; *p; p += strcspn(p, "\n") + 1)
		assert_true(strcspn(p, "\n") <= 76);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, wrap_set_up, wrap_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_new_pair_is_this),
	    TEST(headers_of_the_body_go_and_all_others_stay),
	    TEST(octets_above_127_are_declared),
	    TEST(a_body_is_enclosed_to_its_last_octet),
	    TEST(a_boundary_that_is_in_the_original_is_not_taken),
	    TEST(the_text_is_quoted_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
