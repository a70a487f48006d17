/*
 * tests/support/tmpspool.h - a spool of its own for each test.
 *
 * Below TMPDIR, else /var/tmp: /tmp is memory on some machines, and a spool
 * in memory is refused.
 */
#ifndef SLUICE_TESTS_TMPSPOOL_H
#define SLUICE_TESTS_TMPSPOOL_H

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TMPSPOOL_FEEDS 2

/* A fresh directory; the caller gives its path to tmp_remove(). */
static inline char *
tmp_new(void)
{
	const char *base = getenv("TMPDIR");
	char *path =
	    xasprintf("%s/sluice-test-XXXXXX", base ? base : "/var/tmp");

	if (!mkdtemp(path))
		abort();
	return path;
}

static inline int
tmp_remove_one(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
tmp_remove(char *path)
{
	(void)nftw(path, tmp_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

/* The directories of a spool, empty.  Returns its path. */
static inline char *
tmpspool_make(void)
{
	char *path = tmp_new();
	char *dir = xasprintf("%s/journal", path);

	for (int i = 0; i < (int)SPOOL_FEED1 + TMPSPOOL_FEEDS; i++) {
		if (mkdir(dir, 0700) < 0)
			abort();
		free(dir);
		dir =
		    xasprintf("%s/%s", path, spool_dir_name((enum spool_dir)i));
	}
	if (mkdir(dir, 0700) < 0)
		abort();
	free(dir);
	return path;
}

static inline struct spool *
tmpspool_open(const char *path)
{
	struct spool *spool = NULL;
	char err[512] = "";

	if (spool_open(path, TMPSPOOL_FEEDS, &spool, err, sizeof(err)) < 0) {
		(void)fprintf(stderr, "%s\n", err);
		abort();
	}
	return spool;
}

/* Write a file, replacing what was there. */
static inline void
tmp_put(int dirfd, const char *name, const void *text, size_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write_all(fd, text, len) < 0 || close(fd) < 0)
		abort();
}

#define TMPSPOOL_QF \
	"V8\nT1795333110\nK0\nN0\nP30108\nFbs\n$_localhost [127.0.0.1]\n" \
	"$rESMTP\n$sclient.test\nS<a@x.test>\nrRFC822; b@y.test\n" \
	"RPFD:<b@y.test>\nH?P?Return-Path: <\201g>\n" \
	"H??Received: from client.test\n\tby mx.sluice.test; now\n" \
	"H??Subject: s\n.\n"

#define TMPSPOOL_BODY "the body\n"

/* A whole message. */
static inline void
tmpspool_put(const struct spool *spool, enum spool_dir dir, const char *id)
{
	char name[QUEUE_ID_MAX + 3];

	(void)snprintf(name, sizeof(name), "df%s", id);
	tmp_put(
	    spool->fds[dir], name, TMPSPOOL_BODY, sizeof(TMPSPOOL_BODY) - 1);
	name[0] = 'q';
	tmp_put(spool->fds[dir], name, TMPSPOOL_QF, sizeof(TMPSPOOL_QF) - 1);
}

static inline bool
tmpspool_has(const struct spool *spool, enum spool_dir dir, const char *name)
{
	return faccessat(spool->fds[dir], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

#endif
