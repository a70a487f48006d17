#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/qf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FIXTURES TEST_SOURCE_DIR "/../fixtures/qf"

static struct qf *
parse(const char *text, size_t len)
{
	struct qf *qf = NULL;
	const char *reason = "";
	int r = qf_parse(text, len, &qf, &reason);

	if (r < 0)
		fail_msg("%s", reason);
	return qf;
}

static struct qf *
load(const char *name)
{
	CLEANUP(free_ptr) char *path = xasprintf(FIXTURES "/%s.qf", name);
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;

	assert_int_equal(
	    read_file(AT_FDCWD, path, QF_MAX_BYTES, &text, &len), 0);
	return parse(text, len);
}

static void
compare_fixture(const char *name)
{
	CLEANUP(free_ptr) char *path = xasprintf(FIXTURES "/%s.headers", name);
	CLEANUP(free_ptr) char *want = NULL;
	struct qf *qf = load(name);
	size_t len;

	print_message("  %s\n", name);
	assert_int_equal(
	    read_file(AT_FDCWD, path, QF_MAX_BYTES, &want, &len), 0);
	assert_int_equal(qf->headers_len, len);
	assert_memory_equal(qf->headers, want, len);
	qf_free(qf);
}

static void
headers_are_what_sendmail_sends_to_the_next_hop(void **state)
{
	DIR *dir = opendir(FIXTURES);
	const struct dirent *e;
	int seen = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		const char *dot = strstr(e->d_name, ".qf");
		char name[256];

		if (!dot)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)(dot - e->d_name), e->d_name);
		compare_fixture(name);
		seen++;
	}
	(void)closedir(dir);
	assert_true(seen >= 22);
}

static void
the_envelope_is_read(void **state)
{
	struct qf *qf = load("recipients");

	(void)state;
	assert_string_equal(qf->sender, "a@x.test");
	assert_int_equal(qf->recipients, 73);
	assert_int_equal(qf->n_rcpt, QF_MAX_RCPT);
	assert_string_equal(qf->rcpt[0], "u0@y.test");
	assert_string_equal(qf->rcpt[63], "u63@y.test");
	assert_string_equal(qf->client, "localhost [127.0.0.1]");
	assert_int_equal(qf->created.usec, UINT64_C(1795333110000000));
	assert_false(qf->eight_bit);
	qf_free(qf);

	qf = load("null-sender");
	assert_string_equal(qf->sender, "");
	qf_free(qf);
	qf = load("quoted-sender");
	assert_string_equal(qf->sender, "\"a b\"@x.test");
	qf_free(qf);
	qf = load("eight-bit");
	assert_true(qf->eight_bit);
	qf_free(qf);
	qf = load("eight-bit-addresses");
	assert_string_equal(qf->sender, "caf\351@x");
	qf_free(qf);
}

static void
a_header_is_found_by_its_name(void **state)
{
	struct qf *qf = load("folded");
	char buf[64];

	(void)state;
	assert_true(qf_header(qf, "x-fold", buf, sizeof(buf)));
	assert_string_equal(buf, "one two\tthree    four  ");
	assert_true(qf_header(qf, "X-Fold2", buf, sizeof(buf)));
	assert_string_equal(buf, "val");
	assert_true(qf_header(qf, "References", buf, sizeof(buf)));
	assert_string_equal(buf, "<a@b> <c@d>");
	assert_false(qf_header(qf, "X-Fol", buf, sizeof(buf)));
	assert_false(qf_header(qf, "Return-Path", buf, sizeof(buf)));
	assert_true(qf_header(qf, "x-fold", buf, 4));
	assert_string_equal(buf, "one");
	assert_true(qf_header(qf, "x-fold", buf, 1));
	assert_string_equal(buf, "");
	assert_true(qf_header(qf, "x-fold", NULL, 0));
	qf_free(qf);

	qf = load("doubled");
	assert_true(qf_header(qf, "Content-Type", buf, sizeof(buf)));
	assert_string_equal(buf, "text/plain");
	qf_free(qf);
	qf = load("empty-values");
	assert_true(qf_header(qf, "X-Empty", buf, sizeof(buf)));
	assert_string_equal(buf, "");
	qf_free(qf);
}

#define MIN "S<a>\nR:<b>\n"

static void
what_is_no_control_file_is_refused(void **state)
{
	static const char *const texts[][2] = {
	    {"", "empty"},
	    {"\n", "V record"},
	    {"V8", "S record|no ."},
	    {"T1\nV8\n" MIN ".\n", "V record"},
	    {"V7\n" MIN ".\n", "version"},
	    {"V88\n" MIN ".\n", "version"},
	    {"V9\n" MIN ".\n", "version"},
	    {"V8\n" MIN, "no ."},
	    {"V8\n" MIN ".", "no ."},
	    {"V8\n" MIN "..\n", "behind"},
	    {"V8\n" MIN ".\nH??a: b\n", "behind"},
	    {"V8\n" MIN ".\n\n", "behind"},
	    {"V8\n" MIN ".\n more\n", "behind"},
	    {"V8\n" MIN "\n.\n", "empty line"},
	    {"V8\ndqd2/df\n" MIN ".\n", "d record"},
	    {"V8\nqbad\n" MIN ".\n", "quarantine"},
	    {"V8\nV8\n" MIN ".\n", "two V"},
	    {"V8\nS<a>\n" MIN ".\n", "two S"},
	    {"V8\nR:<b>\n.\n", "no S"},
	    {"V8\nS<a>\n.\n", "no R"},
	    {"V8\n" MIN "Rnocolon\n.\n", "colon"},
	    {"V8\n" MIN "Hx: y\n.\n", "flags"},
	    {"V8\n" MIN "H\n.\n", "flags"},
	    {"V8\n" MIN "H?x: y\n.\n", "flags"},
	    {"V8\n" MIN "H??x y\n.\n", "name"},
	    {"V8\n" MIN "H??x y: z\n.\n", "name"},
	    {"V8\n" MIN "H??: z\n.\n", "name"},
	    {"V8\n" MIN "H?? x: z\n.\n", "name"},
	    {"V8\n" MIN "H??\n x: z\n.\n", "name"},
	    {"V8\n" MIN "T\n.\n", "T record"},
	    {"V8\n" MIN "T12x\n.\n", "T record"},
	    {"V8\n" MIN "T-1\n.\n", "T record"},
	    {"V8\n" MIN "T123456789012\n.\n", "T record"},
	    {"V8\n" MIN "?what\n.\n", "unknown"},
	    {"V8\n$_a\n$_b\n" MIN ".\n", "two $_"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct qf *qf = NULL;
		const char *reason = NULL;
		size_t len = strlen(texts[i][0]);

		assert_int_equal(
		    qf_parse(texts[i][0], len, &qf, &reason), -EBADMSG);
		assert_null(qf);
		assert_non_null(reason);
		if (i != 2 && !strstr(reason, texts[i][1]))
			fail_msg("%s: %s", texts[i][0], reason);
	}
}

static void
a_nul_is_refused(void **state)
{
	static const char text[] = "V8\n" MIN "H??a: b\0c\n.\n";
	struct qf *qf = NULL;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(
	    qf_parse(text, sizeof(text) - 1, &qf, &reason), -EBADMSG);
	assert_non_null(strstr(reason, "NUL"));
}

static void
a_macro_is_not_passed_off_as_text(void **state)
{
	static const char text[] = "V8\n" MIN "H??X-A: \201g\nH??X-B: \377\201g"
				   "\nH?${x}?X-C: c\nH??X-D: d\377\n.\n";
	static const char want[] = "X-B: \201g\nX-D: d\n";
	struct qf *qf = parse(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(qf->headers_len, sizeof(want) - 1);
	assert_memory_equal(qf->headers, want, sizeof(want) - 1);
	qf_free(qf);
}

/* Lines that sendmail breaks grow: the room must suffice in every case. */
static void
headers_that_grow_have_room(void **state)
{
	static const char head[] = "V8\n" MIN "H??X:";
	const size_t big = 100 * 2304;
	char *text = xcalloc(1, sizeof(head) + big + 16);

	(void)state;
	for (size_t len = big - 5; len < big + 5; len++) {
		struct qf *qf;

		memcpy(text, head, sizeof(head) - 1);
		memset(text + sizeof(head) - 1, 'x', len);
		memcpy(text + sizeof(head) - 1 + len, "\n y\n.\n", 6);
		qf = parse(text, sizeof(head) - 1 + len + 6);
		assert_true(qf->headers_len > len - 100);
		qf_free(qf);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_are_what_sendmail_sends_to_the_next_hop),
	    cmocka_unit_test(the_envelope_is_read),
	    cmocka_unit_test(a_header_is_found_by_its_name),
	    cmocka_unit_test(what_is_no_control_file_is_refused),
	    cmocka_unit_test(a_nul_is_refused),
	    cmocka_unit_test(a_macro_is_not_passed_off_as_text),
	    cmocka_unit_test(headers_that_grow_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
