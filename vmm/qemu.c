#include "vmm/qemu.h"
#include "vmm/qemu_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define VM_MAGIC 0x1e9a0c35u

/* A rehearsal that isn't over by then is ended by the agent. */
#define REHEARSAL_USEC (5 * USEC_PER_SEC)
/* Octets of the bell that are taken at a time. */
#define BELL_OCTETS 4096
/* A guest that rings more often than that is looked at by the clock from then
 * on: 10 ms later at worst, and without a wake-up for each octet. */
#define BELL_RINGS_MAX   100
#define BELL_WINDOW_USEC 100000
#define BELL_CLOCK_NSEC  10000000

enum stage {
	LOADING, /* until the agent has answered, or has rehearsed */
	PARKING, /* until QEMU has said that it stands still */
	PARKED,
	RUNNING,
	OVER,  /* the agent has said so */
	DEAD,  /* told by VMM_DIED */
	DYING, /* until its process is no more */
};

struct vm {
	uint32_t magic;
	enum stage stage;
	struct vmm *vmm;
	struct hostbox box;
	struct qemu_process process;
	struct qmp control;
	int events; /* epoll: bell, QMP, pidfd; a clock once it floods */
	int clock;
	struct mono window; /* in which rings are counted */
	uint32_t rings;
	unsigned int pending; /* enum vmm_event, as bits */
	bool has_looked;      /* since -EAGAIN was told last */
	bool is_reaped, has_rehearsed;
	struct mono begun;
	uint64_t clone_usec;
};

static void
watch(struct vm *vm, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
	int r = epoll_ctl(vm->events, EPOLL_CTL_ADD, fd, &e);

	assert(r == 0); /* descriptors of ours, and memory */
}

static void
unwatch(struct vm *vm, int *fd)
{
	if (*fd >= 0)
		(void)epoll_ctl(vm->events, EPOLL_CTL_DEL, *fd, NULL);
	close_fd(fd);
	*fd = -1;
}

static void
vm_free(struct vm *vm)
{
	if (vm->vmm)
		vm->vmm->clones--;
	unwatch(vm, &vm->clock);
	unwatch(vm, &vm->process.bell);
	unwatch(vm, &vm->process.qmp);
	unwatch(vm, &vm->process.pidfd);
	close_fd(&vm->events);
	hostbox_drop(&vm->box);
	vm->magic = 0;
	free(vm);
}

/* The other end is QEMU's: blocking, as it expects. */
static int
pair(int *ret_ours, int *ret_theirs)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		int r = -errno;

		(void)close(fds[0]);
		(void)close(fds[1]);
		return r;
	}
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return 0;
}

int
qemu_start(const struct qemu_jail *jail, const struct qemu_args *args,
    struct qemu_start *start, struct qemu_process *ret)
{
	CLEANUP(close_fd) int bell = -1;
	CLEANUP(close_fd) int qmp = -1;
	CLEANUP(close_fd) int their_bell = -1;
	CLEANUP(close_fd) int their_qmp = -1;
	struct qemu_process p = {.pidfd = -1};
	int r = pair(&bell, &their_bell);

	if (r == 0)
		r = pair(&qmp, &their_qmp);
	if (r < 0)
		return r;
	start->argv = args->argv;
	start->fds[QEMU_FD_BELL - QEMU_FD_BELL] = their_bell;
	start->fds[QEMU_FD_QMP - QEMU_FD_BELL] = their_qmp;
	r = qemu_jail_start(jail, start, &p.pid, &p.pidfd);
	if (r < 0)
		return r;
	p.bell = TAKE_FD(bell);
	p.qmp = TAKE_FD(qmp);
	*ret = p;
	return 0;
}

static int
start_clone(struct vm *vm, uint32_t slot)
{
	const struct manifest *m = &vm->vmm->manifest;
	/* The place in a file is common to all who have its descriptor. */
	CLEANUP(close_fd) int state = reopen_ro(vm->vmm->state);
	CLEANUP(free_ptr)
	char *name = qemu_name(vm->vmm->site, m->reference, slot);
	const struct qemu_machine machine = {.program = vm->vmm->program,
	    .name = name,
	    .is_kvm = strcmp(m->accel, "kvm") == 0,
	    .has_disk = vm->vmm->disk >= 0,
	    .mem_mib = m->mem_mib,
	    .tsc_khz = m->tsc_khz};
	struct qemu_start start = {.err_fd = -1,
	    .fds = {-1, -1, vm->box.fd, vm->vmm->ram, state, vm->vmm->disk, -1,
		-1}};
	struct qemu_args args;
	int r;

	if (state < 0)
		return state;
	qemu_args_make(&args, &machine);
	r = qemu_start(&vm->vmm->jail, &args, &start, &vm->process);
	qemu_args_free(&args);
	return r;
}

static int
begin_loading(struct vm *vm)
{
	static const enum qmp_id first[] = {
	    QMP_CAPABILITIES, QMP_IGNORE_SHARED, QMP_INCOMING};
	int r = 0;

	watch(vm, vm->process.bell);
	watch(vm, vm->process.qmp);
	watch(vm, vm->process.pidfd);
	/* They wait in the socket until QEMU is there, as the order does in
	 * the mailbox until the agent goes on. */
	hostbox_order(&vm->box, MAILBOX_PING, 0);
	for (size_t i = 0; i < ARRAY_SIZE(first) && r == 0; i++)
		r = qmp_send(vm->process.qmp, first[i], -1);
	return r;
}

static int
qemu_clone(struct vmm *vmm, uint32_t slot, struct vm **ret)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));
	int r;

	*vm = (struct vm){.magic = VM_MAGIC,
	    .box.fd = -1,
	    .process = {.pidfd = -1, .bell = -1, .qmp = -1},
	    .clock = -1,
	    .begun = mono_now()};
	vm->events = epoll_create1(EPOLL_CLOEXEC);
	r = vm->events < 0 ? -errno : hostbox_make(&vm->box);
	if (r == 0) {
		vm->vmm = vmm;
		vmm->clones++;
		r = start_clone(vm, slot);
	}
	if (r == 0)
		r = begin_loading(vm);
	if (r < 0) {
		if (vm->process.pidfd >= 0) {
			(void)kill(vm->process.pid, SIGKILL);
			(void)waitpid(vm->process.pid, NULL, 0);
		}
		vm_free(vm);
		return r;
	}
	*ret = vm;
	return 0;
}

/* Go on by this order. */
static int
go_on(struct vm *vm, enum mailbox_command command, uint64_t usec,
    enum stage stage)
{
	int r;

	if (vm->stage != PARKED)
		return -ESTALE;
	hostbox_order(&vm->box, command, usec);
	r = qmp_send(vm->process.qmp, QMP_CONT, -1);
	if (r == 0)
		vm->stage = stage;
	return r;
}

static int
qemu_rehearse(struct vm *vm)
{
	assert(vm->magic == VM_MAGIC);
	vm->has_rehearsed = true;
	return go_on(vm, MAILBOX_PING, REHEARSAL_USEC, LOADING);
}

static int
qemu_inject(struct vm *vm, const struct vmm_sample *sample)
{
	assert(vm->magic == VM_MAGIC);
	if (vm->stage != PARKED)
		return -ESTALE;
	return hostbox_put(&vm->box, sample);
}

static int
qemu_run_start(struct vm *vm, uint64_t deadline_usec)
{
	assert(vm->magic == VM_MAGIC);
	return go_on(vm, MAILBOX_RUN, deadline_usec, RUNNING);
}

static int
qemu_event_fd(const struct vm *vm)
{
	assert(vm->magic == VM_MAGIC);
	return vm->events;
}

static void
tell(struct vm *vm, enum vmm_event event)
{
	vm->pending |= 1u << event;
}

static int
send_signal(const struct vm *vm, int number)
{
	return syscall(__NR_pidfd_send_signal, vm->process.pidfd, number, NULL,
		   0) < 0
		   ? -errno
		   : 0;
}

/* Of a clone that dies there is nothing more to hear but its end. */
static void
die(struct vm *vm)
{
	if (vm->stage == DEAD || vm->stage == DYING)
		return;
	vm->stage = DEAD;
	(void)send_signal(vm, SIGKILL);
	unwatch(vm, &vm->clock);
	unwatch(vm, &vm->process.bell);
	unwatch(vm, &vm->process.qmp);
	/* Its end would keep the descriptor readable until destroy(). */
	(void)epoll_ctl(vm->events, EPOLL_CTL_DEL, vm->process.pidfd, NULL);
	tell(vm, VMM_DIED);
}

static bool
has_ended(struct vm *vm)
{
	siginfo_t info = {.si_pid = 0};

	if (!vm->is_reaped)
		vm->is_reaped =
		    waitid((idtype_t)P_PIDFD, (id_t)vm->process.pidfd, &info,
			WEXITED | WNOHANG) == 0 &&
		    info.si_pid == vm->process.pid;
	return vm->is_reaped;
}

static void
hear_qmp(struct vm *vm)
{
	struct qmp_line line;
	int r;

	while ((r = qmp_next(&vm->control, vm->process.qmp, &line)) == 0) {
		if (line.is_end || (line.id != QMP_NONE && line.is_error)) {
			die(vm);
			return;
		}
		if (line.id == QMP_STOP && vm->stage == PARKING) {
			vm->stage = PARKED;
			if (vm->clone_usec == 0)
				vm->clone_usec =
				    mono_span(vm->begun, mono_now());
			qemu_offer_to_oom(vm->process.pid);
			tell(vm, VMM_PARKED);
		}
		if (!memchr(vm->control.buf + vm->control.used, '\n',
			vm->control.n - vm->control.used))
			return; /* one read a look: the rest waits */
	}
	if (r != -EAGAIN)
		die(vm);
}

/* A guest may ring as fast as it can: then its bell is torn off, and the
 * mailbox is looked at by the clock. */
static void
count_ring(struct vm *vm)
{
	const struct itimerspec each = {
	    {.tv_nsec = BELL_CLOCK_NSEC}, {.tv_nsec = BELL_CLOCK_NSEC}};

	if (vm->clock >= 0)
		return;
	if (mono_span(vm->window, mono_now()) > BELL_WINDOW_USEC) {
		vm->window = mono_now();
		vm->rings = 0;
	}
	if (++vm->rings < BELL_RINGS_MAX)
		return;
	vm->clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (vm->clock < 0 || timerfd_settime(vm->clock, 0, &each, NULL) < 0) {
		die(vm);
		return;
	}
	(void)epoll_ctl(vm->events, EPOLL_CTL_DEL, vm->process.bell, NULL);
	watch(vm, vm->clock);
}

static void
hear_bell(struct vm *vm)
{
	char octets[BELL_OCTETS];
	ssize_t n = read(vm->process.bell, octets, sizeof(octets));

	if (n == 0)
		die(vm); /* QEMU has gone, or wants us to believe it */
	if (vm->clock >= 0 && read(vm->clock, octets, sizeof(uint64_t)) < 0)
		return;
}

static void
look(struct vm *vm)
{
	unsigned int news = 0;

	if (vm->stage == LOADING || vm->stage == RUNNING || vm->stage == OVER)
		news = hostbox_look(&vm->box);
	if (news & HOSTBOX_LIE) {
		die(vm);
		return;
	}
	if (vm->stage == LOADING && news) {
		vm->stage = PARKING;
		if (qmp_send(vm->process.qmp, QMP_STOP, -1) < 0)
			die(vm);
		return;
	}
	if (news & HOSTBOX_ANSWER)
		tell(vm, VMM_TAKEN);
	if (news & HOSTBOX_REPORT)
		tell(vm, VMM_REPORT);
	if (news & HOSTBOX_END) {
		vm->stage = OVER;
		tell(vm, VMM_ENDED);
	}
}

static void
hear(struct vm *vm)
{
	struct epoll_event events[4];
	int n = epoll_wait(vm->events, events, ARRAY_SIZE(events), 0);
	bool has_rung = false;

	for (int i = 0; i < n && vm->stage < DEAD; i++) {
		int fd = events[i].data.fd;

		if (fd == vm->process.qmp)
			hear_qmp(vm);
		else if (fd == vm->process.bell || fd == vm->clock)
			has_rung = true;
	}
	if (has_rung && vm->stage < DEAD)
		hear_bell(vm);
	if (vm->stage < DEAD)
		look(vm);
	if (has_rung && vm->stage < DEAD)
		count_ring(vm);
	/* After the mailbox: what it says of the end is its last word. */
	if (vm->stage < DEAD && has_ended(vm))
		die(vm);
}

static int
qemu_next(struct vm *vm, enum vmm_event *ret)
{
	assert(vm->magic == VM_MAGIC);
	if (vm->stage == DYING) {
		if (!has_ended(vm))
			return -EAGAIN;
		vm_free(vm);
		*ret = VMM_GONE;
		return 0;
	}
	if (!vm->has_looked)
		hear(vm);
	vm->has_looked = vm->pending != 0;
	for (int e = VMM_PARKED; e <= VMM_DIED; e++)
		if (vm->pending & 1u << e) {
			vm->pending &= ~(1u << e);
			*ret = (enum vmm_event)e;
			return 0;
		}
	return -EAGAIN;
}

static size_t
qemu_collect(struct vm *vm, uint64_t from, void *buf, size_t n)
{
	assert(vm->magic == VM_MAGIC);
	return hostbox_collect(&vm->box, from, buf, n);
}

static int
qemu_destroy(struct vm *vm)
{
	int r;

	assert(vm->magic == VM_MAGIC);
	die(vm); /* if it isn't dead */
	vm->pending = 0;
	vm->stage = DYING;
	r = has_ended(vm) ? 0 : send_signal(vm, SIGKILL);
	if (r < 0 && r != -ESRCH) {
		vm_free(vm);
		return r;
	}
	watch(vm, vm->process.pidfd);
	return 0;
}

static void
qemu_stats(const struct vm *vm, struct vmm_stats *ret)
{
	assert(vm->magic == VM_MAGIC);
	*ret = (struct vmm_stats){
	    .private_bytes =
		vm->is_reaped ? 0 : qemu_private_bytes(vm->process.pid),
	    .clone_usec = vm->clone_usec,
	    .lost_events = hostbox_lost(&vm->box),
	    .wants_rehearsal = !vm->has_rehearsed && qemu_gains(vm->vmm)};
}

const struct vmm_ops vmm_qemu = {
    .name = "qemu",
    .probe = qemu_probe,
    .park = qemu_park,
    .open = qemu_open,
    .close = qemu_close,
    .clone = qemu_clone,
    .rehearse = qemu_rehearse,
    .inject = qemu_inject,
    .run_start = qemu_run_start,
    .event_fd = qemu_event_fd,
    .next = qemu_next,
    .collect = qemu_collect,
    .destroy = qemu_destroy,
    .reap = qemu_reap,
    .stats = qemu_stats,
};
