#include "worker/mef/update.h"

#include "tests/support/mef_updates.h"
#include "tests/support/tmpspool.h"
#include "worker/mef/update_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct mef_listener nobody;

/* Two small models, the update between them, and keys. */
struct fixture {
	char *dir;
	struct signature_key keys[2];
	char *private[2];
	struct mef_octets old, new;
	int old_fd, new_fd;
	struct mef_update *update;
};

static int
make_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	char err[300] = "";

	f->dir = tmp_new();
	mef_updates_keys(f->dir, f->keys);
	for (int i = 0; i < 2; i++)
		f->private[i] = xasprintf("%s/private%d", f->dir, i);
	f->old = mef_octets_new(1000, 1, 1);
	f->new = mef_octets_new(1000, 2, 2);
	mef_octets_words(&f->old)[7] = 3;
	mef_octets_words(&f->new)[7] = 4;
	mef_octets_words(&f->new)[999] = 1;
	mef_octets_known(&f->old)[0].n[MEF_BENIGN] = 1;
	mef_octets_known(&f->new)[0].n[MEF_BENIGN] = 1;
	mef_octets_known(&f->new)[1].n[MEF_MALICIOUS] = 1;
	mef_octets_known(&f->new)[1].digest.bytes[0] = 1;
	f->old_fd = mef_octets_fd(f->old.at, f->old.n);
	f->new_fd = mef_octets_fd(f->new.at, f->new.n);
	assert_int_equal(mef_update_make(f->old_fd, f->new_fd, &nobody,
			     &f->update, err, sizeof(err)),
	    0);
	*state = f;
	return 0;
}

static int
drop_fixture(void **state)
{
	struct fixture *f = *state;

	(void)mef_update_free(f->update);
	(void)close(f->old_fd);
	(void)close(f->new_fd);
	free(f->old.at);
	free(f->new.at);
	for (int i = 0; i < 2; i++)
		free(f->private[i]);
	tmp_remove(f->dir);
	free(f);
	return 0;
}

/* The file of an update, to be spoiled. */
static char *
octets_of(const struct mef_update *update, size_t *ret_n)
{
	CLEANUP(close_fd) int fd = memfd_new("update");
	char *octets = NULL;

	assert_int_equal(mef_update_write(update, fd), 0);
	assert_int_equal(read_fd(fd, MEF_UPDATE_MAX, &octets, ret_n), 0);
	return octets;
}

static int
read_octets(const void *octets, size_t n, char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = mef_octets_fd(octets, n);
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;

	return mef_update_read(fd, &update, err, err_size);
}

/* A head that was changed by who can do sums. */
static void
fix_check(char *octets)
{
	struct mef_update_head h;

	memcpy(&h, octets, sizeof(h));
	h.check = digest_memory(&h, offsetof(struct mef_update_head, check));
	memcpy(octets, &h, sizeof(h));
}

#define AT(member) offsetof(struct mef_update_head, member)

static void
what_is_wrong_with_a_file_is_said(void **state)
{
	/* Which octet is changed, are the sums done again, what is said. */
	static const struct {
		size_t at;
		bool fix;
		const char *says;
	} cases[] = {
	    {AT(magic), false, "no update of a model"},
	    {AT(format), true, "another format"},
	    {AT(from.release), false, "head is damaged"},
	    {AT(to.file), false, "head is damaged"},
	    {AT(reserved), true, "sizes are impossible"},
	    {AT(payload_bytes) + 1, true, "cut off"},
	    {AT(from.file_bytes), true, "sizes are impossible"},
	    {AT(from.known_offset), true, "sizes are impossible"},
	    {AT(to.known_offset) + 7, true, "sizes are impossible"},
	    {AT(to.n_known), true, "sizes are impossible"},
	    {AT(to.n_known) + 7, true, "sizes are impossible"},
	    {AT(payload), true, "it is damaged"},
	    {AT(signature), false, "signature is damaged"},
	    {sizeof(struct mef_update_head) + 3, false, "it is damaged"},
	};
	const struct fixture *f = *state;
	CLEANUP(free_ptr) char *good = NULL, *bad = NULL;
	size_t n;

	good = octets_of(f->update, &n);
	bad = xcalloc(1, n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char err[300] = "";

		memcpy(bad, good, n);
		bad[cases[i].at] ^= 1;
		if (cases[i].fix)
			fix_check(bad);
		assert_int_equal(
		    read_octets(bad, n, err, sizeof(err)), -EBADMSG);
		if (!strstr(err, cases[i].says))
			fail_msg("%zu: %s", i, err);
	}
}

static void
a_file_that_is_no_file_is_refused(void **state)
{
	struct mef_update *update = NULL;
	char err[300] = "";
	int ends[2];

	(void)state;
	assert_int_equal(read_octets("", 0, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "cut off"));
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(
	    mef_update_read(ends[0], &update, err, sizeof(err)), -EINVAL);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
only_the_owner_of_a_pinned_key_has_signed(void **state)
{
	struct fixture *f = *state;
	char err[400] = "";

	assert_int_equal(
	    mef_update_verify(f->update, f->keys, 2, err, sizeof(err)),
	    -EKEYREJECTED);
	assert_non_null(strstr(err, "not signed"));
	assert_int_equal(
	    mef_update_sign(f->update, f->private[1], err, sizeof(err)), 0);
	assert_int_equal(
	    mef_update_verify(f->update, f->keys, 1, err, sizeof(err)),
	    -EKEYREJECTED);
	assert_non_null(strstr(err, "none of the 1 pinned"));
	assert_int_equal(
	    mef_update_verify(f->update, NULL, 0, err, sizeof(err)),
	    -EKEYREJECTED);
	assert_int_equal(
	    mef_update_verify(f->update, f->keys, 2, err, sizeof(err)), 0);
	/* Somebody writes a trusted key over his own. */
	f->update->head.key = f->keys[0];
	assert_int_equal(
	    mef_update_verify(f->update, f->keys, 2, err, sizeof(err)),
	    -EKEYREJECTED);
	assert_non_null(strstr(err, "is bad"));
}

static void
a_signature_covers_head_and_payload(void **state)
{
	struct fixture *f = *state;
	unsigned char *head = (unsigned char *)&f->update->head;
	char err[400];

	assert_int_equal(
	    mef_update_sign(f->update, f->private[0], err, sizeof(err)), 0);
	for (size_t i = 0; i < sizeof(f->update->head); i++) {
		head[i] ^= 0x40;
		assert_int_equal(
		    mef_update_verify(f->update, f->keys, 2, err, sizeof(err)),
		    -EKEYREJECTED);
		head[i] ^= 0x40;
	}
	/* The payload by its digest, which read compares. */
	assert_int_equal(
	    mef_update_verify(f->update, f->keys, 2, err, sizeof(err)), 0);
}

/* Payloads of who has a good key, or took one: numbers, octets, an end. */
struct payload {
	int numbers[12]; /* up to -1 */
	size_t n_octets; /* of zeroes behind them */
};

static int
apply_payload(struct fixture *f, const struct payload *payload)
{
	static const char zeroes[100];
	struct pack *pack = pack_new();
	CLEANUP(close_fd) int out = memfd_new("out");
	struct mef_update_head *h = &f->update->head;
	char err[300] = "";
	size_t n;

	for (const int *at = payload->numbers; *at >= 0; at++)
		assert_int_equal(pack_number(pack, (uint32_t)*at), 0);
	assert_int_equal(pack_octets(pack, zeroes, payload->n_octets), 0);
	free(f->update->payload);
	assert_int_equal(pack_end(pack, &f->update->payload, &n), 0);
	h->payload_bytes = n;
	(void)pack_free(pack);
	return mef_update_apply(
	    f->update, f->old_fd, out, &nobody, err, sizeof(err));
}

static void
payloads_that_promise_wrongly_are_refused(void **state)
{
	/* One chunk, then known documents: 1, digest, two counts; then 0. */
	static const struct payload bad[] = {
	    {{-1}, 0},                       /* nothing */
	    {{0, 0, -1}, 0},                 /* no change, wrong result */
	    {{65537, -1}, 0},                /* more than a chunk has */
	    {{1, 65536, 2, 0, -1}, 0},       /* a place beyond its end */
	    {{2, 65535, 0, 2, 2, 0, -1}, 0}, /* the next one is */
	    {{1, 3000, 2, 0, -1}, 0},        /* beyond the model's end */
	    {{1, 5, -1}, 0},                 /* ends before what is added */
	    {{0, 2, -1}, 0},                 /* neither known nor the end */
	    {{0, 1, -1}, 34},                /* a known one: nothing added */
	    {{0, 1, -1}, 20},                /* cut off in its digest */
	    {{0, 0, 0, -1}, 0},              /* goes on behind its end */
	    {{0, 0, -1}, 100},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (apply_payload(f, &bad[i]) != -EBADMSG)
			fail_msg("%zu: not refused", i);
}

/* Numbers have at most 32 bits, and payloads are packed. */
static void
a_stream_that_is_not_ours_is_refused(void **state)
{
	static const unsigned char raw[] = "this is not packed at all";
	static const unsigned char large[] = {0xff, 0xff, 0xff, 0xff, 0x1f};
	struct unpack *unpack = unpack_new(raw, sizeof(raw));
	struct pack *pack = pack_new();
	CLEANUP(free_ptr) unsigned char *packed = NULL;
	uint32_t number;
	size_t n;

	(void)state;
	assert_int_equal(unpack_number(unpack, &number), -EBADMSG);
	(void)unpack_free(unpack);
	assert_int_equal(pack_octets(pack, large, sizeof(large)), 0);
	assert_int_equal(pack_end(pack, &packed, &n), 0);
	(void)pack_free(pack);
	unpack = unpack_new(packed, n);
	assert_int_equal(unpack_number(unpack, &number), -EBADMSG);
	(void)unpack_free(unpack);
	/* And one that is cut off. */
	unpack = unpack_new(packed, n - 1);
	for (int r = 0; r == 0;)
		r = unpack_octets(unpack, &number, 1);
	assert_false(unpack_is_at_end(unpack));
	(void)unpack_free(unpack);
}

static void
what_is_no_model_makes_no_update(void **state)
{
	struct fixture *f = *state;
	struct mef_update *update = NULL;
	CLEANUP(close_fd) int bad = -1;
	char err[300] = "";

	/* Two known documents that are the same. */
	memset(mef_octets_known(&f->new)[1].digest.bytes, 0, DIGEST_BYTES);
	bad = mef_octets_fd(f->new.at, f->new.n);
	assert_int_equal(
	    mef_update_make(f->old_fd, bad, &nobody, &update, err, sizeof(err)),
	    -EBADMSG);
	assert_non_null(strstr(err, "the new model: a damaged model"));
	(void)close(bad);
	bad = mef_octets_fd(f->old.at, f->old.n - 1);
	assert_int_equal(
	    mef_update_make(bad, f->old_fd, &nobody, &update, err, sizeof(err)),
	    -EBADMSG);
	assert_non_null(strstr(err, "the old model: a damaged model"));
	(void)close(bad);
	bad = mef_octets_fd("something", 9);
	assert_int_equal(
	    mef_update_make(f->old_fd, bad, &nobody, &update, err, sizeof(err)),
	    -EBADMSG);
	assert_non_null(strstr(err, "the new model: no model"));
	assert_null(update);
}

static void
a_whole_model_knows_no_way_back(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	CLEANUP(close_fd) int out = memfd_new("out");
	char err[300] = "";

	assert_int_equal(
	    mef_update_make(-1, f->new_fd, &nobody, &update, err, sizeof(err)),
	    0);
	assert_int_equal(mef_update_revert(
			     update, f->new_fd, out, &nobody, err, sizeof(err)),
	    -EINVAL);
	assert_non_null(strstr(err, "whole model"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_wrong_with_a_file_is_said),
	    TEST(a_file_that_is_no_file_is_refused),
	    TEST(only_the_owner_of_a_pinned_key_has_signed),
	    TEST(a_signature_covers_head_and_payload),
	    TEST(payloads_that_promise_wrongly_are_refused),
	    TEST(a_stream_that_is_not_ours_is_refused),
	    TEST(what_is_no_model_makes_no_update),
	    TEST(a_whole_model_knows_no_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
