/*
 * worker/plan.h - what is to be run of a message: pure.
 */
#ifndef SLUICE_WORKER_PLAN_H
#define SLUICE_WORKER_PLAN_H

#include "worker/suspect.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_FILES_MAX 64 /* of conf detonate.files */

struct conf;
struct job;
struct job_part;

struct planned {
	struct job_part *part; /* the first with its content */
	struct suspect suspect;
};

struct plan {
	struct planned files[PLAN_FILES_MAX];
	size_t n;
	uint64_t bytes;    /* of all together */
	bool is_too_many;  /* more than detonate.files */
	bool is_too_large; /* more than budget.output, each run for itself */
};

/*
 * Each content of job's reading (NULL: none) once for each kind of thing that
 * it may be.  What no configured reference can run is not in it: of that the
 * engine has no opinion.
 */
void plan_make(
    const struct job *job, const struct conf *conf, struct plan *ret);

#endif
