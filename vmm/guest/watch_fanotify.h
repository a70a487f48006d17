/*
 * vmm/guest/watch_fanotify.h - the vantage point of file systems: what was
 * made, written, moved and removed, and which of the user's files were read,
 * told afterwards by the kernel.
 */
#ifndef SLUICE_VMM_GUEST_WATCH_FANOTIFY_H
#define SLUICE_VMM_GUEST_WATCH_FANOTIFY_H

#include <limits.h>
#include <sys/vfs.h>

#include "vmm/guest/scene.h"

#define WATCH_HANDLE_MAX 160 /* MAX_HANDLE_SZ, with fsid and head */
#define WATCH_SYSTEMS    5   /* that a sample can write to, and devices */

struct watch_files {
	int fd; /* for poll(2) */
	struct {
		int dir; /* its root, -1: there is none */
		fsid_t id;
	} systems[WATCH_SYSTEMS];
	/* The directory of the last event: the next one is often there too. */
	unsigned char last[WATCH_HANDLE_MAX]; /* fsid, type and handle */
	size_t last_bytes;
	char last_path[PATH_MAX];
};

/*
 * Watch the file systems of the guest, and reading below the user's
 * directory as it is now, for ever.  Returns 0 or -errno: this kernel can't;
 * then fd is -1, and nothing is ever told.
 */
int watch_fanotify_open(struct watch_files *files);

/* Forget what has happened so far. */
void watch_fanotify_flush(struct watch_files *files);

/* Report what waits, a bounded number of events. */
void watch_fanotify(struct scene *scene, struct watch_files *files);

#endif
