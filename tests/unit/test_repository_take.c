/*
 * tests/unit/test_repository_take.c - what a repository does with parcels of a
 * known sender who packs what he should not.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "common/pem.h"
#include "tests/support/parcel_make.h"
#include "tests/support/tmpspool.h"
#include "tools/sluice/repository.h"
#include "worker/mef/model.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct site {
	char *dir, *repository, *identity, *parcel;
	struct sealed_key to;
};

/* A sub-command, by words. */
static int
run(command_main *command, char **words, int n)
{
	char *argv[8] = {(char *)(uintptr_t) "sluice model repository"};

	for (int i = 0; i < n; i++)
		argv[i + 1] = words[i];
	return command(n + 1, argv);
}

static int
site_make(void **state)
{
	CLEANUP(mef_model_freep)
	struct mef_model *model = mef_model_new(MEF_SET_2001, 10);
	struct site *s = xcalloc(1, sizeof(*s));
	CLEANUP(free_ptr) char *master = NULL, *open = NULL, *from = NULL;
	CLEANUP(free_ptr) char *sender = NULL, *option = NULL;
	struct signature_key keys[2];
	char err[300];
	int r;

	s->dir = tmp_new();
	s->repository = xasprintf("%s/repository", s->dir);
	s->identity = xasprintf("%s/private0", s->dir);
	s->parcel = xasprintf("%s/parcel", s->dir);
	master = xasprintf("%s/master", s->dir);
	option = xasprintf("--master=%s", master);
	open = xasprintf("%s/keys/open.pub", s->repository);
	from = xasprintf("%s/public0", s->dir);
	sender = xasprintf("%s/senders/site.pub", s->repository);
	mef_updates_keys(s->dir, keys);
	r = mef_model_save(model, master);
	if (r == 0)
		r = run(repository_init, (char *[]){option, s->repository}, 2);
	if (r == 0)
		r = pem_public(open, PEM_X25519, s->to.bytes, err, sizeof(err));
	*state = s;
	return r != 0 || rename(from, sender) < 0;
}

static int
site_drop(void **state)
{
	struct site *s = *state;

	tmp_remove(s->dir);
	free(s->repository);
	free(s->identity);
	free(s->parcel);
	free(s);
	return 0;
}

/* A parcel of two files, the second with this digest and metadata. */
static void
make(const struct site *s, const struct digest *digest, const char *meta)
{
	CLEANUP(mef_packer_freep) struct mef_packer *packer = NULL;
	CLEANUP(close_fd)
	int fd = open(s->parcel, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct digest first = digest_memory("b", 1); /* 3e23... */
	char err[300];

	assert_int_equal(
	    mef_packer_new(fd, &s->to, s->identity, &packer, err, sizeof(err)),
	    0);
	assert_int_equal(mef_packer_add(packer, &first, "{}", 2, "b", 1), 0);
	assert_int_equal(
	    mef_packer_add(packer, digest, meta, strlen(meta), "a", 1), 0);
	assert_int_equal(mef_packer_end(packer, err, sizeof(err)), 0);
}

static int
receive(const struct site *s)
{
	return run(repository_receive,
	    (char *[]){(char *)(uintptr_t) "-d", s->repository, s->parcel}, 3);
}

static size_t
samples(const struct site *s)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/samples", s->repository);
	DIR *dir = opendir(path);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		n += *e->d_name != '.';
	(void)closedir(dir);
	return n;
}

static void
one_bad_file_refuses_its_whole_parcel(void **state)
{
	const struct site *s = *state;
	const struct digest good = digest_memory("a", 1), bad = {{0xff}};

	make(s, &bad, "{}");
	assert_int_equal(receive(s), STATUS_BAD);
	assert_int_equal(samples(s), 0);
	make(s, &good, "{\"names\":1}");
	assert_int_equal(receive(s), STATUS_BAD);
	assert_int_equal(samples(s), 0);
	make(s, &good, "{\"names\":[\"../../x\"]}");
	assert_int_equal(receive(s), STATUS_FINE);
	assert_int_equal(samples(s), 4); /* two files, and their metadata */
}

/* Power fails between any two files: what is there is kept, the rest comes. */
static void
a_parcel_that_was_half_kept_is_kept_the_second_time(void **state)
{
	const struct site *s = *state;
	const struct digest good = digest_memory("a", 1);
	char hex[DIGEST_HEX];
	CLEANUP(free_ptr)
	char *json = xasprintf(
	    "%s/samples/%s.json", s->repository, digest_hex(&good, hex));

	make(s, &good, "{}");
	assert_int_equal(receive(s), STATUS_FINE);
	assert_int_equal(unlink(json), 0);
	assert_int_equal(receive(s), STATUS_FINE);
	assert_int_equal(samples(s), 4);
}

static void
of_many_reports_of_a_file_some_are_kept(void **state)
{
	const struct site *s = *state;
	const struct digest good = digest_memory("a", 1);
	char hex[DIGEST_HEX];
	CLEANUP(free_ptr)
	char *json = xasprintf(
	    "%s/samples/%s.json", s->repository, digest_hex(&good, hex));
	json_t *about;

	for (int i = 0; i < SAMPLE_REPORTS + 3; i++) {
		make(s, &good, "{}");
		assert_int_equal(receive(s), STATUS_FINE);
	}
	about = json_load_file(json, 0, NULL);
	assert_int_equal(
	    json_array_size(json_object_get(about, "reports")), SAMPLE_REPORTS);
	assert_int_equal(util_json_number(about, "more"), 3);
	json_decref(about);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_make, site_drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_bad_file_refuses_its_whole_parcel),
	    TEST(a_parcel_that_was_half_kept_is_kept_the_second_time),
	    TEST(of_many_reports_of_a_file_some_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
