/*
 * tests/support/clone_site.h - a reference that is opened, clones of it, and
 * waiting for their events.
 */
#ifndef SLUICE_TESTS_CLONE_SITE_H
#define SLUICE_TESTS_CLONE_SITE_H

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/support/open_files.h"
#include "vmm/mailbox.h"
#include "vmm/qemu.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_USEC (30 * USEC_PER_SEC)

static const struct vmm_ops *const ops = &vmm_qemu;

static inline const char *
event_name(int event)
{
	static const char *const names[] = {
	    "parked", "taken", "report", "ended", "died", "gone"};

	return event < 0 ? strerror(-event) : names[event];
}

/* The next event, or -ETIMEDOUT. */
static inline int
next_event(struct vm *vm)
{
	uint64_t end = mono_now().usec + PATIENCE_USEC;
	enum vmm_event event;

	while (mono_now().usec < end) {
		struct pollfd p = {.fd = ops->event_fd(vm), .events = POLLIN};

		if (ops->next(vm, &event) == 0)
			return (int)event;
		(void)poll(&p, 1, 1000);
	}
	return -ETIMEDOUT;
}

/* The next that is none of VMM_REPORT. */
static inline int
next_stage(struct vm *vm)
{
	int event;

	do {
		event = next_event(vm);
	} while (event == VMM_REPORT);
	return event;
}

#define expect(vm, event) \
	assert_string_equal(event_name(event), event_name(next_stage(vm)))

static inline struct vmm *
open_reference(const char *state)
{
	const struct vmm_options options = {
	    .state = state, .reference = "linux"};
	struct vmm *vmm;
	char err[512];

	if (ops->open(&options, &vmm, err, sizeof(err)) == 0)
		return vmm;
	fail_msg("%s", err);
	return NULL;
}

static inline struct vm *
parked_clone(struct vmm *vmm)
{
	struct vm *vm;

	assert_int_equal(0, ops->clone(vmm, 1, &vm));
	expect(vm, VMM_PARKED);
	return vm;
}

static inline void
destroy(struct vm *vm)
{
	assert_int_equal(0, ops->destroy(vm));
	assert_string_equal("gone", event_name(next_event(vm)));
}

/* Octets in memory as a sample. */
static inline void
inject(struct vm *vm, const char *name, const void *octets, size_t n)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	struct vmm_sample sample = {
	    .fd = fd, .bytes = n, .name = name, .type = ""};

	assert_int_equal(0, write_all(fd, octets, n));
	assert_int_equal(0, ops->inject(vm, &sample));
}

/* The newest child of this process; 0: none. */
static inline pid_t
youngest_child(void)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	int pid, last = 0;

	assert_non_null(f);
	while (fscanf(f, "%d", &pid) == 1)
		last = pid;
	(void)fclose(f);
	return last;
}

#endif
