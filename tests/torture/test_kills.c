/*
 * Living processes: a feed and two workers move 300 messages, two thieves move
 * them to and fro between the workers, somebody like sendmail takes what comes
 * to out/, and movers are killed at random times and started again, each with
 * a recovery while the others work.  What the workers move to out/ they wrap.
 *
 * PROP_SEED=n repeats the times of a run, as far as the machine lets it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/event.h"
#include "queues/journal.h"
#include "queues/move.h"
#include "queues/recover.h"
#include "queues/wrap.h"
#include "tests/support/tmpspool.h"
#include "tests/support/wrapped.h"
#include "tests/torture/fault.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define MESSAGES 300
#define KILLS    60
#define MOVERS   5
#define BATCH    4

static const struct mover {
	const char *name;
	enum spool_dir from;
	enum spool_dir to[2]; /* by the id's last digit */
} movers[MOVERS] = {
    {"feed", SPOOL_IN, {SPOOL_FEED1, SPOOL_FEED1 + 1}},
    {"worker-1", SPOOL_FEED1, {SPOOL_OUT, SPOOL_EXT}},
    {"worker-2", SPOOL_FEED1 + 1, {SPOOL_OUT, SPOOL_SPAM}},
    {"thief-1", SPOOL_FEED1, {SPOOL_FEED1 + 1, SPOOL_FEED1 + 1}},
    {"thief-2", SPOOL_FEED1 + 1, {SPOOL_FEED1, SPOOL_FEED1}},
};

static uint64_t clock_ahead_usec;

struct wall __real_wall_now(void);
struct wall __wrap_wall_now(void);
struct wall
__wrap_wall_now(void)
{
	struct wall now = __real_wall_now();

	now.usec += clock_ahead_usec;
	return now;
}

static void
nap(long usec)
{
	const struct timespec ts = {0, usec * 1000};

	(void)nanosleep(&ts, NULL);
}

/* The first qf of a directory that can be claimed, up to BATCH of them. */
static size_t
claim_some(const struct spool *spool, enum spool_dir dir, struct claim *claims)
{
	DIR *d = fdopendir(
	    openat(spool->fds[dir], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	const char *reason;
	size_t n = 0;

	if (!d)
		abort();
	while (n < BATCH && (e = readdir(d))) {
		const char *id = spool_id_of(e->d_name, "qf");

		if (id && claim_take(spool, dir, id, &claims[n], &reason) == 0)
			n++;
	}
	(void)closedir(d);
	return n;
}

static char *
line_of(const struct claim *claim, enum spool_dir to)
{
	struct event e = {
	    .kind = EVENT_MOVE, .t = wall_now(), .from = claim->dir, .to = to};

	memcpy(e.id, claim->id, sizeof(e.id));
	return event_format(&e);
}

static void
wrap_for_out(const struct spool *spool, struct claim *claim)
{
	const char *reason;
	int r = wrap_message(spool, claim, "Beware.\n", &reason);

	if (r < 0 && r != -EALREADY)
		abort();
}

static void
move_some(const struct spool *spool, struct journal *j, const struct mover *m)
{
	struct claim claims[BATCH];
	struct move moves[BATCH];
	char *lines[BATCH];
	size_t n = claim_some(spool, m->from, claims);

	for (size_t i = 0; i < n; i++) {
		const char *id = claims[i].id;

		moves[i].claim = &claims[i];
		moves[i].to = m->to[id[strlen(id) - 1] % 2];
		lines[i] = line_of(&claims[i], moves[i].to);
		moves[i].line = lines[i];
		if (moves[i].to == SPOOL_OUT)
			wrap_for_out(spool, &claims[i]);
	}
	if (n == 0)
		nap(200);
	else if (move_batch(spool, j, moves, n) < 0)
		abort();
	for (size_t i = 0; i < n; i++) {
		claim_drop(&claims[i]);
		free(lines[i]);
	}
}

/* A test that fails leaves nobody behind. */
static void
die_with_parent(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() == 1)
		abort();
}

/* Children die by abort() or a signal; cmocka is the parent's. */
static pid_t
start_mover(const struct spool *spool, const struct mover *m)
{
	struct journal *j = NULL;
	struct recovery rec;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	die_with_parent();
	/* Whoever was killed may not be quite gone. */
	while (journal_open(spool, m->name, &j) == -EBUSY)
		nap(200);
	if (!j || recover_spool(spool, &rec) < 0)
		abort();
	for (;;)
		move_some(spool, j, m);
}

/* Wrapped once, headers and body, around the body that was. */
static bool
is_well_wrapped(const struct spool *spool, const struct claim *claim)
{
	CLEANUP(free_ptr) char *qf = NULL, *df = NULL, *boundary = NULL;
	char name[QUEUE_ID_MAX + 3];
	const char *inner;
	size_t len;

	(void)snprintf(name, sizeof(name), "df%.*s", QUEUE_ID_MAX, claim->id);
	if (read_fd(claim->qf_fd, 100000, &qf, &len) < 0 ||
	    read_file(spool->fds[SPOOL_OUT], name, 100000, &df, &len) < 0)
		return false;
	boundary = wrapped_boundary(qf);
	inner = wrapped_original(boundary, df, len, &len);
	return inner && len > sizeof(TMPSPOOL_BODY) &&
	       memcmp(inner + len - strlen(TMPSPOOL_BODY), TMPSPOOL_BODY,
		   strlen(TMPSPOOL_BODY)) == 0 &&
	       !memmem(inner, len, "Beware", 6);
}

/* Deliver as sendmail does: under the lock, note it, unlink df, then qf. */
static void
take_delivery(const struct spool *spool, int sink)
{
	struct claim claims[BATCH];
	size_t n = claim_some(spool, SPOOL_OUT, claims);
	int out = spool->fds[SPOOL_OUT];

	for (size_t i = 0; i < n; i++) {
		char name[QUEUE_ID_MAX + 3];

		(void)snprintf(
		    name, sizeof(name), "df%.*s", QUEUE_ID_MAX, claims[i].id);
		if (!is_well_wrapped(spool, &claims[i]))
			abort();
		if (write_all(sink, claims[i].id, strlen(claims[i].id)) < 0 ||
		    write_all(sink, "\n", 1) < 0 || unlinkat(out, name, 0) < 0)
			abort();
		name[0] = 'q';
		if (unlinkat(out, name, 0) < 0)
			abort();
		claim_drop(&claims[i]);
	}
	if (n == 0)
		nap(200);
}

static pid_t
start_sendmail(const struct spool *spool, int sink)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	die_with_parent();
	for (;;)
		take_delivery(spool, sink);
}

static bool
is_empty(const struct spool *spool, enum spool_dir dir)
{
	DIR *d = fdopendir(
	    openat(spool->fds[dir], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	bool is = true;

	while ((e = readdir(d)))
		if (spool_id_of(e->d_name, "qf"))
			is = false;
	(void)closedir(d);
	return is;
}

static bool
is_all_done(const struct spool *spool)
{
	return is_empty(spool, SPOOL_IN) && is_empty(spool, SPOOL_FEED1) &&
	       is_empty(spool, SPOOL_FEED1 + 1) && is_empty(spool, SPOOL_OUT);
}

static void
kill_and_wait(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL); /* not abort() */
}

static unsigned int
get_seed(void)
{
	const char *text = getenv("PROP_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 10)
				 : (unsigned int)wall_now().usec;

	print_message("  PROP_SEED=%u\n", seed);
	return seed;
}

static void
run_with_kills(const struct spool *spool, int sink)
{
	unsigned int seed = get_seed();
	pid_t pids[MOVERS], sendmail = start_sendmail(spool, sink);
	int rounds = 0;

	for (int i = 0; i < MOVERS; i++)
		pids[i] = start_mover(spool, &movers[i]);
	for (; rounds < KILLS || !is_all_done(spool); rounds++) {
		int i = rand_r(&seed) % MOVERS;

		assert_true(rounds < 5000); /* or it never ends */
		nap(500 + rand_r(&seed) % 8000);
		if (rounds >= KILLS)
			continue;
		kill_and_wait(pids[i]);
		pids[i] = start_mover(spool, &movers[i]);
	}
	for (int i = 0; i < MOVERS; i++)
		kill_and_wait(pids[i]);
	kill_and_wait(sendmail);
}

static int
count(const struct spool *spool, enum spool_dir dir, const char *prefix)
{
	DIR *d = fdopendir(
	    openat(spool->fds[dir], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += spool_id_of(e->d_name, prefix) != NULL;
	(void)closedir(d);
	return n;
}

/* Every message in one place: delivered once, or in a quarantine. */
static void
check_all(const struct spool *spool, const char *sunk)
{
	for (int i = 0; i < MESSAGES; i++) {
		char qf[QUEUE_ID_MAX + 3], line[QUEUE_ID_MAX + 3];
		const char *at;
		int places = 0;

		(void)snprintf(qf, sizeof(qf), "qfM%04d", i);
		(void)snprintf(line, sizeof(line), "M%04d\n", i);
		for (at = strstr(sunk, line); at; at = strstr(at + 1, line))
			places++;
		for (size_t d = 0; d < spool_dirs(spool); d++)
			places += tmpspool_has(spool, (enum spool_dir)d, qf);
		assert_int_equal(places, 1);
	}
}

static void
kills_at_random_lose_and_double_nothing(void **state)
{
	char *path = tmpspool_make(), *sunk;
	struct spool *spool = tmpspool_open(path);
	int sink = openat(spool->journal_fd, ".sink",
	    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct recovery rec;
	size_t len;

	(void)state;
	for (int i = 0; i < MESSAGES; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "M%04d", i);
		tmpspool_put(spool, SPOOL_IN, id);
	}
	fault_slow_sync(1000);
	run_with_kills(spool, sink);
	fault_slow_sync(0);
	/* A df that two crashes left waits for the first start after a minute.
	 */
	clock_ahead_usec = 61 * USEC_PER_SEC;
	assert_int_equal(recover_spool(spool, &rec), 0);
	print_message("  left by the last kills: %d df\n", (int)rec.extra_df);
	assert_int_equal(rec.orphan_df, 0);
	assert_int_equal(rec.skipped, 0);
	assert_int_equal(read_fd(sink, 1 << 20, &sunk, &len), 0);
	check_all(spool, sunk);
	/* No bodies pile up where their message has gone. */
	assert_int_equal(count(spool, SPOOL_IN, "df"), 0);
	assert_int_equal(count(spool, SPOOL_OUT, "df"), 0);
	for (int i = 0; i < 2; i++) {
		static const char *const names[] = {"df", "of", "nf", "tf"};
		const enum spool_dir feed = (enum spool_dir)(SPOOL_FEED1 + i);

		for (size_t n = 0; n < ARRAY_SIZE(names); n++)
			assert_int_equal(count(spool, feed, names[n]), 0);
	}
	free(sunk);
	assert_int_equal(close(sink), 0);
	spool_free(spool);
	tmp_remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kills_at_random_lose_and_double_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
