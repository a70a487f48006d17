/*
 * tests/support/feed_site.h - the feed without its loop: a spool with two
 * queues, two lanes whose workers a test plays, and a configuration.
 *
 * A message of b octets is predicted to take 2 ms + b * 10 ns: LOAD_PRIOR.
 */
#ifndef SLUICE_TESTS_FEED_SITE_H
#define SLUICE_TESTS_FEED_SITE_H

#include "common/conf.h"
#include "feed/feed_priv.h"
#include "queues/journal.h"
#include "queues/lane.h"
#include "tests/support/tmpspool.h"

#include <event2/event.h>

struct feed_site {
	char *path, *runtime;
	struct spool *spool;
	struct conf *conf;
	struct journal *journal;
	struct event_base *base;
	struct feed *feed;
	struct lane *lanes[TMPSPOOL_FEEDS];
};

/* Read settings, one or more lines of the section feed. */
static inline struct conf *
feed_site_conf(const struct feed_site *site, const char *settings)
{
	char *path = xasprintf("%s/sluice.conf", site->runtime);
	FILE *f = fopen(path, "w");
	struct conf *conf;
	char err[512];

	if (!f)
		abort();
	(void)fprintf(f,
	    "site { runtime = \"%s\" }\n"
	    "worker { in_flight = 1 }\n"
	    "feed {\nqueues = 2\nlimits = \"5000\"\n%s\n}\n",
	    site->runtime, settings);
	(void)fclose(f);
	if (conf_load(path, &conf, err, sizeof(err)) < 0) {
		(void)fprintf(stderr, "%s\n", err);
		abort();
	}
	free(path);
	return conf;
}

static inline void
feed_site_mkdir(const char *runtime, const char *name)
{
	char *path = xasprintf("%s/%s", runtime, name);

	if (mkdir(path, 0700) < 0)
		abort();
	free(path);
}

/* Worker k (from 1) is there, and the feed knows. */
static inline void
feed_site_worker(struct feed_site *site, unsigned int k)
{
	if (lane_create(site->runtime, k, &site->lanes[k - 1]) < 0)
		abort();
	lanes_refresh(site->feed);
}

static inline struct feed_site *
feed_site_new(const char *settings)
{
	struct feed_site *site = xcalloc(1, sizeof(*site));
	char err[512];

	site->path = tmpspool_make();
	site->runtime = tmp_new();
	feed_site_mkdir(site->runtime, "feed");
	feed_site_mkdir(site->runtime, "metrics");
	site->spool = tmpspool_open(site->path);
	site->conf = feed_site_conf(site, settings);
	site->base = event_base_new();
	if (journal_open(site->spool, "feed", &site->journal) < 0 ||
	    feed_new(site->base, site->conf, NULL, site->spool, site->journal,
		&site->feed, err, sizeof(err)) < 0)
		abort();
	return site;
}

static inline void
feed_site_free(struct feed_site *site)
{
	site->feed = feed_free(site->feed);
	for (int i = 0; i < TMPSPOOL_FEEDS; i++)
		(void)lane_close(site->lanes[i]);
	journal_close(site->journal);
	event_base_free(site->base);
	spool_free(site->spool);
	(void)conf_free(site->conf);
	tmp_remove(site->path);
	tmp_remove(site->runtime);
	free(site);
}

/* A message of about that many octets, complete age_usec ago. */
static inline void
feed_site_put(const struct feed_site *site, enum spool_dir dir, const char *id,
    off_t bytes, uint64_t age_usec)
{
	uint64_t usec = wall_now().usec - age_usec;
	struct timespec times[2];
	char name[QUEUE_ID_MAX + 3];
	int fd;

	tmpspool_put(site->spool, dir, id);
	(void)snprintf(name, sizeof(name), "df%s", id);
	fd = openat(site->spool->fds[dir], name, O_WRONLY);
	if (fd < 0 || ftruncate(fd, bytes) < 0 || close(fd) < 0)
		abort();
	times[0].tv_sec = (time_t)(usec / USEC_PER_SEC);
	times[0].tv_nsec = (long)(usec % USEC_PER_SEC) * 1000;
	times[1] = times[0];
	name[0] = 'q';
	if (utimensat(site->spool->fds[dir], name, times, 0) < 0)
		abort();
}

/* Is the message there, qf and df? */
static inline bool
feed_site_has(const struct feed_site *site, enum spool_dir dir, const char *id)
{
	char qf[QUEUE_ID_MAX + 3], df[QUEUE_ID_MAX + 3];

	(void)snprintf(qf, sizeof(qf), "qf%s", id);
	(void)snprintf(df, sizeof(df), "df%s", id);
	return tmpspool_has(site->spool, dir, qf) &&
	       tmpspool_has(site->spool, dir, df);
}

/* Worker k has finished a message, which is gone. */
static inline void
feed_site_finish(const struct feed_site *site, unsigned int k, const char *id)
{
	struct lane_sample sample = {.bytes = 1000, .service_usec = 2000};
	int fd = site->spool->fds[SPOOL_FEED1 + k - 1];
	char name[QUEUE_ID_MAX + 3];

	(void)snprintf(sample.id, sizeof(sample.id), "%s", id);
	(void)snprintf(name, sizeof(name), "qf%s", id);
	if (unlinkat(fd, name, 0) < 0)
		abort();
	name[0] = 'd';
	if (unlinkat(fd, name, 0) < 0)
		abort();
	lane_finished(site->lanes[k - 1], &sample);
	lanes_read(site->feed);
}

#endif
