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
#include "vmm/backends.h"
#include "vmm/mailbox.h"
#include "vmm/vmm.h"
#ifdef SLUICE_XEN
#include "vmm/xen_host_priv.h"
#include "vmm/xen_priv.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PATIENCE_USEC (30 * USEC_PER_SEC)

static const struct vmm_ops *ops; /* of choose_back_end() */

static inline bool
choose_back_end(const char *name)
{
	ops = backends_find(name);
	return ops != NULL;
}

static inline bool
is_xen(void)
{
	return strcmp(ops->name, "xen") == 0;
}

static inline const char *
event_name(int event)
{
	static const char *const names[] = {
	    "parked", "taken", "report", "ended", "died", "gone"};

	return event < 0 ? strerror(-event) : names[event];
}

/* The next event, or -ETIMEDOUT. */
static inline int
next_event_within(struct vm *vm, uint64_t patience_usec)
{
	uint64_t end = mono_now().usec + patience_usec;
	enum vmm_event event;

	while (mono_now().usec < end) {
		struct pollfd p = {.fd = ops->event_fd(vm), .events = POLLIN};

		if (ops->next(vm, &event) == 0)
			return (int)event;
		(void)poll(&p, 1, 1000);
	}
	return -ETIMEDOUT;
}

static inline int
next_event(struct vm *vm)
{
	return next_event_within(vm, PATIENCE_USEC);
}

/* The next that is none of VMM_REPORT. */
static inline int
next_stage_within(struct vm *vm, uint64_t patience_usec)
{
	int event;

	do {
		event = next_event_within(vm, patience_usec);
	} while (event == VMM_REPORT);
	return event;
}

static inline int
next_stage(struct vm *vm)
{
	return next_stage_within(vm, PATIENCE_USEC);
}

#define expect(vm, event) \
	assert_string_equal(event_name(event), event_name(next_stage(vm)))

static inline struct vmm *
open_reference(const char *directory)
{
	const struct vmm_options options = {
	    .state = directory, .reference = "linux"};
	struct vmm *vmm;
	char err[512];

	if (ops->open(&options, &vmm, err, sizeof(err)) == 0)
		return vmm;
	fail_msg("%s", err);
	return NULL;
}

/* The directories of two references, and a program: main()'s arguments. */
static const char *state, *hostile, *hello;

static inline int
set_up(void **test)
{
	*test = open_reference(state);
	return 0;
}

static inline int
set_up_hostile(void **test)
{
	*test = open_reference(hostile);
	return 0;
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

/* A program. */
static inline void
inject_file(struct vm *vm, const char *path)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	struct vmm_sample sample = {
	    .fd = fd, .name = "hello", .type = "application/x-executable"};

	assert_int_equal(0, fstat(fd, &st));
	sample.bytes = (uint64_t)st.st_size;
	assert_int_equal(0, ops->inject(vm, &sample));
}

/* The report, up to where it stands. */
static inline void
read_report(struct vm *vm, char *buf, size_t size)
{
	buf[ops->collect(vm, 0, buf, size - 1)] = '\0';
}

/* --- Clones from outside: whoever kills them doesn't ask the back end. */

/* The newest child of this process; 0: none. */
static inline int
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

#ifdef SLUICE_XEN
static inline struct xen_host *
any_host(void)
{
	struct xen_host *host = NULL;
	char why[256];

	if (xen_host_open(&host, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	return host;
}

/* Pages of the host's memory that nobody has. */
static inline unsigned long
free_pages(void)
{
	struct xen_host *host = any_host();
	xc_physinfo_t info = {0};

	assert_int_equal(0, xc_physinfo(host->xch, &info));
	xen_host_close(host);
	return (unsigned long)info.free_pages;
}

/* The newest clone among all domains; 0: none. */
static inline int
newest_domain(void)
{
	struct xen_host *host = any_host();
	unsigned char handle[XEN_HANDLE];
	uint32_t domain = 0;
	int newest = 0;

	for (; xen_domain_next(host, &domain, handle) == 0; domain++)
		if (handle[XEN_HANDLE - 1] == XEN_CLONE)
			newest = (int)domain;
	xen_host_close(host);
	return newest;
}

static inline void
end_from_outside(int domain)
{
	struct xen_host *host = any_host();

	assert_int_equal(0, xen_domain_end(host, (uint32_t)domain));
	xen_host_close(host);
}

static inline bool
is_domain(int domain)
{
	struct xen_host *host = any_host();
	bool is_down = xen_domain_is_down(host, (uint32_t)domain);

	xen_host_close(host);
	return !is_down;
}
#endif

/* A number by which the newest clone is known outside; 0: there is none. */
static inline int
newest_clone(void)
{
#ifdef SLUICE_XEN
	if (is_xen())
		return newest_domain();
#endif
	return youngest_child();
}

static inline void
kill_clone(int number)
{
#ifdef SLUICE_XEN
	if (is_xen()) {
		end_from_outside(number);
		return;
	}
#endif
	assert_int_equal(0, kill(number, SIGKILL));
}

static inline bool
is_clone_there(int number)
{
#ifdef SLUICE_XEN
	if (is_xen())
		return is_domain(number);
#endif
	return kill(number, 0) == 0;
}

/* Of an orphan whom nobody waits for a zombie is all that is left. */
static inline void
is_zombie(int pid)
{
	char path[64], text[512] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f) {
		(void)!fgets(text, sizeof(text), f);
		(void)fclose(f);
		assert_non_null(strstr(text, ") Z "));
	}
}

#endif
