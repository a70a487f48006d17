#include "common/digest.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* FIPS 180-4's examples and NIST's million of "a". */
static const struct {
	const char *text;
	size_t times;
	const char *hex;
} vectors[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a", 1000000,
	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static char *
repeat(const char *text, size_t times, size_t *ret_len)
{
	size_t n = strlen(text);
	char *buf = xcalloc(n * times + 1, 1);

	for (size_t i = 0; i < times; i++)
		memcpy(buf + i * n, text, n);
	*ret_len = n * times;
	return buf;
}

static void
memory_and_files_give_the_published_digests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		CLEANUP(free_ptr) char *buf = NULL;
		CLEANUP(close_fd) int fd = memfd_new("digest");
		char hex[DIGEST_HEX];
		struct digest d;
		size_t len;

		buf = repeat(vectors[i].text, vectors[i].times, &len);
		d = digest_memory(buf, len);
		assert_string_equal(digest_hex(&d, hex), vectors[i].hex);
		/* In the file behind five octets that don't count. */
		assert_int_equal(write_all(fd, "12345", 5), 0);
		assert_int_equal(write_all(fd, buf, len), 0);
		assert_int_equal(digest_file(fd, 5, len, &d), 0);
		assert_string_equal(digest_hex(&d, hex), vectors[i].hex);
		assert_int_equal(digest_file(fd, 5, len + 1, &d), -ENODATA);
	}
}

static void
hexadecimal_is_read_back_and_anything_else_refused(void **state)
{
	struct digest d = digest_memory("abc", 3), e;
	char hex[DIGEST_HEX], longer[DIGEST_HEX + 1];

	(void)state;
	assert_int_equal(digest_parse(digest_hex(&d, hex), &e), 0);
	assert_memory_equal(&d, &e, sizeof(d));
	(void)strcpy(longer, hex);
	(void)strcat(longer, "0");
	assert_int_equal(digest_parse(longer, &e), -EINVAL);
	hex[10] = 'A';
	assert_int_equal(digest_parse(hex, &e), 0);
	hex[10] = 'g';
	assert_int_equal(digest_parse(hex, &e), -EINVAL);
	hex[10] = '\0';
	assert_int_equal(digest_parse(hex, &e), -EINVAL);
	assert_int_equal(digest_parse("", &e), -EINVAL);
}

/* RFC 4231, test cases 2 and 6: short key; one longer than a block. */
static void
keyed_digests_are_those_of_the_rfc(void **state)
{
	static const char text[] = "Test Using Larger Than Block-Size Key - "
				   "Hash Key First";
	char key[131], hex[DIGEST_HEX];
	struct digest d =
	    digest_keyed("Jefe", 4, "what do ya want for nothing?", 28);

	(void)state;
	assert_string_equal(digest_hex(&d, hex),
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	d = digest_keyed(key, sizeof(key), text, sizeof(text) - 1);
	assert_string_equal(digest_hex(&d, hex),
	    "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_and_files_give_the_published_digests),
	    cmocka_unit_test(keyed_digests_are_those_of_the_rfc),
	    cmocka_unit_test(
		hexadecimal_is_read_back_and_anything_else_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
