/*
 * tests/unit/test_repository.c - the repository's file of labels, what its
 * reader of samples leaves, and addresses of notices.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"
#include "tools/sluice/repository_labels.h"
#include "tools/sluice/repository_look.h"
#include "tools/sluice/repository_notice.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define A "00000000000000000000000000000000000000000000000000000000000000aa"
#define T "2026-01-01T00:00:00Z "

struct seen {
	size_t n;
	enum sample_label last;
	char note[100];
};

static void
see(void *arg, const struct label_line *line)
{
	struct seen *seen = arg;

	assert_int_equal(line->digest.bytes[31], 0xaa);
	assert_string_equal(line->by, "who");
	seen->n++;
	seen->last = line->label;
	(void)snprintf(seen->note, sizeof(seen->note), "%s", line->note);
}

/* A directory that has nothing but labels. */
static int
site_make(void **state)
{
	struct repository *r = xcalloc(1, sizeof(*r));

	r->path = tmp_new();
	r->dir = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->samples = -1;
	r->lock = openat(r->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	r->command = "test";
	*state = r;
	return r->dir < 0 || r->lock < 0;
}

static int
site_drop(void **state)
{
	struct repository *r = *state;
	char *path = r->path;

	r->path = NULL;
	repository_done(r);
	tmp_remove(path);
	free(r);
	return 0;
}

static void
append(const struct repository *r, const char *text)
{
	assert_int_equal(labels_append(r, text, strlen(text)), 0);
}

static void
the_last_label_counts_and_half_a_line_does_not(void **state)
{
	const struct repository *r = *state;
	struct seen seen = {.n = 0};

	assert_int_equal(labels_read(r, see, &seen), STATUS_FINE);
	assert_int_equal(seen.n, 0);
	append(r, T A " malicious who because of this\n");
	append(r, T A " benign who\n" T A " uns"); /* the power fails */
	assert_int_equal(labels_read(r, see, &seen), STATUS_FINE);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.last, SAMPLE_BENIGN);
	assert_string_equal(seen.note, "");
	append(r, T A " none who x\n");
	seen.n = 0;
	assert_int_equal(labels_read(r, see, &seen), STATUS_FINE);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.last, SAMPLE_NONE);
	assert_string_equal(seen.note, "x");
}

static void
a_line_that_is_no_label_stops_everything(void **state)
{
	static const char *const lines[] = {"", "x", T A, T A " malicious",
	    T A " bad who", T "00 malicious who", T A " malicious "};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		CLEANUP(free_ptr) char *text = xstrdup(lines[i]);
		struct label_line line;

		assert_int_equal(label_parse(text, &line), -EBADMSG);
	}
}

static void
what_a_reader_leaves_is_not_believed(void **state)
{
	static const char *const bad[] = {
	    "x abc\n", "s abc", "s", "\n", "s a\tb\n", "s \xff\n", "sabc\n\n"};
	const char good[] = "s abc\ni b.dll\ns \nh c=1\n";
	CLEANUP(free_ptr) char *large = xcalloc(1, 1000);
	struct look look;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
		    look_parse(bad[i], strlen(bad[i]), &look), -EPROTO);
	memset(large, 'a', 999);
	large[0] = 's';
	large[998] = '\n';
	assert_int_equal(look_parse(large, 999, &look), -EPROTO);
	assert_int_equal(look_parse(good, strlen(good), &look), 0);
	assert_int_equal(look.n[LOOK_STRING], 2);
	assert_string_equal(look.at[LOOK_STRING][0], "abc");
	assert_string_equal(look.at[LOOK_IMPORT][0], "b.dll");
	assert_string_equal(look.at[LOOK_FACT][0], "c=1");
	look_done(&look);
}

static void
only_addresses_come_into_a_header(void **state)
{
	static const char *const bad[] = {"", "a", "@b", "a@", "-f@b",
	    "a@b\nBcc: c@d", "a b@c", "<a@b>", "a@b,c@d", "a@b\x80", "a\"@b"};

	(void)state;
	assert_true(notice_is_address("models+x@mx.example.org"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(notice_is_address(bad[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_make, site_drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_last_label_counts_and_half_a_line_does_not),
	    cmocka_unit_test(a_line_that_is_no_label_stops_everything),
	    cmocka_unit_test(what_a_reader_leaves_is_not_believed),
	    cmocka_unit_test(only_addresses_come_into_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
