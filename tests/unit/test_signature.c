#include "common/signature.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* RFC 8032, 7.1, tests 2 and 3: key, message, signature; then as PEM. */
static const struct {
	unsigned char key[SIGNATURE_KEY_BYTES];
	const char *msg;
	unsigned char signature[SIGNATURE_BYTES];
	const char *private, *public;
} vectors[] = {
    {{0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7,
	 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c,
	 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c},
	"\x72",
	{0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b,
	    0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f,
	    0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a,
	    0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0,
	    0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30, 0x2a, 0xee,
	    0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00},
	"MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7",
	"MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="},
    {{0xfc, 0x51, 0xcd, 0x8e, 0x62, 0x18, 0xa1, 0xa3, 0x8d, 0xa4, 0x7e, 0xd0,
	 0x02, 0x30, 0xf0, 0x58, 0x08, 0x16, 0xed, 0x13, 0xba, 0x33, 0x03, 0xac,
	 0x5d, 0xeb, 0x91, 0x15, 0x48, 0x90, 0x80, 0x25},
	"\xaf\x82",
	{0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c,
	    0x3a, 0xbe, 0x01, 0xa3, 0x0c, 0xe5, 0x48, 0xa2, 0x84, 0x74, 0x3a,
	    0x44, 0x5e, 0x36, 0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac, 0x18, 0xff,
	    0x9b, 0x53, 0x8d, 0x16, 0xf2, 0x90, 0xae, 0x67, 0xf7, 0x60, 0x98,
	    0x4d, 0xc6, 0x59, 0x4a, 0x7c, 0x15, 0xe9, 0x71, 0x6e, 0xd2, 0x8d,
	    0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a},
	"MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3",
	"MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="},
};

/* Files of one test, in a directory of its own. */
struct site {
	char *dir;
	char *private, *public;
};

static void
put(const char *path, const char *text)
{
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void
put_pem(const char *path, const char *kind, const char *base64)
{
	CLEANUP(free_ptr)
	char *text = xasprintf("-----BEGIN %s KEY-----\n%s\n"
			       "-----END %s KEY-----\n",
	    kind, base64, kind);

	put(path, text);
}

static int
site_make(void **state)
{
	struct site *site = xcalloc(1, sizeof(*site));

	site->dir = tmp_new();
	site->private = xasprintf("%s/private", site->dir);
	site->public = xasprintf("%s/public", site->dir);
	put_pem(site->private, "PRIVATE", vectors[0].private);
	put_pem(site->public, "PUBLIC", vectors[0].public);
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
the_published_keys_give_the_published_signatures(void **state)
{
	const struct site *site = *state;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		const char *msg = vectors[i].msg;
		struct signature_key key, read;
		struct signature made;
		char err[300];

		put_pem(site->private, "PRIVATE", vectors[i].private);
		put_pem(site->public, "PUBLIC", vectors[i].public);
		assert_int_equal(signature_make(site->private, msg, strlen(msg),
				     &key, &made, err, sizeof(err)),
		    0);
		assert_memory_equal(
		    key.bytes, vectors[i].key, sizeof(key.bytes));
		assert_memory_equal(
		    made.bytes, vectors[i].signature, sizeof(made.bytes));
		assert_int_equal(
		    signature_key_read(site->public, &read, err, sizeof(err)),
		    0);
		assert_memory_equal(read.bytes, key.bytes, sizeof(key.bytes));
		assert_true(signature_is_good(&read, msg, strlen(msg), &made));
	}
}

static void
any_other_bit_makes_a_signature_bad(void **state)
{
	struct signature_key key;
	struct signature signature;
	char msg[] = "r";

	(void)state;
	memcpy(key.bytes, vectors[0].key, sizeof(key.bytes));
	memcpy(signature.bytes, vectors[0].signature, sizeof(signature.bytes));
	assert_true(signature_is_good(&key, msg, 1, &signature));
	for (size_t i = 0; i < 8 * sizeof(signature.bytes); i++) {
		const unsigned char bit = (unsigned char)(1u << i % 8);

		signature.bytes[i / 8] ^= bit;
		assert_false(signature_is_good(&key, msg, 1, &signature));
		signature.bytes[i / 8] ^= bit;
	}
	for (size_t i = 0; i < 8 * sizeof(key.bytes); i++) {
		const unsigned char bit = (unsigned char)(1u << i % 8);

		key.bytes[i / 8] ^= bit;
		assert_false(signature_is_good(&key, msg, 1, &signature));
		key.bytes[i / 8] ^= bit;
	}
	assert_false(signature_is_good(&key, "s", 1, &signature));
	assert_false(signature_is_good(&key, msg, 2, &signature));
	assert_false(signature_is_good(&key, msg, 0, &signature));
}

/* A P-256 key, made by openssl for this test alone; and an encrypted one. */
static const char p256[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERYjmtevaSrnymy8fLPsdRxQXsViP\n"
    "R1HFpY/a7XxezsACTUsucD0UxDby1oS47fa5+Oyjr3XnqxWQanlCn91IuQ==\n"
    "-----END PUBLIC KEY-----\n";
static const char encrypted[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgwFI7L6v+DcwICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEL7g4KaftzXRAVhcArFtgM0EQPVL\n"
    "d+XWMgEM0aLXQJtxiXh1on99+n2exswjkh+b6HHU6RxmmUkY4xRT/L6AFQMnyYXK\n"
    "aRe3lvgA650CGC/UuXI=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static void
refused_public(const struct site *site, const char *text)
{
	struct signature_key key;
	char err[300] = "";

	put(site->public, text);
	assert_int_equal(
	    signature_key_read(site->public, &key, err, sizeof(err)), -EINVAL);
	assert_memory_equal(err, site->public, strlen(site->public));
	assert_non_null(strstr(err, "openssl pkey"));
}

static int
sign(const struct site *site, char *err, size_t err_size)
{
	struct signature_key key;
	struct signature signature;

	return signature_make(
	    site->private, "m", 1, &key, &signature, err, err_size);
}

static void
what_is_no_key_is_named_with_what_to_do(void **state)
{
	const struct site *site = *state;
	struct signature_key key;
	char err[300] = "";

	refused_public(site, "");
	refused_public(site, "-----BEGIN PUBLIC KEY-----\nMCow\n");
	refused_public(site, p256);
	put(site->private, encrypted);
	assert_int_equal(sign(site, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "not encrypted"));
	assert_int_equal(
	    signature_key_read("/nowhere/key", &key, err, sizeof(err)),
	    -ENOENT);
	assert_non_null(strstr(err, "/nowhere/key: No such file"));
}

static void
a_private_key_that_others_can_read_is_not_used(void **state)
{
	const struct site *site = *state;
	char err[300] = "";

	assert_int_equal(chmod(site->private, 0640), 0);
	assert_int_equal(sign(site, err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, "mode 0640"));
	assert_int_equal(chmod(site->private, 0400), 0);
	assert_int_equal(sign(site, err, sizeof(err)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_make, site_drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_published_keys_give_the_published_signatures),
	    TEST(any_other_bit_makes_a_signature_bad),
	    TEST(what_is_no_key_is_named_with_what_to_do),
	    TEST(a_private_key_that_others_can_read_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
