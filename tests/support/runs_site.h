/*
 * tests/support/runs_site.h - a judge among fakes as in judge_site.h, with a
 * vmm role that a test speaks for.
 */
#ifndef SLUICE_TESTS_RUNS_SITE_H
#define SLUICE_TESTS_RUNS_SITE_H

#include "tests/support/fake_vmm.h"
#include "tests/support/judge_site.h"

#include "common/cleanup.h"
#include "worker/job_priv.h"

#define RUNS_PARTS_MAX 70
#define RUNS_LONGS_MAX 32

struct runs_part {
	const char *octets; /* a C string */
	const char *name, *type;
	uint32_t flags; /* PART_..., beside PART_ATTACHMENT */
};

struct runs_site {
	struct site *s;
	struct fake_vmm vmm;
	struct runs_part parts[RUNS_PARTS_MAX];
	size_t n_parts;
	uint64_t longs[RUNS_LONGS_MAX]; /* jobs, in order */
	size_t n_longs;
};

static inline bool
runs_leave(struct reading_writer *w, void *arg)
{
	const struct runs_site *r = arg;

	for (size_t i = 0; i < r->n_parts; i++) {
		const struct runs_part *p = &r->parts[i];
		struct reading_part part = {.parent = -1,
		    .flags = p->flags ? p->flags : PART_ATTACHMENT,
		    .n_names = *p->name ? 1 : 0,
		    .names = p->name,
		    .declared = "",
		    .type = p->type};

		assert_int_equal(
		    writer_append(w, p->octets, strlen(p->octets)), 0);
		writer_blob_end(w, &part.off, &part.bytes);
		(void)writer_part(w, &part);
	}
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

static inline void
runs_part(struct runs_site *r, const char *octets, const char *name)
{
	r->parts[r->n_parts++] =
	    (struct runs_part){octets, name, "text/plain", 0};
}

/* One whose first octets say that it is a program. */
static inline void
runs_program(struct runs_site *r, const char *octets, const char *name)
{
	r->parts[r->n_parts++] = (struct runs_part){
	    octets, name, "text/plain", PART_ATTACHMENT | PART_PROGRAM};
}

static inline void
runs_long(void *arg, uint64_t job)
{
	/* The judge hands over its own argument. */
	struct site *s = arg;
	struct runs_site *r = s->reading_arg;

	assert_int_equal(s->done[job], 0);
	assert_true(r->n_longs < RUNS_LONGS_MAX);
	r->longs[r->n_longs++] = job;
}

static inline int
runs_setup(void **state)
{
	struct runs_site *r = xcalloc(1, sizeof(*r));
	void *site;

	assert_int_equal(site_setup(&site), 0);
	r->s = site;
	r->s->reading = runs_leave;
	r->s->reading_arg = r;
	fake_vmm_init(&r->vmm);
	site_set(&r->s->conf->vm.references, "linux wine", "");
	*state = r;
	return 0;
}

static inline int
runs_teardown(void **state)
{
	struct runs_site *r = *state;
	void *site = r->s;

	assert_int_equal(site_teardown(&site), 0);
	fake_vmm_done(&r->vmm);
	free(r);
	return 0;
}

static inline void
runs_turn(struct runs_site *r)
{
	site_turn(r->s);
	fake_vmm_serve(&r->vmm);
}

static inline void
runs_for(struct runs_site *r, uint64_t usec)
{
	const struct mono start = mono_now();

	while (mono_span(start, mono_now()) < usec)
		runs_turn(r);
}

/* Run until the number has become n, or fail. */
static inline void
runs_until(struct runs_site *r, const size_t *number, size_t n)
{
	const struct mono start = mono_now();

	while (*number < n && mono_span(start, mono_now()) < 5 * USEC_PER_SEC)
		runs_turn(r);
	assert_int_equal(*number, n);
}

static inline void
runs_finish(struct runs_site *r, uint64_t job)
{
	const struct mono start = mono_now();

	while (
	    !r->s->done[job] && mono_span(start, mono_now()) < 5 * USEC_PER_SEC)
		runs_turn(r);
	assert_int_equal(r->s->done[job], 1);
}

/* With these engines; both references are there as "ref". */
static inline void
runs_start(struct runs_site *r, const char *engines, bool has_book)
{
	char err[200] = "";

	if (has_book)
		fake_book_open(&r->s->book, r->s->book_path);
	site_set(&r->s->conf->worker.engines, engines, "");
	assert_int_equal(site_start(r->s, err, sizeof(err)), 0);
	judge_run(r->s->judge, r->vmm.engines_fd, runs_long);
	fake_vmm_state(&r->vmm, "linux wine", "ref", "two references");
	runs_for(r, 5 * USEC_PER_MSEC); /* heard, and with the book */
}

/* As deliver does of a message that has waited for so long. */
static inline void
runs_submit_held(
    struct runs_site *r, uint64_t job, uint64_t held_usec, bool is_afresh)
{
	struct wire_job info = {.job = job,
	    .bytes = 2,
	    .id = "wAB12345",
	    .held_usec = held_usec,
	    .afresh = is_afresh};
	const int fd = memfd_new("message");

	assert_int_equal(write_all(fd, "OK", 2), 0);
	r->s->done[job] = 0;
	judge_submit(r->s->judge, &info, fd);
}

static inline void
runs_submit(struct runs_site *r, uint64_t job)
{
	runs_submit_held(r, job, 0, false);
}

/* The vmm role's word on the nth run that it was asked for. */
static inline void
runs_answer(
    struct runs_site *r, size_t n, enum answer answer, const char *reason)
{
	fake_vmm_answer(&r->vmm, r->vmm.runs[n].run, answer, reason, "");
}

static inline void
runs_said(struct runs_site *r, uint64_t job, enum answer answer,
    enum answer_wait wait, const char *reason)
{
	site_said(r->s, job, "vm", answer, reason);
	assert_int_equal(site_answer(r->s, job, "vm")->wait, wait);
}

#endif
