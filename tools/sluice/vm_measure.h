/*
 * tools/sluice/vm_measure.h - how long a back end takes for each stage of a
 * clone's life, and how many clones can live at once.
 *
 * It calls the back end itself, one clone after the other, so that nothing
 * else is in the numbers.
 */
#ifndef SLUICE_TOOLS_VM_MEASURE_H
#define SLUICE_TOOLS_VM_MEASURE_H

#include <stddef.h>
#include <stdint.h>

struct vmm;
struct vmm_ops;
struct vmm_sample;

/* Sorted by measure_end(). */
struct measure {
	uint64_t *values; /* microseconds, or octets */
	size_t n, room;
};

void measure_add(struct measure *measure, uint64_t value);
void measure_end(struct measure *measure);
/* The value below which so many percent lie (nearest rank); 0: none. */
uint64_t measure_at(const struct measure *measure, unsigned int percent);
uint64_t measure_mean(const struct measure *measure);
void measure_done(struct measure *measure);

struct stages {
	struct measure clone;  /* clone() to its agent's answer, from nothing */
	struct measure make;   /* of it, clone() itself */
	struct measure fork;   /* of that, the hypervisor's copying alone */
	struct measure answer; /* the rest */
	struct measure rehearse; /* none where the back end has no such */
	struct measure inject;
	struct measure take; /* run_start() of a parked one to its answer */
	struct measure run;  /* from there to the end of the program */
	struct measure collect, destroy;
	struct measure reset;         /* reset() itself; an answer follows */
	struct measure private_bytes; /* of a parked one that has rehearsed */
};

void stages_end(struct stages *stages);
void stages_done(struct stages *stages);

/* Told now and then, for people who wait. */
typedef void measure_said_fn(const char *what, size_t at, size_t of);

/*
 * n clones, one after the other: made, rehearsed as the pool does while it
 * has nothing else to do, given the sample, run, read, destroyed.  Then, where
 * the back end does that, one that is reset after each of n runs.  Returns 0;
 * -ETIMEDOUT: a stage took more than ten seconds; -ECHILD: a clone died; or
 * -errno of the back end; err says which stage.
 */
int measure_stages(const struct vmm_ops *ops, struct vmm *vmm,
    const struct vmm_sample *sample, size_t n, measure_said_fn *said,
    struct stages *ret, char *err, size_t err_size);

/*
 * n clones parked at once.  *ret_live: as many as there were (the n, or up to
 * the first that could not be made: err says why); private memory of each in
 * ret_bytes when it isn't NULL.  0, or -errno: they could not be ended.
 */
int measure_live(const struct vmm_ops *ops, struct vmm *vmm, size_t n,
    measure_said_fn *said, size_t *ret_live, struct measure *ret_bytes,
    char *err, size_t err_size);

#endif
