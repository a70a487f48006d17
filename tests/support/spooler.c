/*
 * tests/support/spooler.c - writes df+qf pairs the way sendmail does.
 *
 * usage: spooler make  DIR COUNT NAME [BODY_BYTES]
 *        spooler stuck DIR COUNT NAME
 *        spooler race  DIR COUNT NAME [SEED]
 *
 * make   COUNT whole messages NAME00000000 ..., with sendmail's order and
 *        locks but without its fsyncs; BODY_BYTES octets of body each
 * stuck  COUNT messages whose qf has no closing line and never will
 * race   the same as make, with random pauses at every point where a reader
 *        could do harm; ends with 1 when a lock was refused to us or when a
 *        qf was gone while we held its lock
 *
 * Run it as the user that owns the spool.
 */
#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define WRITERS 4

struct spooler {
	int dir;
	const char *name;
	uint64_t seed;
	bool race;
	bool stuck;
	long body;
};

static void
die(const char *what, const char *name)
{
	(void)fprintf(
	    stderr, "spooler: %s %s: %s\n", what, name, strerror(errno));
	_exit(1);
}

static uint64_t
draw(struct spooler *s, uint64_t below)
{
	s->seed ^= s->seed << 13; /* xorshift64 */
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return s->seed % below;
}

/* Where a reader could step in: mostly short, now and then long. */
static void
gap(struct spooler *s)
{
	struct timespec ts = {0};

	if (!s->race)
		return;
	ts.tv_nsec = (long)draw(s, draw(s, 10) ? 300000 : 8000000);
	(void)nanosleep(&ts, NULL);
}

static void
put(int fd, const char *text, size_t len, const char *name)
{
	if (write(fd, text, len) != (ssize_t)len)
		die("write", name);
}

static int
create(struct spooler *s, const char *name)
{
	int fd =
	    openat(s->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		die("create", name);
	return fd;
}

/* sendmail gives the session up when it doesn't get this lock. */
static void
lock(int fd, const char *name)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		die("lock refused", name);
}

/* What we have locked must still be there under its name. */
static void
check(struct spooler *s, int fd, const char *name)
{
	struct stat mine, there;

	if (!s->race)
		return;
	if (fstat(fd, &mine) < 0 || fstatat(s->dir, name, &there, 0) < 0)
		die("taken early", name);
	if (mine.st_ino != there.st_ino) {
		errno = ESTALE;
		die("replaced", name);
	}
}

static void
make_df(struct spooler *s, const char *id)
{
	static const char line[] = "Fish swim where the water is, mostly.\n";
	char name[64];
	long left = s->body;
	int fd;

	(void)snprintf(name, sizeof(name), "df%s", id);
	fd = create(s, name);
	lock(fd, name);
	if (s->race)
		left = (long)draw(s, draw(s, 4) ? 9000 : 70000);
	for (; left > 0; left -= (long)sizeof(line) - 1)
		put(fd, line, sizeof(line) - 1, name);
	gap(s);
	(void)close(fd);
}

static size_t
qf_text(char *buf, size_t size, const char *id)
{
	return (size_t)snprintf(buf, size,
	    "V8\nT%lld\nK0\nN0\nP30300\nF8bs\n$_localhost [127.0.0.1]\n"
	    "$rESMTP\n$sclient.test\n${daemon_flags}\nS<from.%s@test>\n"
	    "rRFC822; to@test\nRPFD:<to@test>\n"
	    "H?P?Return-Path: <g>\n"
	    "H??Received: from client.test (localhost [127.0.0.1])\n"
	    "\tby mx.test (8.17.1/8.17.1) with ESMTP id %s\n"
	    "\tfor <to@test>; Sun, 22 Nov 2026 03:52:00 GMT\n"
	    "H??Content-Type: text/plain; charset=us-ascii\n"
	    "H??Subject: number %s\nH??From: from@test\n.\n",
	    (long long)time(NULL), id, id, id);
}

static void
put_in_two(
    struct spooler *s, int fd, const char *text, size_t len, const char *name)
{
	size_t first = s->race ? (size_t)draw(s, len) : len;

	put(fd, text, first, name);
	gap(s);
	check(s, fd, name);
	put(fd, text + first, len - first, name);
}

/* The same text again under tf, renamed over the qf: both stay locked. */
static void
replace(struct spooler *s, const char *id, const char *qf, int old,
    const char *text, size_t len)
{
	char tf[64];
	int fd;

	(void)snprintf(tf, sizeof(tf), "tf%s", id);
	fd = create(s, tf);
	lock(fd, tf);
	put(fd, text, len, tf);
	gap(s);
	check(s, old, qf);
	if (renameat(s->dir, tf, s->dir, qf) < 0)
		die("rename", qf);
	gap(s);
	check(s, fd, qf);
	(void)close(old);
	gap(s);
	check(s, fd, qf);
	(void)close(fd);
}

static void
make_one(struct spooler *s, const char *id)
{
	char name[64], text[2048];
	size_t len = qf_text(text, sizeof(text), id);
	int fd;

	make_df(s, id);
	(void)snprintf(name, sizeof(name), "qf%s", id);
	fd = create(s, name);
	gap(s);
	lock(fd, name);
	gap(s);
	check(s, fd, name);
	if (s->stuck) {
		put(fd, text, len - 2, name);
		(void)close(fd);
		return;
	}
	put_in_two(s, fd, text, len, name);
	gap(s);
	check(s, fd, name);
	replace(s, id, name, fd, text, len);
}

static void
make_all(struct spooler *s, long from, long count, long step)
{
	char id[64];

	for (long i = from; i < count; i += step) {
		(void)snprintf(id, sizeof(id), "%.20s%08ld", s->name, i);
		make_one(s, id);
	}
}

/* Several at once; 0 when none of them failed. */
static int
race(struct spooler *s, long count)
{
	int bad = 0, status;

	for (long i = 0; i < WRITERS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork", s->name);
		if (pid == 0) {
			s->seed += (uint64_t)i * 7919;
			make_all(s, i, count, WRITERS);
			_exit(0);
		}
	}
	for (int i = 0; i < WRITERS; i++)
		if (wait(&status) < 0 || status != 0)
			bad = 1;
	return bad;
}

int
main(int argc, char **argv)
{
	struct spooler s = {.seed = 88172645463325252u, .body = 1000};
	long count;

	if (argc < 5) {
		(void)fprintf(stderr,
		    "usage: spooler make|stuck|race DIR COUNT NAME "
		    "[BODY_BYTES|SEED]\n");
		return 100;
	}
	s.dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir < 0)
		die("open", argv[2]);
	count = strtol(argv[3], NULL, 10);
	s.name = argv[4];
	s.race = strcmp(argv[1], "race") == 0;
	s.stuck = strcmp(argv[1], "stuck") == 0;
	if (argc > 5 && s.race)
		s.seed = strtoull(argv[5], NULL, 10) * 2 + 1;
	else if (argc > 5)
		s.body = strtol(argv[5], NULL, 10);
	if (s.race)
		return race(&s, count);
	make_all(&s, 0, count, 1);
	return 0;
}
