/*
 * worker/deliver_priv.h - the deliver role's state, shared by deliver.c (the
 * loop and what it hears), begin.c (what is tried when), verdicts.c (what an
 * answer leads to) and change.c (what is changed on mail that passes).
 */
#ifndef SLUICE_WORKER_DELIVER_PRIV_H
#define SLUICE_WORKER_DELIVER_PRIV_H

#include "common/ipc.h"
#include "worker/lot.h"

struct conf;
struct event;
struct event_base;
struct journal;
struct lane;
struct metrics;
struct warning;
struct wire_judgement;

/* PROC_FIRST_FD: the socket of the engines role. */
#define DELIVER_ENGINES_FD 3

struct deliver {
	const struct conf *conf;
	unsigned int k;
	enum spool_dir dir;
	struct spool *spool;
	struct journal *journal;
	struct lane *lane;
	struct metrics *metrics;
	struct warning *warning; /* that mail is wrapped in */
	struct event_base *base;
	struct event *gathered; /* a batch was put off until now */
	bool is_gathering;      /* until then, unless all are decided before */
	struct event *work;     /* try, then move: after all that was heard */
	int inotify_fd;
	struct lot lot;
	uint64_t last_job;

	/* While an engine does not answer, one message at a time asks. */
	struct mono outage; /* since when; {0}: none */
	struct mono outage_next;
	struct mono answered; /* when all had answered for a message last */
	char outage_reason[200];

	bool is_draining;
	int result;
	struct ipc_msg msg;
};

/* Have everything that is decided or waits looked at, after what is heard. */
void deliver_wake(struct deliver *d);

/* Begin to judge as many as there is room for. */
void deliver_begin(struct deliver *d);

/* Try item again no earlier than usec from now. */
void deliver_later(struct deliver *d, struct item *item, uint64_t usec);

/* A judgement has come for item, which is claimed and judged: decide. */
void deliver_decide(struct deliver *d, struct item *item,
    const struct wire_judgement *judgement, const char *evidence);

/* Only clones are busy with item from now on: it gives up its place. */
void deliver_make_long(struct deliver *d, struct item *item);

/* The engines role is gone, perhaps of what one of those in clones did: each
 * counts as begun again, on disk. */
void deliver_suspect_long(struct deliver *d);

/* Send item to error with a reason; it is claimed. */
void deliver_set_aside(
    struct deliver *d, struct item *item, const char *reason);

/*
 * Add to item, which is done and claimed, what is to be added before it moves:
 * the warning, the trace header.  0; -EBADMSG, -EFBIG, -EINVAL: it can't be
 * wrapped, and is as it was (*ret_reason); or -errno: drop its claim.
 */
int deliver_change(
    struct deliver *d, struct item *item, const char **ret_reason);

/* Leave the loop; result < 0: the process ends with an error. */
void deliver_end(struct deliver *d, int result);

/* Move everything decided, one batch. */
void deliver_move(struct deliver *d);

#endif
