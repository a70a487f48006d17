/*
 * vmm/guest/scene.h - what all vantage points share during a run: its clock,
 * its report, and what one of them must know of the others.
 */
#ifndef SLUICE_VMM_GUEST_SCENE_H
#define SLUICE_VMM_GUEST_SCENE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/guest/clock.h"
#include "vmm/guest/report.h"

struct ledger;
struct mailbox;
struct sink;

/* Where the user lives, and where a sample is put. */
#define SCENE_HOME      "/root"
#define SCENE_DOWNLOADS SCENE_HOME "/Downloads"

#define SCENE_STARTS 64 /* processes that are between execve and its event */

struct scene {
	struct report report;
	struct sink *sink;
	struct ledger *ledger;
	struct mailbox *box; /* NULL in a rehearsal */
	uint64_t begun_usec;
	uint64_t last_usec; /* of the last event; since begun */
	bool sees_files;    /* fanotify tells what happened, so others needn't
			       tell what was asked for */
	pid_t starts[SCENE_STARTS]; /* told by seccomp, not yet seen by proc */
	uint32_t next_start;
};

static inline uint64_t
scene_usec(const struct scene *scene)
{
	return clock_usec() - scene->begun_usec;
}

/* As report_add(), now. */
#define scene_add(scene, by, pid, kind, ...) \
	do { \
		(scene)->last_usec = scene_usec(scene); \
		report_add(&(scene)->report, (scene)->last_usec, by, pid, \
		    kind, __VA_ARGS__); \
	} while (0)

/* Let the host have the whole lines that there are; doesn't ring. */
void scene_publish(const struct scene *scene);

#define scene_note(scene, note) \
	scene_add(scene, BY_AGENT, 0, REPORT_AGENT_NOTE, FIELD("text", note))

#endif
