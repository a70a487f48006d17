/*
 * tools/sluice/health.h - the state of a deployment, from files alone: the
 * spool, the feed's board, the workers' lanes, counters, the supervisor's
 * picture of its crew.  Asks no daemon, so a hanging one can't stop it.
 */
#ifndef SLUICE_TOOLS_HEALTH_H
#define SLUICE_TOOLS_HEALTH_H

#include "common/metrics.h"
#include "feed/board.h"
#include "flow/learn.h"
#include "queues/spool.h"
#include "tools/sluice/gate_view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;

#define HEALTH_DAEMONS_MAX  80
#define HEALTH_PROBLEMS_MAX 64

struct health_queue {
	bool is_there;
	uint64_t messages, bytes;
	uint64_t oldest_usec; /* age of the oldest message */
	bool is_lane;         /* the rest is known for feed queues only */
	uint64_t max_bytes;   /* UINT64_MAX: no limit */
	uint64_t empty_usec;  /* expected to be empty in so long */
	uint64_t in_service, served_usec;
	uint64_t in_clones; /* their files are run; not among in_service */
	uint64_t wait_usec; /* mean, of what its worker finished; 0: unknown */
};

/* What the tuner shows; see feed/board.h. */
struct health_tune {
	bool is_known;
	size_t lanes;
	uint64_t max_bytes[BOARD_MAX_LANES]; /* in force */
	struct board_tune board;
};

/* What the feed says of itself. */
struct health_feed {
	bool is_known;
	const char *policy;
	uint64_t patience; /* of small-first */
	uint64_t queued;   /* in in, until a worker is free */
	uint64_t stolen;   /* since its start */
};

struct health_daemon {
	char name[24];
	pid_t pid; /* 0: not running */
	bool is_alive;
	unsigned int starts; /* by the supervisor */
	uint64_t since_usec; /* wall clock: started, or died */
};

struct health_counters {
	char name[24];
	struct metrics_values view;
};

struct health {
	struct health_queue queues[SPOOL_MAX]; /* by enum spool_dir */
	struct health_feed feed;
	struct health_tune tune;
	struct health_daemon daemons[HEALTH_DAEMONS_MAX];
	size_t n_daemons;
	struct health_counters counters[2 * HEALTH_DAEMONS_MAX];
	size_t n_counters;
	bool has_mef;        /* the engine is wanted */
	enum metric_mef mef; /* the worst that a worker says of the model */
	bool has_gate;       /* it runs */
	struct gate_view gate;
	bool has_flow; /* sluice-learn runs */
	enum flow_standing standing;
	uint64_t ham, spam;                  /* that it has learned from */
	char *problems[HEALTH_PROBLEMS_MAX]; /* bad news, for people */
	size_t n_problems;
};

struct health_limits {
	uint64_t wait_usec; /* oldest in in and feeds; more is stuck */
	uint64_t out_usec;  /* oldest in out */
};

/* Look at everything.  Never fails: what can't be read is a problem. */
struct health *health_look(
    const struct conf *conf, const struct health_limits *limits);
struct health *health_free(struct health *health);

#endif
