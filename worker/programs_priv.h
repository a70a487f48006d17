/*
 * worker/programs_priv.h - one file's way to an opinion and the engine around
 * it, shared by program.c and programs.c.
 */
#ifndef SLUICE_WORKER_PROGRAMS_PRIV_H
#define SLUICE_WORKER_PROGRAMS_PRIV_H

#include "common/ipc.h"
#include "worker/job_priv.h"
#include "worker/known.h"
#include "worker/model.h"
#include "worker/opinion.h"
#include "worker/programs.h"
#include "worker/table.h"

struct keep;

struct program {
	UT_hash_handle hh; /* by number */
	uint64_t number;   /* for the table */
	struct programs *programs;
	struct job_part *part;
	struct mono begun;
	char context[TABLE_CONTEXT_MAX]; /* when the table was asked */
	bool is_claimed;                 /* the table waits for our answer */
	int fd;                 /* its octets, while a cell has it; else -1 */
	bool is_2001;           /* the set that the cell was asked for */
	struct event *patience; /* for what another worker extracts */
};

struct programs {
	struct judge *judge;
	struct model *model;
	struct event *look, *opened; /* by the clock, by model_fd() */
	struct known *known;
	struct table *table;
	struct keep *keep; /* NULL: no copies */
	struct program *by_number;
	uint64_t last_number;
};

/* One of job's files, which has a question now. */
struct program *program_new(struct programs *programs, struct job_part *part);
/* It is given up: nobody is told. */
void program_free(struct program *program);

/* Ask whom it may concern.  The program may be gone then, and answered. */
void program_begin(struct program *program);
/* The table has answered. */
void program_told(struct program *program, const struct table_entry *entry);

/* What is found goes into program->part; the program is gone after this, and
 * with the last one its job. */
void program_answered(
    struct program *program, const struct engine_answer *answer);

/* The answer for an opinion: what conf makes of its label. */
void program_weigh(const struct conf *conf, const struct opinion *opinion,
    struct engine_answer *ret, bool *ret_is_to_run);

#endif
