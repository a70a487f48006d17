/*
 * common/sandbox_reader.c - what a process keeps that reads one file of a
 * stranger for a command, and then ends.
 */
#include "common/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "tell which architecture this is (linux/audit.h)"
#endif

#define IF(nr, forward) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), (forward), 0)
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))

/* Memory, its open descriptors, its end.  No path, no process, no socket. */
static struct sock_filter filter[] = {
    LOAD(arch),
    IF(ARCHITECTURE, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    IF(__NR_brk, 11),
    IF(__NR_sysinfo, 10), /* qsort(3) asks how much memory there is */
    IF(__NR_mmap, 9),
    IF(__NR_munmap, 8),
    IF(__NR_mremap, 7),
    IF(__NR_madvise, 6),
    IF(__NR_write, 5),
    IF(__NR_futex, 4),
    IF(__NR_rt_sigreturn, 3),
    IF(__NR_exit, 2),
    IF(__NR_exit_group, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    RETURN(SECCOMP_RET_ALLOW),
};

#ifdef SLUICE_SANITIZE
/* Shadow memory alone is terabytes of addresses, and a report at the end needs
 * calls that a reader has no use for. */
static int
close_up(uint64_t memory_bytes)
{
	(void)memory_bytes;
	(void)filter;
	return 0;
}
#else
static int
close_up(uint64_t memory_bytes)
{
	const struct sock_fprog program = {
	    sizeof(filter) / sizeof(filter[0]), filter};
	const struct rlimit memory = {memory_bytes, memory_bytes};

	return setrlimit(RLIMIT_AS, &memory) < 0 ||
		       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0
		   ? -errno
		   : 0;
}
#endif

int
sandbox_reader(uint64_t memory_bytes, unsigned int cpu_sec)
{
	const struct rlimit cpu = {cpu_sec, cpu_sec};

	if (setrlimit(RLIMIT_CPU, &cpu) < 0)
		return -errno;
	return close_up(memory_bytes);
}
