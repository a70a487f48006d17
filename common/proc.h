/*
 * common/proc.h - roles: re-executed children that start with a clean slate.
 *
 * A role is started as `PROGRAM -x ROLE -k K -c CONF` with its descriptors
 * from 3 upwards in the order given, everything else closed on exec.
 */
#ifndef SLUICE_COMMON_PROC_H
#define SLUICE_COMMON_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#define PROC_FIRST_FD 3
#define PROC_MAX_FDS  8

struct proc_spec {
	const char *program;   /* file name, beside our own executable */
	const char *role;      /* NULL: a whole program, started without -x */
	unsigned int k;        /* number of the worker; 0: none */
	const char *conf_path; /* NULL: none */
	const char *extra;     /* one more argument, or NULL */
	int fds[PROC_MAX_FDS]; /* become 3, 4, ... in the child; borrowed */
	int n_fds;
};

/*
 * Start one.  The child gets SIGTERM when its parent dies.
 * Returns the pid or -errno as fork(2), readlink(2); a failed execve(2) shows
 * as exit status 111 of the child.  Does not block.
 */
pid_t proc_spawn(const struct proc_spec *spec);

/*
 * fork(2) with a descriptor that stands for the child (O_CLOEXEC, the
 * caller's to close), so that a signal never reaches who got its pid later.
 * For a process of one thread whose child ends by _exit(2): no handlers run,
 * and libc doesn't learn the child's thread id.
 * Returns 0 in the child; in the parent the pid with ret_fd set, or -errno.
 */
pid_t proc_fork(int *ret_fd);

/*
 * In the child, first thing: die with SIGTERM when the parent goes.  A race
 * with a parent that has gone already ends the process here.
 */
void proc_bind_to_parent(pid_t parent);

/*
 * With a change of its user the kernel forgets which signal a process gets
 * when its parent dies.  Take this before the change, and renew it after.
 */
struct proc_bond {
	pid_t parent;
	int signal_number; /* 0: none */
};

void proc_bond_take(struct proc_bond *ret_bond);

/* Returns 0; -ESRCH: the parent was gone in between; or -errno. */
int proc_bond_renew(const struct proc_bond *bond);

/*
 * What a wait status means, in words: "exit 3", "signal 11 (SEGV)".
 * Writes to buf, returns buf.
 */
char *proc_status_text(int status, char *buf, size_t size);

/* The options that every role takes. */
struct proc_args {
	const char *role; /* NULL without -x */
	unsigned int k;
	const char *conf_path; /* NULL without -c */
	const char *extra;     /* first operand, or NULL */
};

/*
 * Parse argv as proc_spawn() writes it.  Returns 0, or -EINVAL after saying
 * on standard error what is wrong.
 */
int proc_parse(int argc, char **argv, struct proc_args *ret_args);

#endif
