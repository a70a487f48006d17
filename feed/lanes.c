#include "common/conf.h"
#include "feed/feed_priv.h"
#include "queues/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static void
lane_read(struct feed *feed, size_t at)
{
	struct feed_lane *l = &feed->lanes[at];
	struct lane_sample sample;
	uint64_t lost, in_service, left_usec;
	bool missed = false;
	int r;

	do {
		r = lane_next(l->lane, &l->cursor, &sample, &lost);
		missed |= lost > 0;
		if (r > 0)
			load_finished(feed->load, sample.id, sample.bytes,
			    sample.service_usec);
	} while (r > 0);
	lane_get(l->lane, &in_service, &left_usec);
	load_serving(feed->load, at, in_service, left_usec, mono_now());
	if (missed)
		feed_want_round(feed);
}

void
lanes_read(struct feed *feed)
{
	for (size_t i = 0; i < feed->limits.lanes; i++)
		if (feed->lanes[i].lane)
			lane_read(feed, i);
}

/* Is the file another one than the one that is mapped? */
static bool
lane_is_new(const struct feed *feed, size_t at, ino_t *ret_inode)
{
	char name[32];
	struct stat st;

	(void)snprintf(name, sizeof(name), "lane-%zu", at + 1);
	if (fstatat(feed->runtime_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false; /* the old one is the last word there is */
	*ret_inode = st.st_ino;
	return !feed->lanes[at].lane || st.st_ino != feed->lanes[at].inode;
}

void
lanes_refresh(struct feed *feed)
{
	for (size_t i = 0; i < feed->limits.lanes; i++) {
		struct feed_lane *l = &feed->lanes[i];
		struct lane *lane;
		ino_t inode;
		int r;

		if (!lane_is_new(feed, i, &inode))
			continue;
		r = lane_open(
		    feed->conf->site.runtime, (unsigned int)i + 1, &lane);
		if (r < 0) {
			if (r != -ENOENT)
				feed_complain(feed, "lane-open", r);
			continue;
		}
		if (l->lane) {
			lane_read(feed, i); /* the last of the old worker */
			(void)lane_close(l->lane);
			feed_want_round(feed); /* not all was measured */
		}
		*l = (struct feed_lane){.lane = lane, .inode = inode};
	}
}

void
lanes_close(struct feed *feed)
{
	for (size_t i = 0; i < FEED_MAX_LANES; i++)
		feed->lanes[i].lane = lane_close(feed->lanes[i].lane);
}

void
lanes_empty_usec(const struct feed *feed, uint64_t *ret_usec)
{
	struct mono now = mono_now();

	for (size_t i = 0; i < feed->limits.lanes; i++)
		ret_usec[i] = load_empty_usec(feed->load, i, now);
}
