/*
 * tests/support/xen_site.h - a reference in a directory of its own, which the
 * back end Xen parks, opens and makes clones of, with tests/support/fake_xen.c.
 */
#ifndef SLUICE_TESTS_XEN_SITE_H
#define SLUICE_TESTS_XEN_SITE_H

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/support/fake_xen.h"
#include "tests/support/tmpspool.h"
#include "vmm/xen.h"
#include "vmm/xen_priv.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KERNEL_AT  (1u << 20)
#define KERNEL_END 8192
/* Of a guest that will come. */
#define PATIENCE_USEC (60 * USEC_PER_SEC)

static struct vmm_options options = {.reference = "linux"};
static char *state;
static int place = -1;

/* A file of the reference. */
static inline void
put(const char *name, const void *octets, size_t n)
{
	CLEANUP(close_fd)
	int fd =
	    openat(place, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(0, write_all(fd, octets, n));
}

struct xen_image {
	Elf64_Ehdr e;
	Elf64_Phdr p[2];
};

/* What Linux' boot protocol needs of a kernel: one segment. */
static inline struct xen_image
sound_image(void)
{
	struct xen_image image = {.e = {.e_machine = EM_X86_64,
				      .e_phnum = 2,
				      .e_phoff = sizeof(Elf64_Ehdr),
				      .e_entry = KERNEL_AT},
	    .p = {{.p_type = PT_LOAD,
		      .p_offset = 4096,
		      .p_filesz = 4096,
		      .p_memsz = 8192,
		      .p_paddr = KERNEL_AT},
		{.p_type = PT_NOTE}}};

	memcpy(image.e.e_ident, ELFMAG, SELFMAG);
	return image;
}

static inline void
put_kernel(const struct xen_image *image)
{
	static unsigned char octets[KERNEL_END];

	memset(octets, 0x90, sizeof(octets));
	memcpy(octets, image, sizeof(*image));
	put("kernel", octets, sizeof(octets));
}

static inline int
park(uint64_t patience_usec, uint32_t proofs, char *err, size_t err_size)
{
	const struct vmm_park park = {.of = options,
	    .recipe = "test",
	    .dirfd = place,
	    .mem_mib = FAKE_XEN_MIB,
	    .patience_usec = patience_usec,
	    .proofs = {proofs}};

	return vmm_xen.park(&park, err, err_size);
}

/* For all tests of a program. */
static inline int
begin_all(void **test)
{
	CLEANUP(free_ptr) char *path = NULL;

	(void)test;
	options.state = state = tmp_new();
	path = xasprintf("%s/linux", state);
	if (mkdir(path, 0700) < 0)
		return -1;
	place = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return place < 0 ? -1 : 0;
}

static inline int
end_all(void **test)
{
	(void)test;
	close_fd(&place);
	tmp_remove(state);
	return 0;
}

/* A reference that was parked, and a host on which nothing has happened. */
static inline int
set_up(void **test)
{
	const struct xen_image image = sound_image();
	char err[512];

	(void)test;
	fake_xen_begin();
	put_kernel(&image);
	put("initrd", "initrd", 6);
	if (park(PATIENCE_USEC, 0, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	fake_xen_begin();
	return 0;
}

/* 0, or -ECHILD: it has died; or -ETIMEDOUT. */
static inline int
wait_for(struct vm *vm, enum vmm_event wanted)
{
	enum vmm_event event;

	for (int i = 0; i < 1000; i++) {
		int r = vmm_xen.next(vm, &event);

		if (r == 0 && (event == wanted || event == VMM_DIED))
			return event == wanted ? 0 : -ECHILD;
		if (r < 0)
			(void)usleep(100);
	}
	return -ETIMEDOUT;
}

/* What a clone does until its report is read. */
static inline int
live(struct vm *vm)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	const struct vmm_sample sample = {
	    .fd = fd, .bytes = 5000, .name = "a", .type = ""};
	char report[64];
	int r = ftruncate(fd, 5000) < 0 ? -errno : wait_for(vm, VMM_PARKED);

	if (r == 0)
		r = vmm_xen.inject(vm, &sample);
	if (r == 0)
		r = vmm_xen.run_start(vm, USEC_PER_SEC);
	if (r == 0)
		r = wait_for(vm, VMM_ENDED);
	if (r == 0 && vmm_xen.collect(vm, 0, report, sizeof(report)) !=
			  strlen(FAKE_XEN_REPORT))
		r = -EIO;
	return r;
}

static inline int
whole_life_in(struct vmm *vmm)
{
	struct vmm_stats stats;
	struct vm *vm;
	int r = vmm_xen.clone(vmm, 3, &vm), end;

	if (r < 0)
		return r;
	r = live(vm);
	vmm_xen.stats(vm, &stats);
	end = vmm_xen.destroy(vm);
	if (end < 0)
		return end;
	assert_int_equal(0, wait_for(vm, VMM_GONE));
	return r;
}

/* Of what the probe has left open, as a holder does when it ends. */
static inline void
let_go(void)
{
	struct xen_host *host;
	char why[256];

	assert_int_equal(0, xen_host_open(&host, why, sizeof(why)));
	xen_host_close(host);
	xen_host_close(host);
}

#endif
