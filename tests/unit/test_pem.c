#include "common/pem.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct site {
	char *dir, *private, *public;
};

static int
site_make(void **state)
{
	struct site *site = xcalloc(1, sizeof(*site));

	site->dir = tmp_new();
	site->private = xasprintf("%s/private", site->dir);
	site->public = xasprintf("%s/public", site->dir);
	*state = site;
	return 0;
}

static int
site_drop(void **state)
{
	struct site *site = *state;

	tmp_remove(site->dir);
	free(site->private);
	free(site->public);
	free(site);
	return 0;
}

static void
a_pair_that_is_made_is_read_and_never_made_twice(void **state)
{
	const struct site *s = *state;
	unsigned char a[PEM_KEY_BYTES] = {0}, b[PEM_KEY_BYTES] = {0};
	char err[300] = "";
	struct stat st;

	assert_int_equal(
	    pem_make(s->private, s->public, PEM_X25519, err, sizeof(err)), 0);
	assert_int_equal(
	    pem_private(s->private, PEM_X25519, a, err, sizeof(err)), 0);
	assert_int_equal(
	    pem_public(s->public, PEM_X25519, b, err, sizeof(err)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(stat(s->private, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(
	    pem_make(s->private, s->public, PEM_X25519, err, sizeof(err)),
	    -EEXIST);
	assert_non_null(strstr(err, s->private));
	assert_int_equal(
	    pem_private(s->private, PEM_X25519, b, err, sizeof(err)), 0);
	assert_memory_equal(a, b, sizeof(a));
}

static void
a_key_of_another_kind_is_none(void **state)
{
	const struct site *s = *state;
	unsigned char key[PEM_KEY_BYTES];
	char err[300] = "";

	assert_int_equal(
	    pem_make(s->private, s->public, PEM_X25519, err, sizeof(err)), 0);
	assert_int_equal(
	    pem_public(s->public, PEM_ED25519, key, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "no public Ed25519 key"));
	assert_int_equal(
	    pem_private(s->private, PEM_ED25519, key, err, sizeof(err)),
	    -EINVAL);
	assert_non_null(strstr(err, "-algorithm ed25519"));
	/* Nor is one half the other. */
	assert_int_equal(
	    pem_public(s->private, PEM_X25519, key, err, sizeof(err)), -EINVAL);
	assert_int_equal(chmod(s->public, 0600), 0);
	assert_int_equal(
	    pem_private(s->public, PEM_X25519, key, err, sizeof(err)), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_make, site_drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pair_that_is_made_is_read_and_never_made_twice),
	    TEST(a_key_of_another_kind_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
