/*
 * mover - the program that test_order watches: put messages into a spool as
 * sendmail does, move them as we do.
 *
 *	order_mover SPOOL [N]
 *
 * With N the Nth fsync or fdatasync is left out, so that the test can see
 * that somebody misses it.
 */
#include "queues/journal.h"
#include "queues/move.h"
#include "queues/wrap.h"
#include "tests/support/tmpspool.h"

static int sync_skip, sync_seen;

int __real_fsync(int);
int __wrap_fsync(int);
int
__wrap_fsync(int fd)
{
	return ++sync_seen == sync_skip ? 0 : __real_fsync(fd);
}

int __real_fdatasync(int);
int __wrap_fdatasync(int);
int
__wrap_fdatasync(int fd)
{
	return ++sync_seen == sync_skip ? 0 : __real_fdatasync(fd);
}

static void
must(int r, const char *what)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "order_mover: %s: %s\n", what, strerror(-r));
	exit(1);
}

/* Write, fsync, close. */
static void
put_synced(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		must(-errno, name);
	must(write_all(fd, text, strlen(text)), name);
	if (fsync(fd) < 0)
		must(-errno, name);
	(void)close(fd);
}

static const char *const ids[] = {"A1", "B2", "C3"};
static const enum spool_dir targets[] = {SPOOL_OUT, SPOOL_VIRUS, SPOOL_OUT};

static void
put_messages(const struct spool *spool)
{
	int fd = spool->fds[SPOOL_FEED1];
	char name[QUEUE_ID_MAX + 3];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		(void)snprintf(name, sizeof(name), "df%s", ids[i]);
		put_synced(fd, name, TMPSPOOL_BODY);
		name[0] = 'q';
		put_synced(fd, name, TMPSPOOL_QF);
	}
	if (fsync(fd) < 0)
		must(-errno, "feed1");
}

static void
move_messages(const struct spool *spool, struct journal *journal)
{
	struct claim claims[ARRAY_SIZE(ids)];
	struct move moves[ARRAY_SIZE(ids)];
	const char *reason;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		must(
		    claim_take(spool, SPOOL_FEED1, ids[i], &claims[i], &reason),
		    "claim_take");
		moves[i] = (struct move){&claims[i], targets[i], "{}", 0};
	}
	must(move_add_header(spool, &claims[0], "X-Sluice: order"),
	    "move_add_header");
	must(wrap_message(spool, &claims[2], "Beware.\n", &reason),
	    "wrap_message");
	must(move_batch(spool, journal, moves, ARRAY_SIZE(ids)), "move_batch");
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		claim_drop(&claims[i]);
}

int
main(int argc, char **argv)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	CLEANUP(journal_closep) struct journal *journal = NULL;

	if (argc < 2)
		return 100;
	spool = tmpspool_open(argv[1]);
	must(journal_open(spool, "order", &journal), "journal_open");
	sync_seen = 0;
	sync_skip = argc > 2 ? atoi(argv[2]) : 0;
	put_messages(spool);
	move_messages(spool, journal);
	sync_skip = 0;
	(void)printf("%d\n", sync_seen);
	return 0;
}
