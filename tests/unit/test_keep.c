/*
 * tests/unit/test_keep.c - copies of files for the archive role: what it is
 * told of them, and that nobody waits for one that is slow.
 */
#include "tests/support/runs_site.h"

#include "common/digest.h"
#include "common/metrics.h"
#include "worker/mef/archive.h"
#include "worker/mef/extract.h"
#include "worker/mef/model.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#define SCRIPT "#!/bin/sh\ndo something\n"
#define FILES  40

struct fixture {
	struct runs_site *r;
	struct metrics *metrics;
	int engines_fd, role_fd;
	char octets[FILES][sizeof(SCRIPT) + 20];
	struct ipc_msg msg;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	void *r;
	int fds[2];

	assert_int_equal(runs_setup(&r), 0);
	f->r = r;
	assert_int_equal(ipc_pair(fds), 0);
	f->engines_fd = fds[0];
	f->role_fd = fds[1];
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	void *r = f->r;

	assert_int_equal(runs_teardown(&r), 0);
	(void)metrics_close(f->metrics);
	(void)close(f->engines_fd);
	(void)close(f->role_fd);
	free(f);
	return 0;
}

/* A model that has learned nothing finds everything borderline. */
static void
start(struct fixture *f)
{
	struct site *s = f->r->s;
	struct mef_model *model = mef_model_new(MEF_SET_FULL, 10);
	char *path = xasprintf("%s/model", s->dir);

	assert_int_equal(mef_model_save(model, path), 0);
	(void)mef_model_free(model);
	site_set(&s->conf->mef.model, path, "");
	free(path);
	runs_start(f->r, "mef", false);
	assert_int_equal(metrics_open(s->dir, "engines-1", &f->metrics), 0);
	judge_count(s->judge, f->metrics);
	judge_keep(s->judge, f->engines_fd);
}

static void
add_files(struct fixture *f, int n)
{
	for (int i = 0; i < n; i++) {
		(void)sprintf(f->octets[i], SCRIPT "# %d\n", i);
		runs_program(f->r, f->octets[i], "a.sh");
	}
}

/* What lies in the role's socket; its answer is error, or none (-1). */
static int
serve(struct fixture *f, int error)
{
	const struct wire_keep *keep;
	const char *meta;
	int n = 0;

	while (ipc_recv(f->role_fd, &f->msg) == 0) {
		const struct wire_kept kept = {.error = (uint32_t)error};

		assert_int_equal(wire_keep(&f->msg, &keep, &meta), 0);
		if (error >= 0)
			assert_int_equal(ipc_send(f->role_fd, WIRE_KEPT, &kept,
					     sizeof(kept), NULL, 0),
			    0);
		ipc_drop_fds(&f->msg);
		n++;
	}
	return n;
}

static uint64_t
counted(const struct fixture *f, enum metric metric)
{
	struct metrics_values v;

	assert_int_equal(metrics_read(f->r->s->dir, "engines-1", &v), 0);
	return v.values[metric];
}

static void
a_copy_comes_with_its_story(void **state)
{
	struct fixture *f = *state;
	const struct wire_keep *keep;
	const char *meta;
	struct digest digest;
	char hex[DIGEST_HEX];
	json_t *o;

	add_files(f, 1);
	runs_program(f->r, f->octets[0], "b\"\xc3\xa4.sh");
	start(f);
	runs_submit(f->r, 1);
	runs_finish(f->r, 1);
	assert_int_equal(ipc_recv(f->role_fd, &f->msg), 0);
	assert_int_equal(wire_keep(&f->msg, &keep, &meta), 0);
	assert_int_equal(memfd_is_sealed(f->msg.fds[0]), 1);
	assert_int_equal(
	    digest_file(f->msg.fds[0], 0, keep->bytes, &digest), 0);
	assert_memory_equal(&digest, &keep->digest, sizeof(digest));
	o = json_loadb(meta, keep->meta_bytes, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "sha256")),
	    digest_hex(&digest, hex));
	assert_string_equal(
	    json_string_value(json_object_get(o, "label")), "borderline");
	assert_string_equal(
	    json_string_value(json_object_get(o, "kind")), "script");
	assert_string_equal(
	    json_string_value(json_object_get(o, "mid")), "wAB12345");
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(o, "names"), 1)),
	    "b\"\xc3\xa4.sh");
	assert_int_equal(
	    json_integer_value(json_object_get(o, "bytes")), keep->bytes);
	assert_int_equal(meta[keep->meta_bytes - 1], '\n');
	json_decref(o);
	ipc_drop_fds(&f->msg);
}

static void
nobody_waits_for_a_role_that_is_slow(void **state)
{
	struct fixture *f = *state;

	add_files(f, FILES);
	start(f);
	runs_submit(f->r, 1);
	runs_finish(f->r, 1); /* though not one was answered */
	assert_int_equal(serve(f, 0), 32);
	assert_int_equal(counted(f, METRIC_mef_lost), FILES - 32);
	runs_for(f->r, 20 * USEC_PER_MSEC);
	assert_int_equal(counted(f, METRIC_mef_kept), 32);
	/* It has caught up: others are taken again. */
	runs_submit(f->r, 2);
	runs_finish(f->r, 2);
	assert_int_equal(serve(f, 0), 32);
}

static void
what_fails_there_is_counted_and_no_more(void **state)
{
	struct fixture *f = *state;

	add_files(f, 3);
	start(f);
	runs_submit(f->r, 1);
	runs_finish(f->r, 1);
	assert_int_equal(serve(f, ENOSPC), 3);
	runs_for(f->r, 20 * USEC_PER_MSEC);
	assert_int_equal(counted(f, METRIC_mef_lost), 3);
	assert_int_equal(counted(f, METRIC_mef_borderline), 3);
	site_said(f->r->s, 1, "mef", ANSWER_WARN, "borderline");
}

static void
a_role_that_dies_is_nobodys_loss(void **state)
{
	struct fixture *f = *state;

	add_files(f, 2);
	start(f);
	assert_int_equal(shutdown(f->role_fd, SHUT_RDWR), 0);
	runs_submit(f->r, 1);
	runs_finish(f->r, 1);
	assert_int_equal(counted(f, METRIC_mef_lost), 2);
}

static void
only_wanted_labels_are_kept(void **state)
{
	struct fixture *f = *state;

	add_files(f, 1);
	site_set(&f->r->s->conf->mef.archive_labels, "malicious", "");
	start(f);
	runs_submit(f->r, 1);
	runs_finish(f->r, 1);
	assert_int_equal(serve(f, 0), 0);
	assert_int_equal(counted(f, METRIC_mef_lost), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_copy_comes_with_its_story),
	    TEST(nobody_waits_for_a_role_that_is_slow),
	    TEST(what_fails_there_is_counted_and_no_more),
	    TEST(a_role_that_dies_is_nobodys_loss),
	    TEST(only_wanted_labels_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
