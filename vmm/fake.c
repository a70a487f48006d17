#include "vmm/fake.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/timerfd.h>

#define PLANS  64
#define EVENTS 128
#define NEVER  UINT64_MAX

struct due {
	uint64_t at_usec;
	enum vmm_event event;
};

struct vm {
	LIST_ENTRY(vm) link;
	struct vmm *vmm;
	struct fake_plan plan;
	int fd;
	struct due due[EVENTS]; /* in the order in which they are told */
	size_t n_due;
	uint64_t taken_usec; /* NEVER: not yet */
	uint64_t parked_usec, made_usec;
	bool is_ending, is_lost, has_rehearsed;
};

struct vmm {
	LIST_ENTRY(vmm) link;
	struct fake *fake;
	size_t live;
};

struct fake {
	const struct mono *clock;
	struct fake_plan plan, next[PLANS];
	size_t n_next;
	LIST_HEAD(, vm) vms;
	LIST_HEAD(, vmm) vmms; /* those that are open */
	struct fake_counts counts;
};

/* The functions of struct vmm_ops carry nothing to find it by. */
static struct fake *world;

static uint64_t
now(const struct fake *f)
{
	return f->clock ? f->clock->usec : mono_now().usec;
}

struct fake *
fake_new(const struct mono *clock)
{
	struct fake *f = xcalloc(1, sizeof(*f));

	assert(!world);
	f->clock = clock;
	LIST_INIT(&f->vms);
	LIST_INIT(&f->vmms);
	world = f;
	return f;
}

static void
vm_free(struct vm *vm)
{
	LIST_REMOVE(vm, link);
	(void)close(vm->fd);
	free(vm);
}

struct fake *
fake_free(struct fake *fake)
{
	struct vmm *vmm;
	struct vm *vm;

	if (!fake)
		return NULL;
	while ((vm = LIST_FIRST(&fake->vms))) {
		assert(vm->is_lost);
		vm_free(vm);
	}
	while ((vmm = LIST_FIRST(&fake->vmms))) {
		assert(vmm->live > 0); /* only for its lost clones */
		LIST_REMOVE(vmm, link);
		free(vmm);
	}
	assert(world == fake);
	world = NULL;
	free(fake);
	return NULL;
}

void
fake_plan(struct fake *fake, const struct fake_plan *plan)
{
	fake->plan = *plan;
}

void
fake_plan_next(struct fake *fake, const struct fake_plan *plan)
{
	assert(fake->n_next < PLANS);
	fake->next[fake->n_next++] = *plan;
}

void
fake_counts(const struct fake *fake, struct fake_counts *ret)
{
	*ret = fake->counts;
}

struct mono
fake_next(const struct fake *fake)
{
	struct mono at = {NEVER};
	struct vm *vm;

	LIST_FOREACH (vm, &fake->vms, link)
		if (vm->n_due > 0 && vm->due[0].at_usec < at.usec)
			at.usec = vm->due[0].at_usec;
	return at;
}

/* Wake a loop when the first is due; a test's own clock has no loop. */
static void
arm(struct vm *vm)
{
	struct itimerspec when = {0};

	if (vm->vmm->fake->clock)
		return;
	if (vm->n_due > 0) {
		uint64_t at = vm->due[0].at_usec ? vm->due[0].at_usec : 1;

		when.it_value.tv_sec = (time_t)(at / USEC_PER_SEC);
		when.it_value.tv_nsec = (long)(at % USEC_PER_SEC) * 1000;
	}
	if (timerfd_settime(vm->fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		abort();
}

static void
plan_event(struct vm *vm, enum vmm_event event, uint64_t after_usec)
{
	uint64_t at = now(vm->vmm->fake) + after_usec;
	size_t i = vm->n_due;

	assert(vm->n_due < EVENTS);
	for (; i > 0 && vm->due[i - 1].at_usec > at; i--)
		vm->due[i] = vm->due[i - 1];
	vm->due[i] = (struct due){at, event};
	vm->n_due++;
	arm(vm);
}

/* Everything but an end that was asked for, in an order that no guest has. */
static void
babble(struct vm *vm)
{
	static const enum vmm_event all[] = {
	    VMM_ENDED, VMM_REPORT, VMM_TAKEN, VMM_PARKED, VMM_REPORT};

	if (vm->plan.fault != FAKE_BABBLES)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		plan_event(vm, all[i], 0);
}

static int
probe(const struct vmm_options *options, char *why, size_t why_size)
{
	(void)options;
	(void)snprintf(why, why_size, "%s", world ? "" : "no world");
	return world ? 0 : -ENOTSUP;
}

static int
park(const struct vmm_park *park, char *err, size_t err_size)
{
	(void)park;
	(void)snprintf(err, err_size, "a fake boots nothing");
	return -EOPNOTSUPP;
}

static int
open_reference(const struct vmm_options *options, struct vmm **ret, char *err,
    size_t err_size)
{
	struct vmm *vmm;

	(void)options;
	(void)err;
	(void)err_size;
	vmm = xcalloc(1, sizeof(*vmm));
	vmm->fake = world;
	LIST_INSERT_HEAD(&world->vmms, vmm, link);
	world->counts.opened++;
	*ret = vmm;
	return 0;
}

static void
close_reference(struct vmm *vmm)
{
	assert(vmm->live == 0); /* never the parent before its clones */
	vmm->fake->counts.closed++;
	LIST_REMOVE(vmm, link);
	free(vmm);
}

static struct fake_plan
take_plan(struct fake *f)
{
	struct fake_plan plan = f->plan;

	if (f->n_next > 0) {
		plan = f->next[0];
		memmove(f->next, f->next + 1, --f->n_next * sizeof(plan));
	}
	return plan;
}

static int
make_clone(struct vmm *vmm, uint32_t slot, struct vm **ret)
{
	struct fake *f = vmm->fake;
	struct fake_plan plan = take_plan(f);
	struct vm *vm;

	(void)slot;
	if (plan.fault == FAKE_CLONE_REFUSED)
		return -ENOSPC;
	vm = xcalloc(1, sizeof(*vm));
	vm->vmm = vmm;
	vm->plan = plan;
	vm->taken_usec = NEVER;
	vm->made_usec = now(f);
	vm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	assert(vm->fd >= 0);
	LIST_INSERT_HEAD(&f->vms, vm, link);
	vmm->live++;
	f->counts.made++;
	if (++f->counts.live > f->counts.most)
		f->counts.most = f->counts.live;
	babble(vm);
	if (plan.fault == FAKE_CLONE_DIES)
		plan_event(vm, VMM_DIED, plan.clone_usec);
	else if (plan.fault != FAKE_CLONE_HANGS)
		plan_event(vm, VMM_PARKED, plan.clone_usec);
	if (plan.fault == FAKE_PARKED_DIES)
		plan_event(vm, VMM_DIED, plan.clone_usec + plan.idle_usec);
	*ret = vm;
	return 0;
}

static int
rehearse(struct vm *vm)
{
	vm->has_rehearsed = true;
	vm->vmm->fake->counts.rehearsed++;
	if (vm->plan.fault == FAKE_REHEARSAL_REFUSED)
		return -EIO;
	babble(vm);
	if (vm->plan.fault == FAKE_REHEARSAL_DIES)
		plan_event(vm, VMM_DIED, vm->plan.rehearse_usec);
	else if (vm->plan.fault != FAKE_REHEARSAL_HANGS)
		plan_event(vm, VMM_PARKED, vm->plan.rehearse_usec);
	return 0;
}

static int
inject(struct vm *vm, const struct vmm_sample *sample)
{
	char octet;

	vm->vmm->fake->counts.injected++;
	if (vm->plan.fault == FAKE_INJECT_FAILS)
		return -EIO;
	if (sample->bytes > MAILBOX_SAMPLE_MAX)
		return -EFBIG;
	if (sample->bytes > 0 && pread(sample->fd, &octet, 1, 0) < 0)
		return -errno;
	return 0;
}

static void
plan_run(struct vm *vm)
{
	const struct fake_plan *p = &vm->plan;
	uint64_t taken = p->take_usec;

	if (p->fault == FAKE_TAKE_DIES)
		plan_event(vm, VMM_DIED, taken);
	if (p->fault == FAKE_TAKE_DIES || p->fault == FAKE_TAKE_HANGS)
		return;
	vm->taken_usec = now(vm->vmm->fake) + taken;
	plan_event(vm, VMM_TAKEN, taken);
	if (p->piece == 0 && p->report_bytes > 0)
		plan_event(vm, VMM_REPORT, taken);
	for (size_t at = 0, i = 1; p->piece && at < p->report_bytes;
	     at += p->piece, i++)
		plan_event(vm, VMM_REPORT, taken + i * p->piece_usec);
	if (p->fault == FAKE_RUN_DIES)
		plan_event(vm, VMM_DIED, taken + p->run_usec);
	else if (p->fault != FAKE_RUN_HANGS)
		plan_event(vm, VMM_ENDED, taken + p->run_usec);
}

static int
run_start(struct vm *vm, uint64_t deadline_usec)
{
	(void)deadline_usec;
	vm->vmm->fake->counts.started++;
	if (vm->plan.fault == FAKE_START_FAILS)
		return -EIO;
	babble(vm);
	plan_run(vm);
	return 0;
}

static int
event_fd(const struct vm *vm)
{
	return vm->fd;
}

static void
vm_gone(struct vm *vm)
{
	vm->vmm->live--;
	vm->vmm->fake->counts.live--;
	vm->vmm->fake->counts.freed++;
	vm_free(vm);
}

static int
next(struct vm *vm, enum vmm_event *ret)
{
	uint64_t expired;

	(void)!read(vm->fd, &expired, sizeof(expired));
	if (vm->n_due == 0 || vm->due[0].at_usec > now(vm->vmm->fake)) {
		arm(vm);
		return -EAGAIN;
	}
	*ret = vm->due[0].event;
	memmove(vm->due, vm->due + 1, --vm->n_due * sizeof(vm->due[0]));
	if (*ret == VMM_PARKED)
		vm->parked_usec = now(vm->vmm->fake);
	if (*ret == VMM_GONE)
		vm_gone(vm);
	else
		arm(vm); /* readable as long as there is more */
	return 0;
}

static size_t
visible(const struct vm *vm)
{
	const struct fake_plan *p = &vm->plan;
	uint64_t t = now(vm->vmm->fake), pieces;

	if (vm->taken_usec == NEVER || t < vm->taken_usec)
		return 0;
	if (p->piece == 0)
		return p->report_bytes;
	pieces = p->piece_usec ? (t - vm->taken_usec) / p->piece_usec : NEVER;
	return pieces >= p->report_bytes / p->piece + 1 ? p->report_bytes
	       : pieces * p->piece < p->report_bytes ? (size_t)pieces * p->piece
						     : p->report_bytes;
}

static size_t
collect(struct vm *vm, uint64_t from, void *buf, size_t n)
{
	size_t all = visible(vm);

	if (from >= all)
		return 0;
	if (n > all - from)
		n = all - (size_t)from;
	memcpy(buf, vm->plan.report + from, n);
	return n;
}

static int
destroy(struct vm *vm)
{
	assert(!vm->is_ending);
	vm->is_ending = true;
	vm->n_due = 0;
	if (vm->plan.end == FAKE_END_REFUSED) {
		vm->is_lost = true;
		return -EBUSY;
	}
	if (vm->plan.end == FAKE_ENDS)
		plan_event(vm, VMM_GONE, vm->plan.destroy_usec);
	else
		arm(vm);
	return 0;
}

void
fake_tell(struct fake *fake, enum vmm_event event)
{
	struct vm *vm;

	LIST_FOREACH (vm, &fake->vms, link)
		if (!vm->is_lost)
			plan_event(vm, event, 0);
}

void
fake_let_go(struct fake *fake)
{
	struct vm *vm;

	LIST_FOREACH (vm, &fake->vms, link)
		if (vm->is_ending && !vm->is_lost && vm->n_due == 0)
			plan_event(vm, VMM_GONE, 0);
}

static int
reap(const struct vmm_options *options)
{
	(void)options;
	world->counts.reaped++;
	return 0;
}

static void
stats(const struct vm *vm, struct vmm_stats *ret)
{
	*ret = (struct vmm_stats){
	    .private_bytes = vm->plan.private_bytes,
	    .clone_usec = vm->parked_usec > vm->made_usec
			      ? vm->parked_usec - vm->made_usec
			      : 0,
	    .lost_events = vm->plan.lost_events,
	    .wants_rehearsal = !vm->has_rehearsed && !vm->plan.gains_nothing,
	};
}

const struct vmm_ops fake_ops = {
    .name = "fake",
    .probe = probe,
    .park = park,
    .open = open_reference,
    .close = close_reference,
    .clone = make_clone,
    .rehearse = rehearse,
    .inject = inject,
    .run_start = run_start,
    .event_fd = event_fd,
    .next = next,
    .collect = collect,
    .destroy = destroy,
    .reap = reap,
    .stats = stats,
};
