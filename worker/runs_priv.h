/*
 * worker/runs_priv.h - one file's run and the engine around it, shared by
 * run.c (a run's way through table and clone) and runs.c (whose turn it is).
 */
#ifndef SLUICE_WORKER_RUNS_PRIV_H
#define SLUICE_WORKER_RUNS_PRIV_H

#include "common/clock.h"
#include "common/ipc.h"
#include "worker/job_priv.h"
#include "worker/plan.h"
#include "worker/runs.h"
#include "worker/table.h"

/* One file of one message on its way through table and clone. */
struct run {
	UT_hash_handle hh; /* by number */
	uint64_t number;   /* for the table and the vmm role */
	struct runs *runs;
	struct job_part *part;
	struct suspect suspect;
	struct mono begun;
	char context[TABLE_CONTEXT_MAX];
	bool is_claimed;        /* the table waits for our answer */
	bool is_sent;           /* the vmm role has it */
	struct event *patience; /* for what another worker runs */
};

struct runs {
	struct judge *judge;
	int vmm_fd;
	struct event *readable;
	struct table *table;
	struct run *by_number;
	uint64_t last_number;
	size_t n_sent; /* files that the vmm role has */
	uint64_t sent_bytes;
	struct wire_vm_state state;
	struct ipc_msg msg;
};

/* A run of job's (file->part), which has one more question now. */
struct run *run_new(struct runs *runs, const struct planned *file);
/* It is given up: nobody is told. */
void run_free(struct run *run);

/* Ask the table, or whom it may concern.  The run may be gone then, as with
 * all below, and with the last one its job. */
void run_begin(struct run *run);
/* unknown(system), unless the time to wait for its class is over. */
void run_unknown(struct run *run, const char *reason);
/* The table has answered. */
void run_told(struct run *run, const struct table_entry *entry);
/* The vmm role has. */
void run_over(
    struct run *run, const struct wire_vm_answer *msg, const char *evidence);

#endif
