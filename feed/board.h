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
	uint64_t empty_usec; /* expected to be empty that long after updated */
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
	uint64_t lanes;
	struct board_lane lane[BOARD_MAX_LANES];
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
