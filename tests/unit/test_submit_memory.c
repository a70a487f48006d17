#include "tools/sluice/submit_memory.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW UINT64_C(1800000000)

struct site {
	char *dir, *archive, *file;
};

static int
site_make(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	s->dir = tmp_new();
	s->archive = xasprintf("%s/archive/", s->dir);
	s->file = xasprintf("%s/archive.submitted", s->dir);
	*state = s;
	return 0;
}

static int
site_drop(void **state)
{
	struct site *s = *state;

	tmp_remove(s->dir);
	free(s->archive);
	free(s->file);
	free(s);
	return 0;
}

static void
put(const char *path, const char *text)
{
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void
what_is_kept_is_remembered_for_a_year(void **state)
{
	const struct site *s = *state;
	const struct digest a = {{1}}, b = {{2}};
	struct submit_memory *m = NULL;

	assert_int_equal(submit_memory_open(s->archive, NOW, &m), 0);
	assert_string_equal(submit_memory_path(m), s->file);
	assert_false(submit_memory_has(m, &a));
	submit_memory_add(m, &b);
	submit_memory_add(m, &a);
	submit_memory_add(m, &a);
	assert_int_equal(submit_memory_keep(m), 0);
	submit_memory_add(m, &(const struct digest){{3}});
	m = submit_memory_free(m);

	assert_int_equal(
	    submit_memory_open(s->archive, NOW + SUBMIT_MEMORY_SEC, &m), 0);
	assert_true(submit_memory_has(m, &a));
	assert_true(submit_memory_has(m, &b));
	assert_false(submit_memory_has(m, &(const struct digest){{3}}));
	m = submit_memory_free(m);
	assert_int_equal(
	    submit_memory_open(s->archive, NOW + SUBMIT_MEMORY_SEC + 1, &m), 0);
	assert_false(submit_memory_has(m, &a));
	(void)submit_memory_free(m);
}

static void
two_do_not_submit_at_a_time(void **state)
{
	const struct site *s = *state;
	struct submit_memory *m = NULL, *other = NULL;

	assert_int_equal(submit_memory_open(s->archive, NOW, &m), 0);
	assert_int_equal(submit_memory_open(s->archive, NOW, &other), -EBUSY);
	assert_null(other);
	(void)submit_memory_free(m);
	assert_int_equal(submit_memory_open(s->archive, NOW, &other), 0);
	(void)submit_memory_free(other);
}

static void
a_line_that_is_none_is_an_error(void **state)
{
	static const char *const texts[] = {"x\n", "00 1800000000\n",
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "\n",
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    " 1800000000 x\n"};
	const struct site *s = *state;
	struct submit_memory *m = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put(s->file, texts[i]);
		assert_int_equal(
		    submit_memory_open(s->archive, NOW, &m), -EBADMSG);
		assert_null(m);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_make, site_drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_kept_is_remembered_for_a_year),
	    TEST(two_do_not_submit_at_a_time),
	    TEST(a_line_that_is_none_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
