#include "vmm/qemu.h"
#include "vmm/qemu_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* For measuring the clock of time stamps: 10 ppm of a tick are enough. */
#define TSC_USEC 20000
/* Two processors of one kind differ less, two of different kinds more. */
#define TSC_APART 100 /* one in so many */
/* Addresses of QEMU itself, its libraries, stacks and translated code. */
#define OWN_BYTES (UINT64_C(1) << 30)
/* Devices' state: 50 KB of a small machine. */
#define STATE_MAX (64u << 20)

static const char *
program_of(const struct vmm_options *options)
{
	return options->program ? options->program : QEMU_PROGRAM;
}

int
qemu_version(
    const char *program, char *ret, size_t size, char *why, size_t why_size)
{
	char *const argv[] = {(char[]){"qemu"}, (char[]){"-version"}, NULL};
	char *const env[] = {NULL};
	CLEANUP(close_fd) int fd = memfd_create("version", MFD_CLOEXEC);
	posix_spawn_file_actions_t actions;
	int r, status;
	ssize_t n;
	pid_t pid;

	if (fd < 0)
		return -errno;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, fd, 1);
	r = -posix_spawn(&pid, program, &actions, NULL, argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r < 0) {
		(void)snprintf(why, why_size, "%s: %s; install qemu-system-x86",
		    program, strerror(-r));
		return r;
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	n = pread(fd, ret, size - 1, 0);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (status == 0 && strncmp(ret, "QEMU ", 5) == 0)
		return 0;
	(void)snprintf(
	    why, why_size, "%s is no QEMU, or can't be run", program);
	return -ENOEXEC;
}

/*
 * A KVM without VMX or SVM below it (there are some in clouds) runs only
 * kernels that were made for it.
 */
static bool
has_virtualisation(void)
{
	CLEANUP(free_ptr) char *line = NULL;
	size_t room = 0;
	bool found = false;
	FILE *f = fopen("/proc/cpuinfo", "re");

	while (f && !found && getline(&line, &room, f) > 0)
		found = strncmp(line, "flags", 5) == 0 &&
			(strstr(line, " vmx ") || strstr(line, " svm "));
	if (f)
		(void)fclose(f);
	return found;
}

bool
qemu_has_kvm(void)
{
	CLEANUP(close_fd) int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	CLEANUP(close_fd) int vm = -1;

	if (kvm < 0 || !has_virtualisation())
		return false;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	return vm >= 0;
}

static uint64_t
raw_nsec(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint32_t
qemu_tsc_khz(void)
{
	uint64_t t0 = raw_nsec(), c0 = __builtin_ia32_rdtsc(), t1, c1;

	(void)usleep(TSC_USEC);
	t1 = raw_nsec();
	c1 = __builtin_ia32_rdtsc();
	return (uint32_t)((c1 - c0) * 1000000u / (t1 - t0));
}

int
qemu_probe(const struct vmm_options *options, char *why, size_t why_size)
{
	char version[QEMU_VERSION_MAX];

	if (qemu_version(program_of(options), version, sizeof(version), why,
		why_size) < 0)
		return -ENOTSUP;
	(void)snprintf(why, why_size, "%s, by %s", version,
	    qemu_has_kvm() ? "KVM" : "translation (no usable KVM)");
	return 0;
}

static int stale(char *err, size_t err_size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
stale(char *err, size_t err_size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, err_size, fmt, ap);
	va_end(ap);
	return -ESTALE;
}

/* Is it of this very QEMU, machine and processor? */
static int
check_fits(const struct vmm *vmm, char *err, size_t err_size)
{
	const struct manifest *m = &vmm->manifest;
	const struct qemu_machine machine = {
	    .is_kvm = strcmp(m->accel, "kvm") == 0,
	    .has_disk = m->files[MANIFEST_DISK].is_there,
	    .mem_mib = m->mem_mib};
	char version[QEMU_VERSION_MAX], hex[65];
	uint32_t khz = qemu_tsc_khz();
	int r;

	if (strcmp(m->backend, vmm_qemu.name) != 0)
		return stale(err, err_size, "built for %s", m->backend);
	r = qemu_version(vmm->program, version, sizeof(version), err, err_size);
	if (r < 0)
		return r;
	if (strcmp(version, m->hypervisor) != 0)
		return stale(err, err_size, "built by %s; here is %s",
		    m->hypervisor, version);
	if (machine.is_kvm && !qemu_has_kvm())
		return stale(
		    err, err_size, "built with KVM, which is not usable here");
	if (m->mailbox != MAILBOX_VERSION ||
	    strcmp(qemu_machine_digest(&machine, hex), m->machine) != 0)
		return stale(err, err_size,
		    "built for another machine than this version makes");
	if (khz > m->tsc_khz + m->tsc_khz / TSC_APART ||
	    khz < m->tsc_khz - m->tsc_khz / TSC_APART)
		return stale(err, err_size,
		    "built on a processor of %u kHz; this one has %u",
		    m->tsc_khz, khz);
	return 0;
}

static int
open_disk(struct vmm *vmm, int dirfd, char *err, size_t err_size)
{
	if (!vmm->manifest.files[MANIFEST_DISK].is_there)
		return 0;
	vmm->disk = openat(
	    dirfd, manifest_file_name(MANIFEST_DISK), O_RDONLY | O_CLOEXEC);
	if (vmm->disk < 0) {
		(void)snprintf(err, err_size, "disk: %s", strerror(errno));
		return errno == ENOENT ? -EBADMSG : -errno;
	}
	return manifest_check(
	    &vmm->manifest, MANIFEST_DISK, vmm->disk, err, err_size);
}

static int
open_in(struct vmm *vmm, int dirfd, char *err, size_t err_size)
{
	bool is_kvm;
	int r = manifest_read(dirfd, &vmm->manifest, err, err_size);

	if (r == 0)
		r = check_fits(vmm, err, err_size);
	if (r == 0 && vmm->manifest.files[MANIFEST_STATE].bytes > STATE_MAX)
		r = -EBADMSG;
	if (r < 0)
		return r;
	is_kvm = strcmp(vmm->manifest.accel, "kvm") == 0;
	err[0] = '\0';
	r = manifest_load(
	    &vmm->manifest, dirfd, MANIFEST_RAM, &vmm->ram, err, err_size);
	if (r == 0)
		r = manifest_load(&vmm->manifest, dirfd, MANIFEST_STATE,
		    &vmm->state, err, err_size);
	if (r == 0)
		r = open_disk(vmm, dirfd, err, err_size);
	if (r == 0)
		r = qemu_jail_make(
		    &vmm->jail, vmm->program, is_kvm, err, err_size);
	vmm->jail.memory_bytes =
	    ((uint64_t)vmm->manifest.mem_mib << 20) + MAILBOX_BYTES + OWN_BYTES;
	return r;
}

int
qemu_open_at(int dirfd, const struct vmm_options *options, struct vmm **ret,
    char *err, size_t err_size)
{
	struct vmm *vmm = xcalloc(1, sizeof(*vmm));
	int r;

	vmm->ram = vmm->state = vmm->disk = vmm->jail.ruleset = -1;
	vmm->program = xstrdup(program_of(options));
	(void)owner_site(options->state, vmm->site);
	err[0] = '\0';
	r = open_in(vmm, dirfd, err, err_size);
	if (r < 0) {
		qemu_close(vmm);
		return r;
	}
	*ret = vmm;
	return 0;
}

int
qemu_open(const struct vmm_options *options, struct vmm **ret, char *err,
    size_t err_size)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/%s", options->state, options->reference);
	CLEANUP(close_fd)
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char why[256];
	int r;

	if (dirfd < 0) {
		r = -errno;
		(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
		return r;
	}
	r = qemu_open_at(dirfd, options, ret, why, sizeof(why));
	if (r < 0)
		(void)snprintf(err, err_size, "%s: %s", path, why);
	return r;
}

void
qemu_close(struct vmm *vmm)
{
	assert(vmm->clones == 0);
	close_fd(&vmm->ram);
	close_fd(&vmm->state);
	close_fd(&vmm->disk);
	qemu_jail_done(&vmm->jail);
	manifest_done(&vmm->manifest);
	free(vmm->program);
	free(vmm);
}

/*
 * What a rehearsal translates is kept by the guest's physical addresses.  On
 * a root disk is Wine, which reads its libraries into new pages at each run:
 * 1.2 s before and after, for 4.6 s and 68 MB.
 */
bool
qemu_gains(const struct vmm *vmm)
{
	return !vmm->manifest.files[MANIFEST_DISK].is_there;
}
