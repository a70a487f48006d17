/*
 * tests/support/pool_site.h - a pool over the fake, a clock that the test
 * moves, and runs that write down what they were told.
 */
#ifndef SLUICE_TESTS_POOL_SITE_H
#define SLUICE_TESTS_POOL_SITE_H

#include "common/io.h"
#include "vmm/fake.h"
#include "vmm/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SITE_SLOTS 16
#define SITE_MIB   (UINT64_C(1) << 20)
#define SITE_MSEC  USEC_PER_MSEC

struct run_seen {
	struct pool_run *run;
	int waits, begins, dones;
	uint64_t wait_usec;
	char digest[ASK_DIGEST_MAX];
	struct ask_done done;
	char *report; /* MAILBOX_REPORT_MAX, made when something comes */
	size_t n_report;
	int answer; /* of chunk(): 0, -EAGAIN, -EPIPE */
};

struct pool_site {
	struct mono now;
	struct fake *fake;
	struct pool *pool;
	bool watched[SITE_SLOTS];
	uint64_t memory; /* what clones take is taken off it; 0: unknown */
	int said, references;
	char last_said[128];
};

static inline void
site_watch(void *arg, uint32_t slot, int fd)
{
	struct pool_site *s = arg;

	if (s->watched[slot] || fd < 0)
		abort();
	s->watched[slot] = true;
}

static inline void
site_unwatch(void *arg, uint32_t slot)
{
	struct pool_site *s = arg;

	if (!s->watched[slot])
		abort();
	s->watched[slot] = false;
}

static inline uint64_t
site_available(void *arg)
{
	const struct pool_site *s = arg;
	struct fake_counts f;

	fake_counts(s->fake, &f);
	return s->memory ? s->memory - f.live * (SITE_MIB / 2) : 0;
}

static inline void
site_said(void *arg, uint32_t slot, const char *reference, const char *text)
{
	struct pool_site *s = arg;

	(void)slot;
	(void)reference;
	s->said++;
	(void)snprintf(s->last_said, sizeof(s->last_said), "%s", text);
}

static const struct pool_ear site_ear = {
    site_watch, site_unwatch, site_available, site_said};

static inline void
seen_begun(void *arg, const struct ask_begun *begun)
{
	struct run_seen *r = arg;

	if (begun->is_waiting) {
		r->waits++;
		r->wait_usec = begun->wait_usec;
	} else {
		r->begins++;
		memcpy(r->digest, begun->digest, sizeof(r->digest));
	}
}

static inline int
seen_chunk(void *arg, uint32_t from, const void *octets, uint32_t n)
{
	struct run_seen *r = arg;

	if (r->answer < 0)
		return r->answer;
	if (from != r->n_report || n == 0 || n > ASK_CHUNK_MAX ||
	    from + n > MAILBOX_REPORT_MAX)
		abort();
	if (!r->report)
		r->report = xcalloc(1, MAILBOX_REPORT_MAX);
	memcpy(r->report + from, octets, n);
	r->n_report += n;
	return 0;
}

static inline void
seen_done(void *arg, const struct ask_done *done)
{
	struct run_seen *r = arg;

	r->dones++;
	r->done = *done;
	r->run = NULL;
}

static const struct pool_run_ops seen_ops = {seen_begun, seen_chunk, seen_done};

/* Times small enough to be moved past one by one. */
static const struct pool_limits site_limits = {
    .slots = 4,
    .running = 4,
    .cloning = 4,
    .reserve_bytes = 0,
    .guess_bytes = SITE_MIB,
    .clone_usec = 100 * SITE_MSEC,
    .take_usec = 50 * SITE_MSEC,
    .run_usec = 1000 * SITE_MSEC,
    .run_max_usec = 5000 * SITE_MSEC,
    .grace_usec = 200 * SITE_MSEC,
    .drain_usec = 300 * SITE_MSEC,
    .destroy_usec = 400 * SITE_MSEC,
    .waiting = 100,
    .file_bytes = SITE_MIB,
};

/* One millisecond for all that a clone does, ten for its run. */
static const struct fake_plan site_plan = {
    .clone_usec = SITE_MSEC,
    .rehearse_usec = SITE_MSEC,
    .take_usec = SITE_MSEC,
    .run_usec = 10 * SITE_MSEC,
    .destroy_usec = SITE_MSEC,
    .report = "one\ntwo\n",
    .report_bytes = 8,
    .private_bytes = SITE_MIB / 2,
};

static inline void
site_init(struct pool_site *s, const struct pool_limits *limits)
{
	*s = (struct pool_site){.now = {1000 * SITE_MSEC}};
	s->fake = fake_new(&s->now);
	fake_plan(s->fake, &site_plan);
	s->pool = pool_new(limits, &site_ear, s);
}

static inline void
site_reference(struct pool_site *s, const char *name, uint32_t ready)
{
	const struct vmm_options options = {.reference = name};
	struct vmm *vmm;
	char err[128], digest[16];

	if (fake_ops.open(&options, &vmm, err, sizeof(err)) < 0)
		abort();
	(void)snprintf(digest, sizeof(digest), "%d", ++s->references);
	pool_add(s->pool, name, digest, ready, &fake_ops, vmm, s->now);
}

/* All that is due now, in every slot. */
static inline void
site_settle(struct pool_site *s)
{
	for (int i = 0; i < 8; i++) {
		pool_tick(s->pool, s->now);
		for (uint32_t n = 0; n < SITE_SLOTS; n++)
			if (s->watched[n])
				pool_wake(s->pool, n, s->now);
		if (pool_next(s->pool).usec > s->now.usec &&
		    fake_next(s->fake).usec > s->now.usec)
			return;
	}
}

/* Move the clock from event to event. */
static inline void
site_run(struct pool_site *s, uint64_t usec)
{
	uint64_t end = s->now.usec + usec;

	site_settle(s);
	while (s->now.usec < end) {
		uint64_t at = pool_next(s->pool).usec;

		if (fake_next(s->fake).usec < at)
			at = fake_next(s->fake).usec;
		if (at <= s->now.usec)
			at = s->now.usec + 1;
		s->now.usec = at < end ? at : end;
		site_settle(s);
	}
}

static inline void
site_ask_by(struct pool_site *s, struct run_seen *seen, const void *asker,
    const char *reference, uint64_t patience_usec)
{
	struct ask_run what = {
	    .run = 1, .bytes = 3, .patience_usec = patience_usec};
	int fd = memfd_create("sample", MFD_CLOEXEC);

	if (fd < 0 || write(fd, "abc", 3) != 3)
		abort();
	strcpy(what.reference, reference);
	strcpy(what.name, "a.sh");
	seen->run =
	    pool_ask(s->pool, asker, &what, fd, &seen_ops, seen, s->now);
}

static inline void
site_ask(struct pool_site *s, struct run_seen *seen)
{
	site_ask_by(s, seen, NULL, "linux", 0);
}

static inline void
seen_free(struct run_seen *seen)
{
	free(seen->report);
	seen->report = NULL;
}

static inline void
site_end(struct pool_site *s)
{
	pool_end(s->pool, "the test is over", s->now);
	fake_let_go(s->fake);
	for (int i = 0; i < 10 && (i == 0 || !pool_is_idle(s->pool)); i++)
		site_run(s, 500 * SITE_MSEC);
	if (!pool_is_idle(s->pool))
		abort();
	s->pool = pool_free(s->pool);
	s->fake = fake_free(s->fake);
}

static inline int
site_set_up(void **state)
{
	struct pool_site *s = xcalloc(1, sizeof(*s));

	site_init(s, &site_limits);
	*state = s;
	return 0;
}

static inline int
site_tear_down(void **state)
{
	site_end(*state);
	free(*state);
	return 0;
}

static inline struct pool_counts
site_counts(const struct pool_site *s)
{
	struct pool_counts c;

	pool_counts(s->pool, &c);
	return c;
}

#endif
