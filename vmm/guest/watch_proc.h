/*
 * vmm/guest/watch_proc.h - the vantage point of the kernel's process events
 * (the proc connector): what was executed and what ended, told afterwards.
 */
#ifndef SLUICE_VMM_GUEST_WATCH_PROC_H
#define SLUICE_VMM_GUEST_WATCH_PROC_H

#include "vmm/guest/scene.h"

/* Begin to listen.  Returns a descriptor for poll(2), the caller's, or
 * -errno: this kernel doesn't tell. */
int watch_proc_open(void);

/* Forget what has happened so far. */
void watch_proc_flush(int fd);

/* Report the events that wait at fd, a bounded number. */
void watch_proc(struct scene *scene, int fd);

#endif
