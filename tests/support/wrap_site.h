/*
 * tests/support/wrap_site.h - one message in feed1 that is claimed and wrapped.
 */
#ifndef SLUICE_TESTS_WRAP_SITE_H
#define SLUICE_TESTS_WRAP_SITE_H

#include "queues/message.h"
#include "queues/wrap.h"
#include "tests/support/tmpspool.h"
#include "tests/support/wrapped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEXT "Beware of this.\n"

struct wrap_site {
	char *path;
	struct spool *spool;
	struct claim claim;
};

static inline int
wrap_set_up(void **state)
{
	struct wrap_site *f = xcalloc(1, sizeof(*f));

	f->path = tmpspool_make();
	f->spool = tmpspool_open(f->path);
	f->claim.qf_fd = -1;
	*state = f;
	return 0;
}

static inline int
wrap_tear_down(void **state)
{
	struct wrap_site *f = *state;

	claim_drop(&f->claim);
	spool_free(f->spool);
	tmp_remove(f->path);
	free(f);
	return 0;
}

/* A new file, without what stood on the old one. */
static inline void
wrap_put(const struct wrap_site *f, const char *name, const char *text)
{
	(void)unlinkat(f->spool->fds[SPOOL_FEED1], name, 0);
	tmp_put(f->spool->fds[SPOOL_FEED1], name, text, strlen(text));
}

static inline void
wrap_put_pair(const struct wrap_site *f)
{
	wrap_put(f, "qfA1", TMPSPOOL_QF);
	wrap_put(f, "dfA1", TMPSPOOL_BODY);
}

static inline int
wrap_take(struct wrap_site *f)
{
	const char *reason;

	claim_drop(&f->claim);
	return claim_take(f->spool, SPOOL_FEED1, "A1", &f->claim, &reason);
}

static inline int
wrap_claimed(struct wrap_site *f, const char *text)
{
	const char *reason = NULL;

	return wrap_message(f->spool, &f->claim, text, &reason);
}

static inline char *
wrap_read(const struct wrap_site *f, const char *name, size_t *ret_len)
{
	char *text;

	assert_int_equal(read_file(f->spool->fds[SPOOL_FEED1], name, 1 << 24,
			     &text, ret_len),
	    0);
	return text;
}

/* The message that stands for the claimed pair. */
static inline char *
wrap_build(const struct wrap_site *f, size_t *ret_len)
{
	const char *reason = NULL;
	struct qf *qf;
	uint64_t bytes;
	char *text;
	int fd;

	assert_int_equal(message_build(f->spool, &f->claim, UINT64_C(1) << 30,
			     &fd, &bytes, &qf, &reason),
	    0);
	assert_int_equal(read_fd(fd, 1 << 30, &text, ret_len), 0);
	assert_int_equal(*ret_len, bytes);
	(void)close(fd);
	(void)qf_free(qf);
	return text;
}

/* Claim A1, wrap it, and see that the original is in it. */
static inline void
wrap_and_look(struct wrap_site *f)
{
	CLEANUP(free_ptr) char *old = NULL, *body = NULL, *qf = NULL, *b = NULL;
	size_t old_len, len, got;
	const char *inner;

	assert_int_equal(wrap_take(f), 0);
	old = wrap_build(f, &old_len);
	assert_int_equal(wrap_claimed(f, TEXT), 0);
	qf = wrap_read(f, "qfA1", &len);
	assert_int_equal(f->claim.qf_bytes, len);
	b = wrapped_boundary(qf);
	body = wrap_read(f, "dfA1", &len);
	assert_int_equal(f->claim.df_bytes, len);
	assert_null(memmem(old, old_len, b, strlen(b)));
	inner = wrapped_original(b, body, len, &got);
	assert_non_null(inner);
	assert_int_equal(got, old_len);
	assert_memory_equal(inner, old, old_len);
	assert_non_null(strstr(body, "\n\n" TEXT));
	for (size_t i = 0; i < 3; i++) {
		static const char *const left[] = {"ofA1", "nfA1", "tfA1"};

		assert_false(tmpspool_has(f->spool, SPOOL_FEED1, left[i]));
	}
}

#endif
