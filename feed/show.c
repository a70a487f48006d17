#include "common/metrics.h"
#include "feed/feed_priv.h"
#include "feed/late.h"
#include "feed/tuner.h"

void
feed_show(struct feed *feed)
{
	struct index_counts counts = index_count(feed->index);
	struct board *board = &feed->counts;
	uint64_t empty_usec[FEED_MAX_LANES], share_usec;

	lanes_empty_usec(feed, empty_usec);
	board->updated_usec = wall_now().usec;
	board->ready = counts.ready;
	board->queued = counts.queued;
	board->parked = counts.parked;
	board->held = counts.held;
	board->scan_usec = feed->round.walk_usec;
	board->policy = feed->policy;
	board->patience = feed->patience;
	/* What waits for all of them is everybody's. */
	share_usec = late_work_usec(feed->late) / feed->limits.lanes;
	for (size_t i = 0; i < feed->limits.lanes; i++)
		board->lane[i] = (struct board_lane){
		    .max_bytes = feed->limits.max_bytes[i],
		    .messages = load_count(feed->load, i),
		    .empty_usec = empty_usec[i] + share_usec,
		    .wait_usec = feed->lanes[i].wait_usec,
		};
	tuner_show(feed);
	board_write(feed->board, board);
	metrics_set(feed->metrics, METRIC_feed_waiting,
	    counts.ready + counts.queued + counts.parked + counts.held);
}
