/*
 * vmm/owner.h - whose a clone is, when its holder may be gone: a site and a
 * process of it.
 */
#ifndef SLUICE_VMM_OWNER_H
#define SLUICE_VMM_OWNER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OWNER_SITE_SIZE 9

/* Eight hexadecimal digits that stand for a directory of references: two
 * holders don't reap each other's clones.  Into buf, returns buf. */
char *owner_site(const char *state, char *buf);

/* When a process began, in the kernel's ticks since boot; 0: no such. */
uint64_t owner_start_of(pid_t pid);

/* As much of /proc/PID/NAME as there is room for (a file of /proc has no
 * size), and a NUL.  Its length, or -errno. */
ssize_t proc_text(pid_t pid, const char *name, char *buf, size_t size);

#endif
