#include "common/conf.h"
#include "common/log.h"
#include "feed/feed_priv.h"
#include "feed/late.h"
#include "feed/tuner.h"

#include <assert.h>

/* A policy by its name, which conf_load() has checked. */
static enum feed_policy
policy_of(const struct conf *conf)
{
	enum feed_policy policy = FEED_SIZE_LOAD;
	int r = feed_policy_parse(conf->feed.policy, &policy);

	assert(r == 0);
	return policy;
}

/* More messages than it may ask its engines about wait inside a worker. */
static uint64_t
slots_of(const struct conf *conf)
{
	const char *engines = conf->worker.engines;
	uint64_t most = 1;

	if (conf_has_word(engines, "clamd"))
		most = conf->clamd.connections;
	if (conf_has_word(engines, "spam") && conf->spam.connections > most)
		most = conf->spam.connections;
	return most < conf->worker.in_flight ? most : conf->worker.in_flight;
}

void
feed_configure(struct feed *feed, const struct conf *conf)
{
	int r = feed_limits_make(feed->spool->feeds, conf->feed.limits.bytes,
	    conf->feed.limits.count, &feed->limits);

	assert(r == 0); /* conf_load() refuses such limits */
	feed->scan_usec = conf->feed.scan_interval_usec;
	feed->policy = policy_of(conf);
	feed->patience = conf->feed.patience;
	feed->slots = slots_of(conf);
	if (!feed->late)
		feed->late = late_new(&feed->limits, feed->patience);
	late_sort(feed->late, &feed->limits, feed->patience);
	tuner_configure(feed, conf);
	if (feed->policy == FEED_SMALL_FIRST)
		return;
	/* What waited for its turn is placed now, first come, first served. */
	late_clear(feed->late);
	index_unqueue(feed->index);
}

void
feed_reload(struct feed *feed, const struct conf *conf)
{
	int level = log_level_parse(conf->site.log_level);

	if (conf->feed.queues != feed->limits.lanes) {
		log_error("reload: feed.queues changes only at a start, kept "
			  "the old configuration");
		return;
	}
	feed_configure(feed, conf);
	log_init("sluice-feed", level < 0 ? LOG_LEVEL_INFO : level);
	log_info("reload limits=%zu policy=%s", conf->feed.limits.count,
	    feed_policy_name(feed->policy));
}
