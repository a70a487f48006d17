#include "tools/sluice/vm_measure.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "vmm/mailbox.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAGE_USEC (10 * USEC_PER_SEC)
/* One that is ready has stood still for a while. */
#define READY_USEC (50 * USEC_PER_MSEC)
#define RUN_USEC   (5 * USEC_PER_SEC) /* the agent's own deadline */

void
measure_add(struct measure *measure, uint64_t value)
{
	if (measure->n == measure->room) {
		size_t room = measure->room ? 2 * measure->room : 64;
		uint64_t *more = xcalloc(room, sizeof(*more));

		if (measure->n > 0)
			memcpy(
			    more, measure->values, measure->n * sizeof(*more));
		free(measure->values);
		measure->values = more;
		measure->room = room;
	}
	measure->values[measure->n++] = value;
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void
measure_end(struct measure *measure)
{
	if (measure->n > 0)
		qsort(measure->values, measure->n, sizeof(measure->values[0]),
		    by_value);
}

uint64_t
measure_at(const struct measure *measure, unsigned int percent)
{
	size_t rank = (measure->n * percent + 99) / 100;

	return measure->n ? measure->values[rank ? rank - 1 : 0] : 0;
}

uint64_t
measure_mean(const struct measure *measure)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < measure->n; i++)
		sum += measure->values[i];
	return measure->n ? sum / measure->n : 0;
}

void
measure_done(struct measure *measure)
{
	free(measure->values);
	*measure = (struct measure){0};
}

static struct measure *
stage(struct stages *s, size_t i)
{
	struct measure *const all[] = {&s->clone, &s->make, &s->fork,
	    &s->answer, &s->rehearse, &s->inject, &s->take, &s->run,
	    &s->collect, &s->destroy, &s->reset, &s->private_bytes};

	return i < ARRAY_SIZE(all) ? all[i] : NULL;
}

void
stages_end(struct stages *stages)
{
	for (size_t i = 0; stage(stages, i); i++)
		measure_end(stage(stages, i));
}

void
stages_done(struct stages *stages)
{
	for (size_t i = 0; stage(stages, i); i++)
		measure_done(stage(stages, i));
}

/* Until that event, or the end of the clone, or of patience. */
static int
wait_for(const struct vmm_ops *ops, struct vm *vm, enum vmm_event want)
{
	struct mono start = mono_now();

	for (;;) {
		struct pollfd readable = {ops->event_fd(vm), POLLIN, 0};
		uint64_t spent = mono_span(start, mono_now());
		enum vmm_event event;
		int r;

		while ((r = ops->next(vm, &event)) == 0) {
			if (event == want)
				return 0;
			if (event == VMM_GONE || event == VMM_DIED)
				return -ECHILD;
		}
		if (r != -EAGAIN)
			return r;
		if (spent >= STAGE_USEC)
			return -ETIMEDOUT;
		(void)poll(
		    &readable, 1, (int)((STAGE_USEC - spent) / USEC_PER_MSEC));
	}
}

/* After a death nothing but VMM_GONE comes. */
static int
end_clone(const struct vmm_ops *ops, struct vm *vm)
{
	int r = ops->destroy(vm);

	return r < 0 ? r : wait_for(ops, vm, VMM_GONE);
}

static uint64_t
since(struct mono *mark)
{
	struct mono now = mono_now();
	uint64_t span = mono_span(*mark, now);

	*mark = now;
	return span;
}

static int
say(int r, const char *what, char *err, size_t err_size)
{
	(void)snprintf(err, err_size, "%s: %s", what, strerror(-r));
	return r;
}

static void
read_report(const struct vmm_ops *ops, struct vm *vm)
{
	CLEANUP(free_ptr) char *buf = xcalloc(1, 32768);
	uint64_t at = 0;
	size_t n;

	while (at < MAILBOX_REPORT_MAX &&
	       (n = ops->collect(vm, at, buf, 32768)) > 0)
		at += n;
}

/* All but clone and end, of a parked clone. */
static int
use_clone(const struct vmm_ops *ops, struct vm *vm,
    const struct vmm_sample *sample, struct stages *s, char *err,
    size_t err_size)
{
	struct vmm_stats stats = {0};
	struct mono mark;
	int r;

	ops->stats(vm, &stats);
	if (stats.wants_rehearsal) {
		mark = mono_now();
		r = ops->rehearse(vm);
		if (r == 0)
			r = wait_for(ops, vm, VMM_PARKED);
		if (r < 0)
			return say(r, "rehearse", err, err_size);
		measure_add(&s->rehearse, since(&mark));
	}
	(void)usleep(READY_USEC);
	ops->stats(vm, &stats);
	measure_add(&s->private_bytes, stats.private_bytes);
	mark = mono_now();
	r = ops->inject(vm, sample);
	if (r < 0)
		return say(r, "inject", err, err_size);
	measure_add(&s->inject, since(&mark));
	r = ops->run_start(vm, RUN_USEC);
	if (r == 0)
		r = wait_for(ops, vm, VMM_TAKEN);
	if (r < 0)
		return say(r, "take", err, err_size);
	measure_add(&s->take, since(&mark));
	r = wait_for(ops, vm, VMM_ENDED);
	if (r < 0)
		return say(r, "run", err, err_size);
	measure_add(&s->run, since(&mark));
	read_report(ops, vm);
	measure_add(&s->collect, since(&mark));
	return 0;
}

/* A clone that has answered; on failure there may be one to be ended. */
static int
make_clone(const struct vmm_ops *ops, struct vmm *vmm, struct stages *s,
    struct vm **ret, char *err, size_t err_size)
{
	struct mono mark = mono_now();
	struct vmm_stats stats = {0};
	int r = ops->clone(vmm, 0, ret);
	uint64_t make = since(&mark), answer;

	if (r == 0)
		r = wait_for(ops, *ret, VMM_PARKED);
	if (r < 0)
		return say(r, "clone", err, err_size);
	answer = since(&mark);
	measure_add(&s->make, make);
	measure_add(&s->answer, answer);
	measure_add(&s->clone, make + answer);
	ops->stats(*ret, &stats);
	if (stats.fork_usec)
		measure_add(&s->fork, stats.fork_usec);
	return 0;
}

static int
measure_one(const struct vmm_ops *ops, struct vmm *vmm,
    const struct vmm_sample *sample, struct stages *s, char *err,
    size_t err_size)
{
	struct vm *vm = NULL;
	int r = make_clone(ops, vmm, s, &vm, err, err_size), e;
	struct mono mark;

	if (r == 0)
		r = use_clone(ops, vm, sample, s, err, err_size);
	if (!vm)
		return r;
	mark = mono_now();
	e = end_clone(ops, vm);
	if (r == 0 && e < 0)
		return say(e, "destroy", err, err_size);
	measure_add(&s->destroy, since(&mark));
	return r;
}

/* One that is used n times.  Its runs are no matter here: they are others'. */
static int
reset_often(const struct vmm_ops *ops, struct vm *vm,
    const struct vmm_sample *sample, size_t n, struct stages *s, char *err,
    size_t err_size)
{
	struct stages others = {0};
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct mono mark;

		r = use_clone(ops, vm, sample, &others, err, err_size);
		if (r < 0)
			break;
		mark = mono_now();
		r = ops->reset(vm);
		if (r == -ENOTSUP) { /* here they are restored whole */
			r = 0;
			break;
		}
		measure_add(&s->reset, since(&mark));
		if (r == 0)
			r = wait_for(ops, vm, VMM_PARKED);
		if (r < 0)
			(void)say(r, "reset", err, err_size);
	}
	stages_done(&others);
	return r;
}

static int
measure_resets(const struct vmm_ops *ops, struct vmm *vmm,
    const struct vmm_sample *sample, size_t n, struct stages *s, char *err,
    size_t err_size)
{
	struct stages others = {0};
	struct vm *vm = NULL;
	int r = make_clone(ops, vmm, &others, &vm, err, err_size);

	stages_done(&others);
	if (r == 0)
		r = reset_often(ops, vm, sample, n, s, err, err_size);
	if (vm && end_clone(ops, vm) < 0 && r == 0)
		r = say(-EIO, "destroy", err, err_size);
	return r;
}

int
measure_stages(const struct vmm_ops *ops, struct vmm *vmm,
    const struct vmm_sample *sample, size_t n, measure_said_fn *said,
    struct stages *ret, char *err, size_t err_size)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		said("stages", i, n);
		r = measure_one(ops, vmm, sample, ret, err, err_size);
	}
	if (r == 0 && ops->reset)
		r = measure_resets(ops, vmm, sample, n, ret, err, err_size);
	return r;
}

int
measure_live(const struct vmm_ops *ops, struct vmm *vmm, size_t n,
    measure_said_fn *said, size_t *ret_live, struct measure *ret_bytes,
    char *err, size_t err_size)
{
	CLEANUP(free_ptr) struct vm **vms = xcalloc(n, sizeof(struct vm *));
	struct vmm_stats stats;
	size_t live = 0, made = 0;
	int r = 0, e, ended = 0;

	while (made < n && r == 0) {
		said("live clones", made, n);
		r = ops->clone(vmm, (uint32_t)made, &vms[made]);
		if (r < 0)
			break;
		made++;
		r = wait_for(ops, vms[made - 1], VMM_PARKED);
		live += r == 0;
	}
	if (r < 0)
		(void)say(r, "clone", err, err_size);
	for (size_t i = 0; i < live && ret_bytes; i++) {
		memset(&stats, 0, sizeof(stats));
		ops->stats(vms[i], &stats);
		measure_add(ret_bytes, stats.private_bytes);
	}
	for (size_t i = 0; i < made; i++) {
		e = end_clone(ops, vms[i]);
		if (e < 0)
			ended = say(e, "destroy", err, err_size);
	}
	*ret_live = live;
	return ended;
}
