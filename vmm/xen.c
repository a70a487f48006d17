#include "vmm/xen.h"
#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>

#define VM_MAGIC 0x53a7be09u

/*
 * Nothing rings: a fork has no event channels, and its ports lead nowhere.  So
 * the mailbox is looked at by the clock: often until the agent answers, which
 * it does in less than a millisecond of its own time, then a thousand times a
 * second (one word in memory of ours).  Each tenth time the hypervisor is
 * asked whether the domain is still up.
 */
#define SOON_NSEC      250000
#define LATER_NSEC     1000000
#define AT_ONCE_NSEC   1
#define LOOKS_A_DOMAIN 10
#define NEVER          0

enum stage {
	MADE,    /* it stands still until it is let go */
	LOADING, /* until the agent has answered */
	PARKED,
	RUNNING,
	OVER,  /* the agent has said so; it stands still */
	DEAD,  /* told by VMM_DIED; it stands still, if it is there */
	DYING, /* it is no more: that is still to be told */
};

struct vm {
	uint32_t magic;
	enum stage stage;
	struct vmm *vmm;
	uint32_t domain; /* XEN_NONE: none so far, or no more */
	struct xen_box box;
	struct xen_state cpu; /* when it was parked */
	struct xen_note note; /* its row of the ledger */
	int clock;
	uint32_t looks;
	unsigned int pending; /* enum vmm_event, as bits */
	bool has_looked;      /* since -EAGAIN was told last */
	struct mono begun;
	uint64_t clone_usec, fork_usec;
};

static uint64_t
box_at(const struct vm *vm)
{
	return (uint64_t)vm->vmm->manifest.mem_mib << 20;
}

/* Wake up each so many nanoseconds; NEVER: no more. */
static void
wake(struct vm *vm, long nsec)
{
	const struct itimerspec each = {{.tv_nsec = nsec}, {.tv_nsec = nsec}};
	int r = timerfd_settime(vm->clock, 0, &each, NULL);

	assert(r == 0); /* a descriptor and numbers of ours */
}

static void
tell(struct vm *vm, enum vmm_event event)
{
	vm->pending |= 1u << event;
}

static int
end_domain(struct vm *vm)
{
	int r = 0;

	xen_box_close(&vm->box);
	if (vm->domain == XEN_NONE)
		return 0;
	r = xen_domain_end(vm->vmm->host, vm->domain);
	if (r == 0)
		xen_store_forget(xen_host_store(vm->vmm->host), vm->domain);
	vm->domain = XEN_NONE;
	return r;
}

static void
vm_free(struct vm *vm)
{
	vm->vmm->clones--;
	close_fd(&vm->clock);
	xen_state_done(&vm->cpu);
	vm->magic = 0;
	free(vm);
}

/* An empty domain, and into it the memory and state of its parent. */
static int
fork_parent(struct vm *vm)
{
	struct vmm *vmm = vm->vmm;
	int r = xen_domain_new(vmm->host, vmm->handle, &vm->domain);
	struct mono before = mono_now();

	if (r == 0)
		r = xen_domain_fork(vmm->host, vmm->parent, vm->domain);
	vm->fork_usec = mono_span(before, mono_now());
	return r < 0 ? r : xen_state_put(vmm->host, vm->domain, &vmm->cpu);
}

/* It is let go at the next wake-up, not here, where it would have this
 * processor before its maker has it again. */
static void
begin_answer(struct vm *vm)
{
	vm->stage = MADE;
	wake(vm, AT_ONCE_NSEC);
}

static int
begin_domain(struct vm *vm)
{
	return vm->vmm->parent == XEN_NONE
		   ? xen_restore(vm->vmm, vm->vmm->ram, XEN_CLONE, &vm->domain)
		   : fork_parent(vm);
}

static int
xen_clone(struct vmm *vmm, uint32_t slot, struct vm **ret)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));
	int r;

	*vm = (struct vm){.magic = VM_MAGIC,
	    .vmm = vmm,
	    .domain = XEN_NONE,
	    .note = xen_note_of(vmm, XEN_CLONE, slot),
	    .begun = mono_now(),
	    .clock =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
	vmm->clones++;
	r = vm->clock < 0 ? -errno : begin_domain(vm);
	if (r < 0) {
		(void)end_domain(vm);
		vm_free(vm);
		return r;
	}
	begin_answer(vm);
	*ret = vm;
	return 0;
}

static int
xen_inject(struct vm *vm, const struct vmm_sample *sample)
{
	int r;

	assert(vm->magic == VM_MAGIC);
	if (vm->stage != PARKED)
		return -ESTALE;
	(void)snprintf(vm->note.mail, sizeof(vm->note.mail), "%s",
	    sample->mail ? sample->mail : "");
	r = hostbox_label(&vm->box.words, sample);
	return r < 0 ? r
		     : xen_fill(vm->vmm->host, vm->domain,
			   box_at(vm) + MAILBOX_SAMPLE_AT, sample->fd, 0,
			   sample->bytes);
}

static int
xen_run_start(struct vm *vm, uint64_t deadline_usec)
{
	int r;

	assert(vm->magic == VM_MAGIC);
	if (vm->stage != PARKED)
		return -ESTALE;
	hostbox_order(&vm->box.words, MAILBOX_RUN, deadline_usec);
	/* Its clock ran on while it stood still: all of its timers would be
	 * due at once. */
	r = xen_state_put(vm->vmm->host, vm->domain, &vm->cpu);
	if (r == 0)
		r = xen_domain_unpause(vm->vmm->host, vm->domain);
	if (r < 0)
		return r;
	vm->stage = RUNNING;
	wake(vm, SOON_NSEC);
	vm->note.until_usec = wall_now().usec + deadline_usec;
	vm->note.is_written = false;
	return 0;
}

static int
xen_event_fd(const struct vm *vm)
{
	assert(vm->magic == VM_MAGIC);
	return vm->clock;
}

/* It stands still from now on, and is not looked at any more. */
static void
stand(struct vm *vm, enum stage stage)
{
	(void)xen_domain_pause(vm->vmm->host, vm->domain);
	vm->stage = stage;
	wake(vm, NEVER);
}

static void
die(struct vm *vm)
{
	stand(vm, DEAD);
	tell(vm, VMM_DIED);
}

static void
park(struct vm *vm)
{
	stand(vm, PARKED);
	if (xen_cpu_get(vm->vmm->host, vm->domain, &vm->cpu) < 0) {
		die(vm);
		return;
	}
	vm->clone_usec = mono_span(vm->begun, mono_now());
	tell(vm, VMM_PARKED);
}

/* An order lies before it when it goes on. */
static int
order_answer(struct vm *vm)
{
	int r = xen_box_open(&vm->box, vm->vmm->host, vm->domain, box_at(vm));

	if (r < 0)
		return r;
	hostbox_order(&vm->box.words, MAILBOX_PING, 0);
	return xen_domain_unpause(vm->vmm->host, vm->domain);
}

static void
let_go(struct vm *vm)
{
	vm->stage = LOADING;
	wake(vm, SOON_NSEC);
	if (order_answer(vm) < 0)
		die(vm);
}

/* A fork that reads a page for the first time when Xen has none left is told
 * ones: whatever it says from then on, it may have gone wrong. */
static bool
is_starved(const struct vm *vm)
{
	return vm->vmm->parent != XEN_NONE &&
	       xen_host_free(vm->vmm->host) == XEN_FULL;
}

static void
look(struct vm *vm)
{
	unsigned int news = hostbox_look(&vm->box.words);

	if (news & HOSTBOX_LIE || (news && is_starved(vm))) {
		die(vm);
		return;
	}
	if (vm->stage == LOADING) {
		if (news)
			park(vm);
		return;
	}
	if (news & HOSTBOX_ANSWER) {
		tell(vm, VMM_TAKEN);
		wake(vm, LATER_NSEC);
	}
	if (news & HOSTBOX_REPORT)
		tell(vm, VMM_REPORT);
	if (news & HOSTBOX_END) {
		stand(vm, OVER);
		tell(vm, VMM_ENDED);
	}
}

/* Into the ledger, at a time when nobody waits for it: that takes as long as a
 * fork. */
static void
enter(struct vm *vm)
{
	(void)xen_store_enter(
	    xen_host_store(vm->vmm->host), vm->domain, &vm->note);
}

/* Is it up?  What it has said by then is its last word. */
static void
look_at_domain(struct vm *vm)
{
	if (xen_domain_is_down(vm->vmm->host, vm->domain)) {
		look(vm);
		if (vm->stage != OVER)
			die(vm);
	} else if (is_starved(vm)) {
		die(vm);
	} else if (vm->stage == RUNNING) {
		enter(vm);
	}
}

static void
hear(struct vm *vm)
{
	uint64_t ticks;

	if (read(vm->clock, &ticks, sizeof(ticks)) < 0)
		return; /* not yet */
	if (vm->stage == MADE) {
		let_go(vm);
		return;
	}
	if (vm->stage == PARKED) {
		enter(vm);
		wake(vm, NEVER);
	}
	if (vm->stage != LOADING && vm->stage != RUNNING)
		return;
	look(vm);
	if ((vm->stage == LOADING || vm->stage == RUNNING) &&
	    ++vm->looks % LOOKS_A_DOMAIN == 0)
		look_at_domain(vm);
}

/* Of one that stands still nothing comes by the clock, but its descriptor has
 * to be readable as long as something is to be told. */
static void
settle(struct vm *vm)
{
	/* One that has just been parked is still to be entered. */
	bool is_due = vm->pending || vm->stage == PARKED;

	if (vm->stage != LOADING && vm->stage != RUNNING)
		wake(vm, is_due ? AT_ONCE_NSEC : NEVER);
}

static int
xen_next(struct vm *vm, enum vmm_event *ret)
{
	assert(vm->magic == VM_MAGIC);
	if (vm->stage == DYING) {
		vm_free(vm);
		*ret = VMM_GONE;
		return 0;
	}
	if (!vm->has_looked)
		hear(vm);
	for (int e = VMM_PARKED; e <= VMM_DIED; e++)
		if (vm->pending & 1u << e) {
			/* Looked until -EAGAIN is told. */
			vm->has_looked = true;
			vm->pending &= ~(1u << e);
			settle(vm);
			*ret = (enum vmm_event)e;
			return 0;
		}
	vm->has_looked = false;
	return -EAGAIN;
}

static size_t
xen_collect(struct vm *vm, uint64_t from, void *buf, size_t n)
{
	assert(vm->magic == VM_MAGIC);
	return xen_box_collect(&vm->box, from, buf, n);
}

static int
xen_reset(struct vm *vm)
{
	struct vmm *vmm = vm->vmm;
	int r;

	assert(vm->magic == VM_MAGIC);
	if (vmm->parent == XEN_NONE || vm->stage < PARKED || vm->stage > OVER ||
	    xen_domain_is_down(vmm->host, vm->domain))
		return -ENOTSUP; /* no fork, or a reset would not revive it */
	vm->begun = mono_now();
	vm->pending = 0;
	if (vm->stage == RUNNING)
		(void)xen_domain_pause(vmm->host, vm->domain);
	xen_box_close(&vm->box); /* a page that is mapped isn't reset */
	xen_state_done(&vm->cpu);
	vm->note.until_usec = 0; /* it runs no more */
	vm->note.is_written = false;
	r = xen_domain_reset(vmm->host, vm->domain);
	if (r == 0)
		r = xen_state_put(vmm->host, vm->domain, &vmm->cpu);
	if (r < 0)
		stand(vm, DEAD);
	else
		begin_answer(vm);
	return r;
}

static int
xen_destroy(struct vm *vm)
{
	int r;

	assert(vm->magic == VM_MAGIC);
	vm->pending = 0;
	vm->stage = DYING;
	r = end_domain(vm);
	if (r < 0) {
		vm_free(vm);
		return r;
	}
	wake(vm, AT_ONCE_NSEC);
	return 0;
}

static void
xen_stats(const struct vm *vm, struct vmm_stats *ret)
{
	assert(vm->magic == VM_MAGIC);
	*ret = (struct vmm_stats){
	    .clone_usec = vm->clone_usec, .fork_usec = vm->fork_usec};
	if (vm->domain == XEN_NONE)
		return;
	ret->private_bytes = xen_domain_private(vm->vmm->host, vm->domain);
	if (vm->box.words.page)
		ret->lost_events = hostbox_lost(&vm->box.words);
}

const struct vmm_ops vmm_xen = {
    .name = "xen",
    .no_disk = true,
    .probe = xen_probe,
    .park = xen_park,
    .open = xen_open,
    .close = xen_close,
    .available = xen_available,
    .clone = xen_clone,
    .inject = xen_inject,
    .run_start = xen_run_start,
    .event_fd = xen_event_fd,
    .next = xen_next,
    .collect = xen_collect,
    .reset = xen_reset,
    .destroy = xen_destroy,
    .reap = xen_reap,
    .owned = xen_owned,
    .stats = xen_stats,
};
