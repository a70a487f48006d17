/* tools/load/check_log.h - both logs in memory, sorted by id. */
#ifndef LOAD_CHECK_LOG_H
#define LOAD_CHECK_LOG_H

#include "bodyhash.h"
#include "send_book.h"

struct sent_line {
	char *id;
	char class[32];
	char sha256[BODYHASH_HEX_BYTES];
	enum status status;
	unsigned broke;
	double t_accepted; /* seconds since 1970; 0: not accepted */
};

struct sink_line {
	char *id; /* "" when unknown; of a bounce, what it returns */
	char sha256[BODYHASH_HEX_BYTES];
	bool is_return;
	bool is_cut; /* not a message: see the sink's log */
	double t;
};

struct check_log {
	struct sent_line *sent;
	size_t sent_count, sent_cap;
	struct sink_line *sink;
	size_t sink_count, sink_cap;
	uint64_t bad_lines;
};

/* Add a file's lines.  0 or -errno. */
int check_log_add_sent(struct check_log *l, const char *path);
int check_log_add_sink(struct check_log *l, const char *path);

/* Sort by id; the sink's lines of one id by time. */
void check_log_sort(struct check_log *l);
void check_log_done(struct check_log *l);

#endif
