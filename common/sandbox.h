/*
 * common/sandbox.h - what each role keeps, in one table (sandbox.c).
 *
 * A role calls sandbox_enter() after it has opened what it needs and before
 * its first octet of input.  Order: rlimits, no_new_privs, groups and uid,
 * Landlock (paths), then seccomp (system calls).
 */
#ifndef SLUICE_COMMON_SANDBOX_H
#define SLUICE_COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;

enum role {
	ROLE_FEED,
	ROLE_DELIVER,
	ROLE_SCAN, /* the parent of cells: forks, parses nothing */
	ROLE_CELL, /* entered by a fork of ROLE_SCAN, only gets narrower */
	ROLE_ENGINES,
	ROLE_VMM,
	ROLE_BOOK,
	ROLE_HOLDER, /* sluice-vmm: of references and clones */
	ROLE_GATE,
	ROLE_FETCH,   /* asks the open network for files behind links */
	ROLE_ARCHIVE, /* keeps copies of files */
	ROLE_FLOW,    /* reads the packets of connections that carry mail */
	ROLE_LEARN,   /* learns from what that one counts */
	ROLE_RPC,     /* answers anybody on loopback about them */
	ROLE_COUNT
};

/* "feed", "deliver", ...  Never NULL for a valid role. */
const char *role_name(enum role role);

/*
 * Give up everything that the role's row doesn't list.  Not reversible.
 *
 * When the process is not root the uid stays as it is and is said so at
 * level warn once; without Landlock or seccomp in the kernel a warning is
 * logged, or -ENOTSUP returned where conf->site.require_sandbox is set.
 *
 * The signal of the parent's death (proc_bind_to_parent) stays in force.
 *
 * err   on failure: what is missing, in words
 * Returns 0; -ENOENT: the role's user doesn't exist; -ENOTSUP; -ESRCH:
 * the parent has died; or -errno.
 */
int sandbox_enter(
    enum role role, const struct conf *conf, char *err, size_t err_size);

/*
 * The part of ROLE_CELL that is paid once a cell: the budgets of the message
 * as rlimits, and one that refuses a fork.  All else is ROLE_SCAN's, whose
 * filter stays in force.  The caller closes what isn't the cell's.
 * Returns 0 or -errno.
 */
struct cell_budget;
int sandbox_cell(const struct cell_budget *budget);

/* Budgets of one message that the kernel enforces. */
struct cell_budget {
	uint64_t memory_bytes; /* RLIMIT_AS */
	uint64_t output_bytes; /* RLIMIT_FSIZE */
	uint64_t cpu_usec;     /* RLIMIT_CPU, rounded up to seconds */
};

/*
 * For a fork of a command that reads one file of a stranger: it keeps memory,
 * writing to what is open, and its end.  memory_bytes is RLIMIT_AS, cpu_sec
 * seconds of processor time; beyond either it dies.
 * Returns 0; -EINVAL or -ENOSYS: no seccomp in this kernel; or -errno.
 */
int sandbox_reader(uint64_t memory_bytes, unsigned int cpu_sec);

/*
 * A filter of system calls that is compiled once and loaded between fork and
 * execve of each child: that of a hypervisor's process, which has its files
 * by descriptor, threads but no children, and no socket but those it got.
 */
struct sandbox_filter {
	void *code; /* instructions of the kernel's filter machine */
	unsigned short n;
};

/* Returns 0; -ENOTSUP: no seccomp in this kernel; or -errno.  The caller
 * frees with sandbox_filter_free(). */
int sandbox_filter_vm(struct sandbox_filter *ret);
void sandbox_filter_free(struct sandbox_filter *filter);

/*
 * Load it, and that signals go to this very process alone.  Needs
 * no_new_privs.  Safe after vfork(2): no memory is written.  0 or -errno.
 */
int sandbox_filter_load(const struct sandbox_filter *filter);

#endif
