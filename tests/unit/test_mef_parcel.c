#include "worker/mef/parcel.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/parcel_make.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct site {
	char *dir;
	struct signature_key keys[2];
	struct mef_addressee repository;
};

static int
site_make(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));

	s->dir = tmp_new();
	mef_updates_keys(s->dir, s->keys);
	s->repository = (struct mef_addressee){parcel_private, s->keys, 2};
	*state = s;
	return 0;
}

static int
site_drop(void **state)
{
	struct site *s = *state;

	tmp_remove(s->dir);
	free(s);
	return 0;
}

/* What mef_parcel_open() says of it; into text what it decrypts, if not NULL */
static int
open_it(
    const struct site *s, int fd, char *err, char **ret_plain, size_t *ret_n)
{
	CLEANUP(close_fd) int plain = memfd_new("plain");
	struct mef_parcel_head head;
	size_t sender = 99;
	int r;

	strcpy(err, "");
	r = mef_parcel_open(
	    fd, &s->repository, plain, &sender, &head, err, 300);
	if (r < 0) {
		assert_string_not_equal(err, "");
		assert_int_equal(sender, 99);
		return r;
	}
	assert_int_equal(sender, 0);
	if (ret_plain)
		assert_int_equal(read_fd(plain, 1 << 20, ret_plain, ret_n), 0);
	return 0;
}

static void
what_is_packed_comes_out_as_it_was(void **state)
{
	const struct site *s = *state;
	CLEANUP(close_fd) int fd = parcel_make(s->dir, &parcel_private);
	CLEANUP(free_ptr) char *plain = NULL;
	struct mef_unpacking u = {.at = NULL};
	struct mef_packed file;
	char err[300];

	assert_int_equal(open_it(s, fd, err, &plain, &u.n), 0);
	u.at = (unsigned char *)plain;
	for (size_t i = 0; i < PARCEL_FILES; i++) {
		assert_int_equal(
		    mef_parcel_next(&u, &file, err, sizeof(err)), 0);
		assert_int_equal(file.n, 1);
		assert_memory_equal(file.octets, &parcel_files[i], 1);
		assert_int_equal(file.n_meta, strlen(PARCEL_META));
		assert_memory_equal(file.meta, PARCEL_META, file.n_meta);
	}
	assert_int_equal(mef_parcel_next(&u, &file, err, sizeof(err)), -ENOENT);
}

static void
every_octet_counts(void **state)
{
	const struct site *s = *state;
	CLEANUP(close_fd) int fd = parcel_make(s->dir, &parcel_private);
	CLEANUP(free_ptr) char *all = NULL;
	char err[300];
	size_t n;

	assert_int_equal(read_fd(fd, 1 << 20, &all, &n), 0);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(close_fd) int bad = -1;

		all[i] ^= 4;
		bad = mef_octets_fd(all, n);
		all[i] ^= 4;
		assert_true(open_it(s, bad, err, NULL, NULL) < 0);
	}
	for (size_t length = 0; length < n; length += 7) {
		CLEANUP(close_fd) int bad = mef_octets_fd(all, length);

		assert_int_equal(open_it(s, bad, err, NULL, NULL), -EBADMSG);
	}
}

static void
strangers_and_other_repositories_are_refused(void **state)
{
	struct site *s = *state;
	const struct sealed_key other = {{9}};
	CLEANUP(close_fd) int good = parcel_make(s->dir, &parcel_private);
	CLEANUP(close_fd) int fd = parcel_make(s->dir, &other);
	char err[300];

	assert_int_equal(open_it(s, fd, err, NULL, NULL), -EKEYREJECTED);
	assert_non_null(strstr(err, "another repository's key"));
	assert_int_equal(open_it(s, good, err, NULL, NULL), 0);
	s->repository.senders++;
	s->repository.n_senders--;
	assert_int_equal(open_it(s, good, err, NULL, NULL), -EKEYREJECTED);
	assert_non_null(strstr(err, "none of the 1 known"));
}

/* Who gets a parcel into his hands can't say that it was his. */
static void
a_parcel_is_its_senders_alone(void **state)
{
	const struct site *s = *state;
	CLEANUP(close_fd) int fd = parcel_make(s->dir, &parcel_private);
	CLEANUP(free_ptr) char *all = NULL;
	CLEANUP(free_ptr) char *thief = xasprintf("%s/private1", s->dir);
	CLEANUP(close_fd) int stolen = -1;
	struct mef_parcel_head *head;
	char err[300];
	size_t n;

	assert_int_equal(read_fd(fd, 1 << 20, &all, &n), 0);
	head = (struct mef_parcel_head *)(void *)all;
	head->from = s->keys[1];
	assert_int_equal(signature_make(thief, head,
			     offsetof(struct mef_parcel_head, signature),
			     &head->from, &head->signature, err, sizeof(err)),
	    0);
	stolen = mef_octets_fd(all, n);
	assert_int_equal(open_it(s, stolen, err, NULL, NULL), -EBADMSG);
	assert_non_null(strstr(err, "can't be decrypted"));
}

static void
a_file_that_is_too_long_is_not_read(void **state)
{
	const struct site *s = *state;
	CLEANUP(close_fd) int fd = parcel_make(s->dir, &parcel_private);
	char err[300];

	assert_int_equal(ftruncate(fd, (off_t)MEF_PARCEL_MAX + 1), 0);
	assert_int_equal(open_it(s, fd, err, NULL, NULL), -EFBIG);
}

/* Records of n octets at buf: refused? */
static void
bad_payload(const unsigned char *buf, size_t n, const char *words)
{
	struct mef_unpacking u = {buf, n, {{0}}, 0};
	struct mef_packed file;
	char err[300] = "";
	int r;

	do
		r = mef_parcel_next(&u, &file, err, sizeof(err));
	while (r == 0);
	assert_int_equal(r, -EBADMSG);
	assert_non_null(strstr(err, words));
}

static void
what_a_known_sender_packs_is_not_believed(void **state)
{
	struct mef_parcel_record record = {
	    .digest = digest_memory("a", 1), .bytes = 1, .meta_bytes = 2};
	unsigned char two[2 * (sizeof(record) + 3)], *buf = two;
	const size_t n = sizeof(record) + 3;

	(void)state;
	memcpy(buf, &record, sizeof(record));
	memcpy(buf + sizeof(record), "{}a", 3);
	memcpy(buf + n, buf, n);
	bad_payload(buf, 2 * n, "there twice");
	bad_payload(buf, n - 1, "lengths");
	bad_payload(buf, sizeof(record) - 1, "half of a record");
	buf[n - 1] = 'b';
	bad_payload(buf, n, "do not have its digest");
	record.bytes = UINT64_MAX;
	memcpy(buf, &record, sizeof(record));
	bad_payload(buf, n, "lengths");
	record.bytes = MEF_PARCEL_FILE_MAX + 1;
	memcpy(buf, &record, sizeof(record));
	bad_payload(buf, n, "lengths");
	record.bytes = 1;
	record.meta_bytes = UINT32_MAX;
	memcpy(buf, &record, sizeof(record));
	bad_payload(buf, n, "lengths");
}

/* A whole number of pieces, one octet less and one more. */
static void
sealed_pieces_end_where_they_end(void **state)
{
	static const uint64_t lengths[] = {0, 1, SEALED_PIECE - 1, SEALED_PIECE,
	    SEALED_PIECE + 1, 2 * SEALED_PIECE};
	CLEANUP(free_ptr) char *octets = xcalloc(2, SEALED_PIECE);
	struct sealed_key to;

	(void)state;
	sealed_public(&parcel_private, &to);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		CLEANUP(close_fd) int fd = memfd_new("sealed");
		CLEANUP(close_fd) int out = memfd_new("plain");
		CLEANUP(close_fd) int cut = memfd_new("cut");
		CLEANUP(sealer_freep) struct sealer *sealer = NULL;
		const uint64_t n = lengths[i], sealed = sealed_length(n);
		struct sealed_head head;

		assert_int_equal(
		    sealer_new(&to, fd, "x", 1, &head, &sealer), 0);
		assert_int_equal(sealer_write(sealer, octets, n), 0);
		assert_int_equal(sealer_end(sealer), 0);
		assert_int_equal(lseek(fd, 0, SEEK_END), sealed);
		assert_int_equal(sealed_open(&parcel_private, &head, "x", 1, fd,
				     0, sealed, out),
		    0);
		assert_int_equal(lseek(out, 0, SEEK_END), n);
		assert_int_equal(sealed_open(&parcel_private, &head, "y", 1, fd,
				     0, sealed, cut),
		    -EBADMSG);
		assert_int_equal(lseek(cut, 0, SEEK_END), 0);
		/* Whole pieces that are not all. */
		if (n > SEALED_PIECE)
			assert_int_equal(
			    sealed_open(&parcel_private, &head, "x", 1, fd, 0,
				SEALED_PIECE + 17, cut),
			    -EBADMSG);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_make, site_drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_packed_comes_out_as_it_was),
	    TEST(every_octet_counts),
	    TEST(strangers_and_other_repositories_are_refused),
	    TEST(a_parcel_is_its_senders_alone),
	    TEST(a_file_that_is_too_long_is_not_read),
	    TEST(what_a_known_sender_packs_is_not_believed),
	    TEST(sealed_pieces_end_where_they_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
