/*
 * sluice-feed - takes complete messages out of in/ and puts each into the
 * feed queue that is expected to be empty first.  See sluice-feed(8).
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "feed/feed.h"
#include "queues/event.h"
#include "queues/journal.h"
#include "queues/recover.h"
#include "queues/spool.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_USAGE  100 /* wrong usage or configuration */
#define EXIT_SYSTEM 111 /* the system failed, try again */

static void
conf_freep(struct conf **conf)
{
	*conf = conf_free(*conf);
}

static void
event_base_freep(struct event_base **base)
{
	if (*base)
		event_base_free(*base);
}

static int
journal_start(struct journal *journal)
{
	const struct event event = {
	    .kind = EVENT_START,
	    .t = wall_now(),
	    .reason = "sluice-feed",
	};
	CLEANUP(free_ptr) char *line = event_format(&event);
	int r = journal_append(journal, line);

	return r < 0 ? r : journal_sync(journal);
}

/* Take the lock that makes us the only one, then clear up. */
static int
take_spool(const struct spool *spool, struct journal **ret_journal)
{
	struct recovery rec;
	int r = journal_open(spool, "feed", ret_journal);

	if (r == -EBUSY) {
		log_error("another sluice-feed works on %s", spool->path);
		return r;
	}
	if (r == 0)
		r = recover_spool(spool, &rec);
	if (r == 0)
		r = journal_start(*ret_journal);
	if (r < 0) {
		log_error(
		    "start error=\"%s\" spool=%s", strerror(-r), spool->path);
		return r;
	}
	log_info("start spool=%s feeds=%zu extra_df=%" PRIu64
		 " stale_tf=%" PRIu64 " wraps=%" PRIu64 " skipped=%" PRIu64,
	    spool->path, spool->feeds, rec.extra_df, rec.stale_tf, rec.wraps,
	    rec.skipped);
	return 0;
}

static int
serve(const struct conf *conf, const char *conf_path, const struct spool *spool)
{
	CLEANUP(journal_closep) struct journal *journal = NULL;
	CLEANUP(event_base_freep) struct event_base *base = NULL;
	CLEANUP(feed_freep) struct feed *feed = NULL;
	char err[512];
	int r = take_spool(spool, &journal);

	if (r < 0)
		return EXIT_SYSTEM;
	base = event_base_new();
	if (!base) {
		log_error("no event loop: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	r = feed_new(
	    base, conf, conf_path, spool, journal, &feed, err, sizeof(err));
	if (r < 0) {
		log_error("%s", err);
		return spool_is_misplaced(r) ? EXIT_USAGE : EXIT_SYSTEM;
	}
	r = feed_run(feed);
	log_info("stop result=\"%s\"", r < 0 ? strerror(-r) : "ok");
	return r < 0 ? EXIT_SYSTEM : 0;
}

int
main(int argc, char **argv)
{
	CLEANUP(conf_freep) struct conf *conf = NULL;
	CLEANUP(spool_freep) struct spool *spool = NULL;
	struct proc_args args;
	char err[512];
	int r;

	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	log_init("sluice-feed", LOG_LEVEL_INFO);
	if (proc_parse(argc, argv, &args) < 0)
		return EXIT_USAGE;
	r = conf_load(args.conf_path, &conf, err, sizeof(err));
	if (r < 0) {
		log_error("%s", err);
		return EXIT_USAGE;
	}
	log_init("sluice-feed",
	    (enum log_level)log_level_parse(conf->site.log_level));
	r = spool_open(
	    conf->site.spool, conf->feed.queues, &spool, err, sizeof(err));
	if (r < 0) {
		log_error("%s", err);
		return spool_is_misplaced(r) ? EXIT_USAGE : EXIT_SYSTEM;
	}
	/* Before the first octet of mail, and before files are made: they
	 * shall belong to the user that runs us next time. */
	r = sandbox_enter(ROLE_FEED, conf, err, sizeof(err));
	if (r < 0) {
		log_error("%s", err);
		return r == -ENOENT ? EXIT_USAGE : EXIT_SYSTEM;
	}
	return serve(conf, args.conf_path, spool);
}
