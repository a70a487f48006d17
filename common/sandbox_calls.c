#include "common/sandbox_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* Knows also those that an architecture lacks. */
#define SYS(name) SCMP_SYS(name)
#include "common/sandbox_lists_priv.h"

/* The kernel takes no more instructions. */
#define FILTER_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

#define ALLOW(f, list) allow_all((f), (list), ARRAY_SIZE(list))

static int
allow_all(scmp_filter_ctx f, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

static int
allow_if(scmp_filter_ctx f, int call, struct scmp_arg_cmp when)
{
	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &when);
}

/* The other half of an allow_if(): an unconditional rule would replace it. */
static int
refuse_if(scmp_filter_ctx f, int call, int error, struct scmp_arg_cmp when)
{
	return seccomp_rule_add_array(
	    f, SCMP_ACT_ERRNO((uint32_t)error), call, 1, &when);
}

/* Memory that can be run would need neither files nor execve. */
static int
allow_memory(scmp_filter_ctx f)
{
	static const int calls[] = {SYS(mmap), SYS(mprotect)};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls) && r == 0; i++) {
		r = allow_if(
		    f, calls[i], SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (r == 0)
			r = refuse_if(f, calls[i], EACCES,
			    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	}
	return r;
}

/* By descriptor, as fstat() of glibc 2.36 does; by path only for readers. */
static int
allow_fstat(scmp_filter_ctx f)
{
	int r = allow_if(f, SYS(newfstatat),
	    SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));

	return r < 0 ? r
		     : refuse_if(f, SYS(newfstatat), EACCES,
			   SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0));
}

/*
 * getrlimit() is a prlimit64() that sets nothing.  Who forks may set limits,
 * but its own only: all cells have one uid, and a limit of another one's
 * processor time would be its death.
 */
static int
allow_limits(scmp_filter_ctx f, bool may_set)
{
	int r = may_set ? allow_if(f, SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0))
			: allow_if(f, SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));

	if (r < 0)
		return r;
	return may_set ? refuse_if(
			     f, SYS(prlimit64), EPERM, SCMP_A0(SCMP_CMP_NE, 0))
		       : refuse_if(
			     f, SYS(prlimit64), EPERM, SCMP_A2(SCMP_CMP_NE, 0));
}

/* Not among them: F_SETOWN and F_SETSIG, which send any signal to any process
 * of the same uid. */
static int
allow_fcntl(scmp_filter_ctx f)
{
	static const int commands[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETFL,
	    F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK,
	    F_OFD_SETLKW, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands) && r == 0; i++)
		r = allow_if(f, SYS(fcntl),
		    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i]));
	return r;
}

static int
allow_ioctl(scmp_filter_ctx f)
{
	int r = allow_if(f, SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONREAD));

	return r < 0 ? r
		     : refuse_if(f, SYS(ioctl), ENOTTY,
			   SCMP_A1(SCMP_CMP_NE, FIONREAD));
}

/* Rules that may both fit have no order, so here all are of single numbers;
 * what else libraries try (a terminal, a clock of the card) is refused. */
static int
allow_capture_ioctl(scmp_filter_ctx f)
{
	static const unsigned int tried[] = {
	    TCGETS, SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFMTU, SIOCETHTOOL};
	int r = allow_if(f, SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONREAD));

	if (r == 0)
		r = allow_if(f, SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS));
	for (size_t i = 0; i < ARRAY_SIZE(tried) && r == 0; i++)
		r = refuse_if(
		    f, SYS(ioctl), ENOTTY, SCMP_A1(SCMP_CMP_EQ, tried[i]));
	return r;
}

static int
allow_base(scmp_filter_ctx f, unsigned int calls)
{
	const bool is_cells = (calls & CALLS_CELLS) != 0;
	int r = ALLOW(f, base_calls);

	if (r == 0 && !is_cells)
		r = ALLOW(f, shared_calls);
	if (r == 0)
		r = allow_memory(f);
	if (r == 0)
		r = allow_fstat(f);
	if (r == 0)
		r = allow_fcntl(f);
	if (r == 0)
		r = allow_limits(f, is_cells);
	if (r == 0)
		r = calls & CALLS_CAPTURE ? allow_capture_ioctl(f)
					  : allow_ioctl(f);
	return r;
}

static int
allow_loop(scmp_filter_ctx f, unsigned int calls)
{
	int r = ALLOW(f, loop_calls);

	if (r == 0 && !(calls & CALLS_CELLS))
		r = allow_if(f, SYS(socketpair), SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	return r;
}

#define NEW_NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static int
allow_fork(scmp_filter_ctx f)
{
	return allow_if(
	    f, SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0));
}

/* A thread, not a process. */
static int
allow_threads(scmp_filter_ctx f)
{
	const uint64_t thread = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;

	return allow_if(
	    f, SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
}

static int
allow_options(scmp_filter_ctx f, const int *options, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = allow_if(f, SYS(prctl),
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)options[i]));
	return r;
}

/* Its parent's death is the cell's, and it can't change that. */
static int
allow_bond(scmp_filter_ctx f)
{
	const scmp_datum_t bond = PR_SET_PDEATHSIG;
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SYS(prctl), 2,
	    SCMP_A0(SCMP_CMP_EQ, bond), SCMP_A1(SCMP_CMP_EQ, SIGKILL));

	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SYS(prctl), 2,
		    SCMP_A0(SCMP_CMP_EQ, bond), SCMP_A1(SCMP_CMP_NE, SIGKILL));
	return r < 0 ? r
		     : refuse_if(
			   f, SYS(prctl), EPERM, SCMP_A0(SCMP_CMP_NE, bond));
}

/*
 * Cells keep the filter of their parent, since one of their own would be
 * compiled for each message.  So nothing may be in it by which a cell could
 * reach another one: a signal goes to whom there is a descriptor of.  What
 * keeps a cell from forking is its limit.
 */
static int
allow_cells(scmp_filter_ctx f)
{
	static const int calls[] = {
	    SYS(wait4), SYS(waitid), SYS(pidfd_send_signal)};
	/* Refused and not deadly: abort(3) has another way to end. */
	static const int signals[] = {SYS(kill), SYS(tgkill)};
	int r = ALLOW(f, calls);

	if (r == 0)
		r = allow_fork(f);
	for (size_t i = 0; i < ARRAY_SIZE(signals) && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), signals[i], 0);
	return r < 0 ? r : allow_bond(f);
}

static int
allow_family(scmp_filter_ctx f, uint64_t family)
{
	int r = allow_if(f, SYS(socket), SCMP_A0(SCMP_CMP_EQ, family));

	return r < 0 ? r : seccomp_rule_add(f, SCMP_ACT_ALLOW, SYS(connect), 0);
}

static int
allow_sockets(scmp_filter_ctx f, unsigned int calls)
{
	int r = 0;

	if (calls & CALLS_UNIX)
		r = allow_family(f, AF_UNIX);
	if (r == 0 && (calls & (CALLS_INET | CALLS_WEB)))
		r = allow_family(f, AF_INET);
	if (r == 0 && (calls & (CALLS_INET | CALLS_WEB)))
		r = allow_family(f, AF_INET6);
	return r;
}

#ifdef SLUICE_SANITIZE
/* Reports name their functions, and shadow memory is mapped as it likes. */
static int
allow_sanitizers(scmp_filter_ctx f, unsigned int calls)
{
	static const int wanted[] = {SYS(mmap), SYS(mprotect), SYS(personality),
	    SYS(sched_getparam), SYS(sched_getscheduler)};
	int r = ALLOW(f, wanted);

	if (r == 0 && !(calls & CALLS_CELLS)) /* theirs has bounds */
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SYS(prctl), 0);
	return r;
}
#else
static int
allow_sanitizers(scmp_filter_ctx f, unsigned int calls)
{
	(void)f;
	(void)calls;
	return 0;
}
#endif

static int
refuse_rest(scmp_filter_ctx f)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(refused) && r == 0; i++) {
		r = seccomp_rule_add(f,
		    SCMP_ACT_ERRNO((uint32_t)refused[i].error), refused[i].call,
		    0);
		if (r == -EEXIST)
			r = 0; /* allowed above */
	}
	return r;
}

static int
fill(scmp_filter_ctx f, unsigned int calls)
{
	int r = allow_base(f, calls);

	if (r == 0 && (calls & CALLS_LOOP))
		r = allow_loop(f, calls);
	if (r == 0 && (calls & CALLS_READ))
		r = ALLOW(f, read_calls);
	if (r == 0 && (calls & CALLS_WRITE))
		r = ALLOW(f, write_calls);
	if (r == 0 && (calls & CALLS_INOTIFY))
		r = ALLOW(f, inotify_calls);
	if (r == 0 && (calls & CALLS_FORK))
		r = ALLOW(f, fork_calls);
	if (r == 0 && (calls & CALLS_FORK))
		r = allow_fork(f);
	if (r == 0 && (calls & CALLS_THREAD))
		r = allow_threads(f);
	if (r == 0 && (calls & CALLS_CELLS))
		r = allow_cells(f);
	else if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SYS(prctl), 0);
	if (r == 0 && (calls & CALLS_ACCEPT))
		r = ALLOW(f, accept_calls);
	if (r == 0)
		r = allow_sockets(f, calls);
	if (r == 0)
		r = allow_sanitizers(f, calls);
	return r < 0 ? r : refuse_rest(f);
}

/* The types of the ioctls of /dev/kvm and of /dev/xen/privcmd, which are open
 * or not. */
#define KVM_IOCTLS 0xae00
#define XEN_IOCTLS 0x5000

static int
allow_vm(scmp_filter_ctx f)
{
	static const int options[] = {PR_SET_SECCOMP, PR_SET_NAME,
	    PR_SET_NO_NEW_PRIVS, PR_SET_TIMERSLACK};
	int r = ALLOW(f, base_calls);

	if (r == 0)
		r = ALLOW(f, shared_calls);
	if (r == 0)
		r = ALLOW(f, loop_calls);
	if (r == 0)
		r = ALLOW(f, vm_calls);
	if (r == 0)
		r = allow_fcntl(f);
	if (r == 0)
		r = allow_if(f, SYS(ioctl),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, KVM_IOCTLS));
	/* It makes code. */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SYS(mmap), 0);
	return r < 0 ? r : allow_options(f, options, ARRAY_SIZE(options));
}

/* Who starts hypervisors has what they need and the groups of its row. */
static int
fill_vm(scmp_filter_ctx f, unsigned int calls)
{
	static const int options[] = {PR_SET_PDEATHSIG, PR_SET_DUMPABLE};
	int r = allow_vm(f);

	if (r == 0)
		r = ALLOW(f, vm_start_calls);
	if (r == 0)
		r = allow_if(f, SYS(ioctl),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, XEN_IOCTLS));
	if (r == 0)
		r = allow_if(f, SYS(socketpair), SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (r == 0)
		r = allow_limits(f, true);
	if (r == 0)
		r = allow_fork(f);
	if (r == 0)
		r = allow_options(f, options, ARRAY_SIZE(options));
	if (r == 0 && (calls & CALLS_READ))
		r = ALLOW(f, read_calls);
	if (r == 0 && (calls & CALLS_WRITE))
		r = ALLOW(f, write_calls);
	if (r == 0 && (calls & CALLS_ACCEPT))
		r = ALLOW(f, accept_calls);
	if (r == 0)
		r = allow_sockets(f, calls);
	return r < 0 ? r : allow_sanitizers(f, calls);
}

int
sandbox_filter_vm(struct sandbox_filter *ret)
{
	CLEANUP(close_fd) int fd = memfd_create("filter", MFD_CLOEXEC);
	/* A library asks for what it can do without, and goes on. */
	scmp_filter_ctx f;
	char *code = NULL;
	size_t n;
	int r;

	if (seccomp_api_get() < 2)
		return -ENOTSUP;
	f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!f)
		return -ENOMEM;
	r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = allow_vm(f);
	if (r == 0)
		r = allow_threads(f);
	if (r == 0)
		r = allow_if(f, SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));
	if (r == 0)
		r = seccomp_export_bpf(f, fd);
	seccomp_release(f);
	if (r == 0)
		r = read_fd(fd, FILTER_MAX, &code, &n);
	if (r < 0)
		return r;
	ret->code = code;
	ret->n = (unsigned short)(n / sizeof(struct sock_filter));
	return 0;
}

int
sandbox_calls(unsigned int calls, char *err, size_t err_size)
{
	bool is_vm = (calls & CALLS_VM) != 0;
	scmp_filter_ctx f;
	int r;

	if (seccomp_api_get() < 2)
		return -ENOTSUP; /* neither the call nor TSYNC: before 3.17 */
	/* Death would be that of each hypervisor that tries what it can do
	 * without. */
	f = seccomp_init(
	    is_vm ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_KILL_PROCESS);
	if (!f)
		return -ENOMEM;
	r = seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
	if (r == 0)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = is_vm ? fill_vm(f, calls) : fill(f, calls);
	if (r == 0)
		r = seccomp_load(f);
	seccomp_release(f);
	if (r < 0)
		(void)snprintf(err, err_size, "seccomp: %s", strerror(-r));
	return r;
}
