/*
 * tests/prop/prop_mef_update.c - updates between any two models.
 */
#include "worker/mef/update.h"

#include "tests/support/mef_updates.h"
#include "tests/support/prop_draw.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RUNS       300
#define WORDS_MAX  200000 /* a few chunks of 65536, and a bit */
#define KNOWN_MAX  2500   /* more than are written at a time */
#define FLIPPED    5      /* models whose update is flipped octet by octet */
#define CHANGE_MAX 40

static const struct mef_listener nobody;

static uint32_t
draw_count(void)
{
	switch (draw(4)) {
	case 0:
		return 1;
	case 1:
		return (uint32_t)draw(100);
	case 2:
		return UINT32_MAX - (uint32_t)draw(3);
	default:
		return (uint32_t)(draw(65536) << 16 | draw(65536));
	}
}

static int
by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

static void
draw_known(struct mef_known *known)
{
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		known->digest.bytes[i] = (unsigned char)draw(256);
	known->n[draw(2)] = 1 + (uint32_t)draw(UINT32_MAX);
}

/* Of any size, and empty, sparse or full. */
static struct mef_octets
draw_model(void)
{
	const uint32_t words = (uint32_t)draw(draw(2) ? 200 : WORDS_MAX);
	const uint32_t known = (uint32_t)draw(draw(2) ? 4 : KNOWN_MAX);
	struct mef_octets o = mef_octets_new(words, known, draw(5));
	const uint64_t one_in = draw(3) ? 1 + draw(1000) : 1;

	for (uint32_t i = 0; i < words; i++)
		if (draw(one_in) == 0)
			mef_octets_words(&o)[i] = draw_count();
	for (uint32_t i = 0; i < known; i++)
		draw_known(&mef_octets_known(&o)[i]);
	qsort(mef_octets_known(&o), known, sizeof(struct mef_known), by_digest);
	return o;
}

/* As documents change it: some words, some known ones more, less, other. */
static struct mef_octets
draw_successor(const struct mef_octets *old)
{
	const struct mef_head *was = mef_octets_head(old);
	const uint32_t words =
	    (uint32_t)(was->known_offset - MEF_UPDATES_HEAD) / 4;
	const uint32_t more = (uint32_t)draw(CHANGE_MAX);
	const uint32_t less = (uint32_t)draw(was->n_known + 1);
	const uint32_t kept = (uint32_t)was->n_known - less;
	struct mef_octets o = mef_octets_new(words, kept + more, 9);
	struct mef_known *known = mef_octets_known(&o);

	memcpy(mef_octets_words(&o), mef_octets_words(old), 4 * (size_t)words);
	for (uint64_t i = draw(CHANGE_MAX); words > 0 && i > 0; i--)
		mef_octets_words(&o)[draw(words)] += (uint32_t)draw(3) - 1;
	memcpy(known, mef_octets_known(old) + draw(less + 1),
	    kept * sizeof(*known));
	for (uint64_t i = draw(CHANGE_MAX); kept > 0 && i > 0; i--)
		known[draw(kept)].n[MEF_BENIGN] |= 1 + (uint32_t)draw(9);
	for (uint32_t i = 0; i < more; i++)
		draw_known(&known[kept + i]);
	qsort(known, kept + more, sizeof(*known), by_digest);
	return o;
}

static void
is_file(int fd, const struct mef_octets *want)
{
	CLEANUP(free_ptr) char *is = NULL;
	size_t n;

	assert_int_equal(read_fd(fd, want->n + 1, &is, &n), 0);
	assert_int_equal(n, want->n);
	assert_memory_equal(is, want->at, n);
}

/* The update as whoever gets it has it, by way of a file. */
static struct mef_update *
make_update(int old, int new)
{
	CLEANUP(mef_update_freep) struct mef_update *made = NULL;
	CLEANUP(close_fd) int file = memfd_new("update");
	struct mef_update *update = NULL;
	char err[300] = "";

	if (mef_update_make(old, new, &nobody, &made, err, sizeof(err)) < 0 ||
	    mef_update_write(made, file) < 0 ||
	    mef_update_read(file, &update, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return update;
}

static void
there_and_back(const struct mef_octets *old, const struct mef_octets *new)
{
	CLEANUP(close_fd) int old_fd = mef_octets_fd(old->at, old->n);
	CLEANUP(close_fd) int new_fd = mef_octets_fd(new->at, new->n);
	CLEANUP(close_fd) int made = memfd_new("new");
	CLEANUP(close_fd) int back = memfd_new("old");
	CLEANUP(mef_update_freep)
	struct mef_update *update = make_update(old_fd, new_fd);
	char err[300] = "";

	if (mef_update_apply(update, old_fd, made, &nobody, err, sizeof(err)))
		fail_msg("apply: %s", err);
	is_file(made, new);
	if (mef_update_revert(update, made, back, &nobody, err, sizeof(err)))
		fail_msg("revert: %s", err);
	is_file(back, old);
}

static void
prop_an_update_makes_the_new_model_and_back_the_old(void **state)
{
	(void)state;
	for (int i = 0; i < RUNS; i++) {
		struct mef_octets old = draw_model();
		struct mef_octets new =
		    draw(3) ? draw_successor(&old) : draw_model();

		there_and_back(&old, &new);
		free(old.at);
		free(new.at);
	}
}

static void
prop_a_whole_model_comes_in_place_of_any(void **state)
{
	(void)state;
	for (int i = 0; i < RUNS / 10; i++) {
		struct mef_octets old = draw_model(), new = draw_model();
		CLEANUP(close_fd) int old_fd = mef_octets_fd(old.at, old.n);
		CLEANUP(close_fd) int new_fd = mef_octets_fd(new.at, new.n);
		CLEANUP(close_fd) int made = memfd_new("new");
		CLEANUP(mef_update_freep)
		struct mef_update *update = make_update(-1, new_fd);
		char err[300];

		assert_int_equal(mef_update_apply(update, draw(2) ? old_fd : -1,
				     made, &nobody, err, sizeof(err)),
		    0);
		is_file(made, &new);
		free(old.at);
		free(new.at);
	}
}

/* A model that is not the old one, of the same size or of any. */
static void
prop_another_model_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < RUNS / 3; i++) {
		struct mef_octets old = draw_model();
		struct mef_octets new = draw_successor(&old);
		CLEANUP(close_fd) int old_fd = mef_octets_fd(old.at, old.n);
		CLEANUP(close_fd) int new_fd = mef_octets_fd(new.at, new.n);
		CLEANUP(close_fd) int made = memfd_new("new");
		CLEANUP(close_fd) int other = -1;
		CLEANUP(mef_update_freep)
		struct mef_update *update = make_update(old_fd, new_fd);
		char err[300] = "";

		old.at[draw(old.n)] ^= (unsigned char)(1 + draw(255));
		other = mef_octets_fd(old.at, old.n - (draw(2) ? 0 : draw(9)));
		assert_int_equal(mef_update_apply(update, other, made, &nobody,
				     err, sizeof(err)),
		    -ESTALE);
		assert_int_equal(mef_update_revert(update, other, made, &nobody,
				     err, sizeof(err)),
		    -ESTALE);
		free(old.at);
		free(new.at);
	}
}

/* What whoever gets it does before any of it is unpacked. */
static int
accept_octets(const void *octets, size_t n, const struct signature_key *keys)
{
	CLEANUP(close_fd) int fd = mef_octets_fd(octets, n);
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	char err[300] = "";
	int r = mef_update_read(fd, &update, err, sizeof(err));

	if (r == 0)
		r = mef_update_verify(update, keys, 2, err, sizeof(err));
	assert_true(r == 0 || *err != '\0');
	return r;
}

static void
refuse_all_others(char *octets, size_t n, const struct signature_key *keys)
{
	for (size_t i = 0; i < n; i++) {
		const char was = octets[i];
		int r;

		octets[i] = (char)(was ^ (char)(1 + draw(255)));
		r = accept_octets(octets, n, keys);
		if (r != -EBADMSG && r != -EKEYREJECTED)
			fail_msg("octet %zu of %zu: %d", i, n, r);
		octets[i] = was;
		assert_int_equal(accept_octets(octets, i, keys), -EBADMSG);
	}
	assert_int_equal(accept_octets(octets, n + 1, keys), -EBADMSG);
	assert_int_equal(accept_octets(octets, n, keys), 0);
}

static void
flip_all(const char *key, const struct signature_key *keys)
{
	struct mef_octets old = mef_octets_new(50, 2, 1), new;
	CLEANUP(close_fd) int old_fd = -1, new_fd = -1;
	CLEANUP(close_fd) int file = memfd_new("update");
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	CLEANUP(free_ptr) char *octets = NULL;
	char err[300];
	size_t n;

	for (int i = 0; i < 2; i++)
		draw_known(&mef_octets_known(&old)[i]);
	qsort(mef_octets_known(&old), 2, sizeof(struct mef_known), by_digest);
	new = draw_successor(&old);
	old_fd = mef_octets_fd(old.at, old.n);
	new_fd = mef_octets_fd(new.at, new.n);
	update = make_update(old_fd, new_fd);
	assert_int_equal(mef_update_sign(update, key, err, sizeof(err)), 0);
	assert_int_equal(mef_update_write(update, file), 0);
	assert_int_equal(read_fd(file, MEF_UPDATE_MAX, &octets, &n), 0);
	refuse_all_others(octets, n, keys);
	free(old.at);
	free(new.at);
}

static void
prop_any_other_octet_and_any_cut_is_refused(void **state)
{
	struct signature_key keys[2];
	CLEANUP(free_ptr) char *key = NULL;
	char *dir = tmp_new();

	(void)state;
	mef_updates_keys(dir, keys);
	key = xasprintf("%s/private%d", dir, (int)draw(2));
	for (int i = 0; i < FLIPPED; i++)
		flip_all(key, keys);
	tmp_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		prop_an_update_makes_the_new_model_and_back_the_old),
	    cmocka_unit_test(prop_a_whole_model_comes_in_place_of_any),
	    cmocka_unit_test(prop_another_model_is_refused),
	    cmocka_unit_test(prop_any_other_octet_and_any_cut_is_refused),
	};

	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
