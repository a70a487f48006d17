/*
 * vmm/pool_priv.h - what the files pool*.c share.
 */
#ifndef SLUICE_VMM_POOL_PRIV_H
#define SLUICE_VMM_POOL_PRIV_H

#include "vmm/pool.h"

#include <sys/queue.h>

#define POOL_NEVER UINT64_MAX

/* docs/vm-lifecycle.md, "Events". */
enum pool_event {
	EV_CLONE,
	EV_PARKED,
	EV_REHEARSE,
	EV_GIVEN,
	EV_TAKEN,
	EV_REPORT,
	EV_ENDED,
	EV_DIED,
	EV_GONE,
	EV_LATE,
	EV_STOP,
	EV_DRAINED,
	EV_RETIRE,
	EV_REFUSED,
	EV_COUNT
};

struct slot;

/* Called after the slot has got its new state. */
typedef void step_fn(struct slot *slot, struct mono now);

struct step {
	enum pool_state next;
	step_fn *act;
	const char *name; /* of the action, as in docs/vm-lifecycle.md */
};

/* pool_act.c */
step_fn act_nothing, act_odd, act_begin, act_unmade, act_park, act_rehearse,
    act_ready, act_destroy, act_fail, act_bury, act_give, act_took, act_pump,
    act_end, act_expire, act_die, act_silent, act_stop, act_refuse, act_finish,
    act_unread, act_dismiss, act_clear, act_vanish, act_write_off, act_lose,
    act_reclaim;

extern const struct step pool_steps[POOL_STATES][EV_COUNT];
const char *pool_event_name(enum pool_event event);

struct ref {
	TAILQ_ENTRY(ref) link;
	struct pool *pool;
	char name[ASK_REFERENCE_MAX];
	char digest[ASK_DIGEST_MAX];
	const struct vmm_ops *ops;
	struct vmm *vmm;
	uint32_t ready;
	uint32_t live; /* its slots that aren't empty, lost ones too */
	bool is_retired;
	unsigned int failures; /* clones in a row that could not be made */
	int last_error;
	bool is_hopeless; /* its waiting runs are to be refused */
	struct mono retry_at;
};

struct slot {
	struct pool *pool;
	uint32_t number;
	enum pool_state state;
	struct mono since, late_at;
	struct ref *ref; /* NULL only when empty */
	struct vm *vm;   /* NULL: none, or lost with it */
	struct pool_run *run;
	uint64_t private_bytes, clone_usec;
	struct mono begun_at; /* the last rehearsal, or its end */
	struct mono given_at;
	bool wants_rehearsal;
	bool is_full; /* more of its report can be read at once */
};

struct pool_run {
	TAILQ_ENTRY(pool_run) link; /* while it waits */
	struct pool *pool;
	struct slot *slot; /* NULL: it waits */
	const void *asker;
	uint64_t turn; /* who waits is in the order of turns */
	struct ask_run what;
	int fd;
	const struct pool_run_ops *ops;
	void *arg;
	struct mono asked_at, started_at, taken_at, ended_at;
	struct mono patience_at;
	uint64_t offset;
	enum ask_end end;  /* what done() will say after the rest is read */
	bool is_blocked;   /* until pool_resume() */
	bool is_abandoned; /* done() is not called */
	bool is_told;      /* that it waits */
	uint32_t lost;     /* events, by the guest's word */
	struct ask_times times;
};

struct pool {
	struct pool_limits limits;
	const struct pool_ear *ear;
	void *arg;
	struct slot *slots;
	TAILQ_HEAD(, ref) refs;
	TAILQ_HEAD(run_line, pool_run) waiting;
	uint64_t turn; /* of the last run that got a clone */
	struct pool_counts counts;
	bool is_ended;
	bool is_starved; /* a clone is lacking, and memory for it */
	bool is_stuck;   /* and runs wait, and there is no other: said */
	bool is_stale;   /* a slot changed its state since the last refill */
	const char *end_why;
	struct mono refill_at; /* look again what can be given and made */
	unsigned char chunk[ASK_CHUNK_MAX];
};

/* pool_step.c */
void slot_event(struct slot *slot, enum pool_event event, struct mono now);

/* pool_run.c */
/* The last word of a run that has a slot or none; the run is freed. */
void run_done(
    struct pool_run *run, enum ask_end end, const char *text, struct mono now);
/* Pass on what there is of the slot's report, a bounded part of it. */
void run_pump(struct slot *slot, struct mono now);
/* Refuse the runs that wait for that reference; NULL: for any. */
void run_refuse_all(struct pool *pool, const char *name, enum ask_end end,
    const char *text, struct mono now);

/* pool_refill.c: give parked clones to runs, make clones, make room. */
void pool_refill(struct pool *pool, struct mono now);
struct ref *pool_ref(const struct pool *pool, const char *name);
void pool_close_refs(struct pool *pool);
uint32_t pool_running(const struct pool *pool);
/* Why no clone is made now, in words; "" where memory isn't why. */
void pool_starved(const struct pool *pool, char *buf, size_t size);

/* pool_predict.c: how long that run will wait, or ADMIT_UNKNOWN. */
uint64_t pool_predict(
    const struct pool *pool, const struct pool_run *run, struct mono now);

#endif
