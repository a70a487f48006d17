/*
 * feed/board.h - what the feed shows of itself: one small mapped file,
 * RUNTIME/feed/board, that a reader gets at even when the feed hangs or is
 * gone.  One writer, any number of readers; each value is read whole, and
 * two of them may be a moment apart.
 */
#ifndef SLUICE_FEED_BOARD_H
#define SLUICE_FEED_BOARD_H

#include <stddef.h>
#include <stdint.h>

#define BOARD_MAX_LANES 64

struct board_lane {
	uint64_t max_bytes;  /* its limit, UINT64_MAX: none */
	uint64_t messages;   /* in it, those in service included */
	uint64_t empty_usec; /* expected to be empty that long after updated;
			      * with its share of what is queued in in/ */
	uint64_t wait_usec;  /* mean wait of what its worker finished lately,
			      * from in/ on; 0: nothing yet */
};

/* What the tuner knows (feed/tune.h); UINT64_MAX usec: without end. */
struct board_tune_lane {
	uint64_t proposed_bytes; /* UINT64_MAX: no limit */
	uint64_t foreseen_usec, measured_usec;
};

struct board_tune {
	uint64_t mode;  /* enum tune_mode */
	uint64_t state; /* enum tune_state */
	uint64_t messages, load_ppm;
	uint64_t has_proposal, gain_ppm;
	/* Mean waits: with the limits in force, the proposed, in fact. */
	uint64_t foreseen_usec, proposed_usec, measured_usec;
	uint64_t changes, taken_back; /* since its start */
	uint64_t hold;                /* intervals until the next change */
	struct board_tune_lane lane[BOARD_MAX_LANES];
};

/* Every member is a uint64_t: board.c copies it as an array of them. */
struct board {
	uint64_t pid;
	uint64_t updated_usec; /* wall clock; older than some s: it hangs */
	uint64_t ready;        /* in in/, about to be placed */
	uint64_t parked;       /* in in/, locked or incomplete */
	uint64_t held;         /* in in/, their move failed: tried again */
	uint64_t placed;       /* moved to a feed queue since its start */
	uint64_t refused;      /* moved to error/ since its start */
	uint64_t failed;       /* moves that failed since its start */
	uint64_t scan_usec;    /* what the last scan of in/ took */
	uint64_t queued;       /* in in/, until a worker is free for them */
	uint64_t stolen;       /* moved from queue to queue since its start */
	uint64_t policy;       /* enum feed_policy */
	uint64_t patience;     /* feed.patience */
	uint64_t lanes;
	struct board_lane lane[BOARD_MAX_LANES];
	struct board_tune tune;
};

struct board_map;

/*
 * Make the file anew and map it.  RUNTIME/feed must be there, for us to write:
 * RUNTIME itself is root's alone.
 * Returns 0 or -errno as open(2), mmap(2).
 */
int board_create(const char *runtime, struct board_map **ret_map);
struct board_map *board_close(struct board_map *map);

/* Publish; never blocks. */
void board_write(struct board_map *map, const struct board *board);

/*
 * Read what was published last.  Returns 0; -ENOENT: no feed has run yet;
 * -EBADMSG: not a board of this version; or -errno.
 */
int board_read(const char *runtime, struct board *ret_board);

#endif
