/*
 * tests/unit/test_archive_rar5.c - RAR 5 archives that are encrypted.
 */
#include "tests/support/cell_run.h"

#include "worker/archive_rar5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEAD \
	"From: a\nContent-Type: application/octet-stream; name=a.rar\n" \
	"Content-Transfer-Encoding: base64\n\n"

/* A block out of its header behind the size, then its data. */
static size_t
put_block(char *out, size_t at, const char *head, size_t len, const char *data)
{
	char sized[100];

	sized[0] = (char)len;
	(void)memcpy(sized + 1, head, len);
	at = put_le(out, at, crc32_of(sized, len + 1), 4);
	(void)memcpy(out + at, sized, len + 1);
	(void)strcpy(out + at + len + 1, data);
	return at + len + 1 + strlen(data);
}

static size_t
put_mark(char *out)
{
	(void)memcpy(out, "Rar!\032\007\1", 8);
	return put_block(out, 8, "\1\0\0", 3, "");
}

/* "a.txt" with five octets of data, stored.  extra: its records. */
static size_t
put_file(char *out, size_t at, const char *extra, size_t len)
{
	char head[80];
	size_t n = 0;

	head[n++] = 2;
	head[n++] = len > 0 ? 3 : 2;
	if (len > 0)
		head[n++] = (char)len;
	(void)memcpy(head + n, "\5\4\5\040", 4);
	n = put_le(head, n + 4, crc32_of("hello", 5), 4);
	(void)memcpy(head + n, "\0\1\5a.txt", 8);
	n += 8;
	(void)memcpy(head + n, extra, len);
	return put_block(out, at, head, n + len, "hello");
}

static size_t
put_end(char *out, size_t at)
{
	return put_block(out, at, "\5\0\0", 3, "");
}

/* Size 36, type 1, AES-256, no flags, 2^15 rounds, salt and vector; before
 * it a record of another type. */
static const char crypt_extra[] = "\2\3\0\044\1\0\0\017"
				  "0123456789abcdef0123456789abcdef";
#define CRYPT_BYTES 40

static void
is_encrypted(const char *octets, size_t len, bool wanted)
{
	static char mail[4000];
	size_t n = (size_t)sprintf(mail, HEAD);
	struct reading *r;

	assert_int_equal(
	    archive_rar5_is_encrypted((struct span){octets, len}), wanted);
	n += to_base64(mail + n, octets, len, 76, "\n");
	r = cell_run(mail, n);
	assert_int_equal((r->parts[0].flags & PART_ENCRYPTED) != 0, wanted);
	reading_free(r);
}

static void
an_open_archive_is_not_encrypted(void **state)
{
	char rar[500];
	size_t n = put_mark(rar);

	(void)state;
	n = put_file(rar, n, "\2\3\0", 3);
	is_encrypted(rar, put_end(rar, n), false);
}

static void
an_encrypted_member_is_seen(void **state)
{
	char rar[500];
	size_t n = put_mark(rar);

	(void)state;
	n = put_file(rar, n, "", 0);
	n = put_file(rar, n, crypt_extra, CRYPT_BYTES);
	is_encrypted(rar, put_end(rar, n), true);
}

static void
encrypted_headers_are_seen(void **state)
{
	char rar[500];
	size_t n = 8;

	(void)state;
	(void)memcpy(rar, "Rar!\032\007\1", 8);
	n = put_block(rar, n, "\4\0\0\0\0170123456789abcdef", 21, "");
	(void)memset(rar + n, 'x', 200);
	is_encrypted(rar, n + 200, true);
}

/* Wherever it is cut, and whatever its numbers say. */
static void
damage_is_survived(void **state)
{
	char rar[500];
	size_t n = put_mark(rar);

	(void)state;
	n = put_file(rar, n, crypt_extra, CRYPT_BYTES);
	n = put_end(rar, n);
	for (size_t len = 1; len < n; len++) {
		char *copy = malloc(len);

		(void)memcpy(copy, rar, len);
		(void)archive_rar5_is_encrypted((struct span){copy, len});
		for (size_t i = 8; i < len; i++) {
			(void)memset(copy + i, 0xff, len - i);
			(void)archive_rar5_is_encrypted(
			    (struct span){copy, len});
			(void)memcpy(copy, rar, len);
			copy[i] ^= (char)0x80;
			(void)archive_rar5_is_encrypted(
			    (struct span){copy, len});
			copy[i] ^= (char)0x80;
		}
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_open_archive_is_not_encrypted),
	    cmocka_unit_test(an_encrypted_member_is_seen),
	    cmocka_unit_test(encrypted_headers_are_seen),
	    cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
