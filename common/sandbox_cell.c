#include "common/sandbox.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Descriptors of a cell: message, socket, arena, stderr, and some room. */
#define CELL_FILES 64

/* Of the number that is loaded: go so many instructions on if it is nr. */
#define IF(nr, forward) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), (forward), 0)
#define RETURN(action)  BPF_STMT(BPF_RET | BPF_K, (action))

/*
 * ROLE_SCAN's filter stays in force below this one (it has checked the
 * architecture), so only what that role may and a cell may not is named.
 * Written by hand and short because it is loaded once for each message: the
 * kernel compiles it each time.  Signals are refused and not deadly, since
 * abort(3) has another way to end.
 */
static const struct sock_filter cell_filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    IF(__NR_clone, 7),
    IF(__NR_socketpair, 6),
    IF(__NR_memfd_create, 5),
    IF(__NR_prctl, 3),
    IF(__NR_kill, 2),
    IF(__NR_tgkill, 1),
    RETURN(SECCOMP_RET_ALLOW),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
    RETURN(SECCOMP_RET_KILL_PROCESS),
};

static int
limit(__rlimit_resource_t what, uint64_t value)
{
	struct rlimit l = {value, value};

	return setrlimit(what, &l) < 0 ? -errno : 0;
}

static int
set_budget(const struct cell_budget *b)
{
	uint64_t cpu_sec = (b->cpu_usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
	/* At the soft limit comes SIGXCPU, which names its cause; at the hard
	 * one SIGKILL, which looks like a kill from outside. */
	struct rlimit cpu = {cpu_sec, cpu_sec + 1};
	int r = limit(RLIMIT_FSIZE, b->output_bytes);

	if (r == 0 && setrlimit(RLIMIT_CPU, &cpu) < 0)
		r = -errno;
	if (r == 0)
		r = limit(RLIMIT_NOFILE, CELL_FILES);
#ifndef SLUICE_SANITIZE /* shadow memory alone is terabytes of addresses */
	if (r == 0)
		r = limit(RLIMIT_AS, b->memory_bytes);
#endif
	return r;
}

int
sandbox_cell(const struct cell_budget *budget)
{
	struct sock_fprog prog = {.len = ARRAY_SIZE(cell_filter)};
	int r = set_budget(budget);

	if (r < 0)
		return r;
	/* The kernel only reads it; its type is older than const. */
	prog.filter = (struct sock_filter *)(uintptr_t)cell_filter;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return errno == EINVAL ? 0 : -errno;
	return 0;
}
