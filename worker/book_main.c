/*
 * sluice-book: one a host, holds the scanned table and the ledger alone.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "common/store.h"
#include "queues/spool.h"
#include "worker/book.h"
#include "worker/book_rows.h"
#include "worker/ledger.h"
#include "worker/ledger_files.h"

#include <errno.h>
#include <event2/event.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_USAGE  100
#define EXIT_SYSTEM 111
/* A living loop: other writers of the ledger are waited for by ticks. */
#define PATIENCE_MSEC 20

struct start {
	struct conf *conf;
	struct spool *spool;
	struct metrics *metrics;
	struct book_parts parts;
};

static int
fail(const char *what, const char *err)
{
	log_error("book %s: %s", what, err);
	return EXIT_SYSTEM;
}

/* What needs the rights that the sandbox takes away. */
static int
open_outside(struct start *s)
{
	CLEANUP(free_ptr) char *dir = NULL;
	CLEANUP(free_ptr) char *path = NULL;
	const struct conf *c = s->conf;
	const struct passwd *pw = getpwnam(c->site.engines_user);
	char err[512];
	int r;

	s->parts.engines_uid = geteuid() != 0 || !pw ? geteuid() : pw->pw_uid;
	r = spool_open(
	    c->site.spool, c->feed.queues, &s->spool, err, sizeof(err));
	if (r < 0)
		return fail("spool", err);
	s->parts.spool = s->spool;
	r = metrics_open(c->site.runtime, "book", &s->metrics);
	if (r < 0)
		return fail(c->site.runtime, strerror(-r));
	s->parts.metrics = s->metrics;
	dir = xasprintf("%s/book", c->site.runtime);
	path = xasprintf("%s/book.sock", dir);
	r = mkdir(dir, 0755) < 0 && errno != EEXIST ? -errno : 0;
	if (r == 0 && chmod(dir, 0755) < 0)
		r = -errno;
	if (r == 0)
		r = s->parts.listen_fd = ipc_listen(path);
	return r < 0 ? fail(path, strerror(-r)) : 0;
}

static int
open_inside(struct start *s)
{
	const struct conf *c = s->conf;
	CLEANUP(free_ptr) char *table = NULL;
	CLEANUP(free_ptr) char *ledger = NULL;
	char err[512] = "";
	int r;

	table = xasprintf("%s/table.db", c->site.state);
	ledger = xasprintf("%s/ledger.db", c->site.state);
	if (rows_open(table, BOOK_ROWS_MAX, &s->parts.rows, err, sizeof(err)) <
	    0)
		return fail(table, err);
	r = ledger_open(
	    ledger, false, PATIENCE_MSEC, &s->parts.ledger, err, sizeof(err));
	if (r == -EBADMSG && store_set_aside(ledger) == 0) {
		log_error("book %s: %s; kept as .bad, made anew", ledger, err);
		r = ledger_open(ledger, false, PATIENCE_MSEC, &s->parts.ledger,
		    err, sizeof(err));
	}
	if (r < 0)
		return fail(ledger, err);
	ledger_keep_files(s->parts.ledger, c->spread.keep_usec);
	return 0;
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)event_base_loopbreak(arg);
}

static int
serve(struct start *s)
{
	struct event_base *base = event_base_new();
	struct event *ends[2];
	struct book *book;
	char err[256];
	int r;

	if (!base)
		return fail("loop", strerror(errno));
	ends[0] = evsignal_new(base, SIGTERM, on_end, base);
	ends[1] = evsignal_new(base, SIGINT, on_end, base);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		(void)event_add(ends[i], NULL);
	if (sandbox_enter(ROLE_BOOK, s->conf, err, sizeof(err)) < 0)
		return fail("sandbox", err);
	r = open_inside(s);
	if (r != 0)
		return r;
	book = book_new(base, &s->parts);
	log_info("book state=%s: serving", s->conf->site.state);
	r = event_base_dispatch(base) < 0 ? EXIT_SYSTEM : 0;
	(void)book_free(book);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		event_free(ends[i]);
	event_base_free(base);
	return r;
}

int
main(int argc, char **argv)
{
	struct start s = {.parts.listen_fd = -1};
	struct proc_args args;
	char err[1024];
	int r;

	log_init("sluice-book", LOG_LEVEL_INFO);
	if (proc_parse(argc, argv, &args) < 0)
		return EXIT_USAGE;
	if (conf_load(args.conf_path, &s.conf, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return EXIT_USAGE;
	}
	log_init("sluice-book",
	    (enum log_level)log_level_parse(s.conf->site.log_level));
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	r = open_outside(&s);
	(void)umask(027); /* the databases hold who wrote to whom */
	if (r == 0)
		r = serve(&s);
	(void)metrics_close(s.metrics);
	(void)spool_free(s.spool);
	(void)conf_free(s.conf);
	return r;
}
