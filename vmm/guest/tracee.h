/*
 * vmm/guest/tracee.h - what a process that waits for us has in its memory
 * and its tables.  All of it is the sample's, and may change while we look.
 */
#ifndef SLUICE_VMM_GUEST_TRACEE_H
#define SLUICE_VMM_GUEST_TRACEE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Copy n octets from address at; false: not all of them are there. */
bool tracee_read(pid_t pid, uint64_t at, void *ret, size_t n);

/* The string there, cut to size; false, and "" in ret: none. */
bool tracee_string(pid_t pid, uint64_t at, char *ret, size_t size);

/* The path there, absolute, seen from the directory dirfd of the process
 * (AT_FDCWD: where it is).  False: there is no string. */
bool tracee_path(pid_t pid, int dirfd, uint64_t at, char ret[PATH_MAX]);

/* What its descriptor fd is: a path, or a word like "socket:[12]". */
bool tracee_fd_path(pid_t pid, int fd, char ret[PATH_MAX]);

/* The strings of an argument vector with spaces between, cut to size.
 * pointer_bytes: 4 or 8. */
void tracee_args(
    pid_t pid, uint64_t at, size_t pointer_bytes, char *ret, size_t size);

/* A duplicate of its descriptor fd; the caller's to close; or -errno. */
int tracee_fd(pid_t pid, int fd);

/* Field 4 of /proc/PID/stat, the parent, 0: gone; the state ('R', 'S', ...),
 * 0: gone. */
pid_t tracee_parent(pid_t pid);
char tracee_state(pid_t pid);

/* The name of a process, "" if it is gone. */
void tracee_name(pid_t pid, char ret[PATH_MAX]);

#endif
