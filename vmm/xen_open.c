#include "vmm/xen.h"
#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What xen_domain.c and xen_cpu.c make, in words: counts up with a change that
 * an old reference doesn't go with. */
#define MACHINE "hvm, emulated devices, 1 processor, no device model, edition 1"
/* Two processors of one kind differ less, two of different kinds more. */
#define TSC_APART 100 /* one in so many */
/* A state: 12 KiB with the AVX registers. */
#define STATE_MAX (1u << 20)

char *
xen_machine_digest(char *buf)
{
	CLEANUP(free_ptr)
	char *text = xasprintf(MACHINE "\n%s\n", xen_kernel_words);
	struct digest digest = digest_memory(text, strlen(text));

	return digest_hex(&digest, buf);
}

int
xen_probe(const struct vmm_options *options, char *why, size_t why_size)
{
	struct xen_host *host;
	char version[MANIFEST_TEXT_MAX], text[256], site[OWNER_SITE_SIZE];
	int r = xen_host_open(&host, why, why_size);

	if (r < 0)
		return r;
	r = xen_host_shares(
	    host, owner_site(options->state, site), text, sizeof(text));
	(void)xen_host_version(host, version, sizeof(version));
	if (r == 0)
		(void)snprintf(why, why_size, "%s, by memory forks", version);
	else if (r == -ENOTSUP)
		(void)snprintf(why, why_size,
		    "%s, each clone restored whole: %s", version, text);
	else
		(void)snprintf(why, why_size, "%s", text);
	if (r == 0 || r == -ENOTSUP)
		return 0; /* and it stays open */
	xen_host_close(host);
	return -ENOTSUP;
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

/* Is it of this very hypervisor, machine and processor? */
static int
check_fits(const struct vmm *vmm, char *err, size_t err_size)
{
	const struct manifest *m = &vmm->manifest;
	const uint32_t khz = xen_host_khz(vmm->host);
	char version[MANIFEST_TEXT_MAX], hex[65];

	if (strcmp(m->backend, vmm_xen.name) != 0)
		return stale(err, err_size, "built for %s", m->backend);
	(void)xen_host_version(vmm->host, version, sizeof(version));
	if (strcmp(version, m->hypervisor) != 0)
		return stale(err, err_size, "built by %s; here is %s",
		    m->hypervisor, version);
	if (m->mailbox != MAILBOX_VERSION ||
	    strcmp(xen_machine_digest(hex), m->machine) != 0)
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
load_state(struct vmm *vmm, int dirfd, char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = -1;
	char *octets;
	size_t n;
	int r = manifest_load(
	    &vmm->manifest, dirfd, MANIFEST_STATE, &fd, err, err_size);

	if (r == 0)
		r = read_fd(fd, STATE_MAX, &octets, &n);
	if (r < 0)
		return r;
	vmm->state = (struct xen_state){
	    .octets = (unsigned char *)octets, .n = (uint32_t)n};
	return xen_state_cpu(&vmm->state, &vmm->cpu);
}

/* Holes are pages that were zero, as a new domain's all are. */
static int
fill_ram(struct vmm *vmm, int ram, uint32_t domain)
{
	off_t at = 0, end;
	int r = 0;

	while (r == 0 && (at = lseek(ram, at, SEEK_DATA)) >= 0) {
		end = lseek(ram, at, SEEK_HOLE);
		if (end < 0)
			return -errno;
		r = xen_fill(vmm->host, domain, (uint64_t)at, ram, (uint64_t)at,
		    (uint64_t)(end - at));
		at = end;
	}
	return r < 0 || errno == ENXIO ? r : -errno;
}

int
xen_restore(struct vmm *vmm, int ram, enum xen_role role, uint32_t *ret)
{
	unsigned char handle[XEN_HANDLE];
	uint32_t domain;
	int r;

	xen_owner_handle(vmm->site, role, handle);
	r = xen_domain_new(vmm->host, handle, &domain);
	if (r < 0)
		return r;
	r = xen_domain_furnish(vmm->host, domain, vmm->manifest.mem_mib);
	if (r == 0)
		r = fill_ram(vmm, ram, domain);
	if (r == 0)
		r = xen_state_put(vmm->host, domain, &vmm->state);
	if (r < 0)
		(void)xen_domain_end(vmm->host, domain);
	else
		*ret = domain;
	return r;
}

struct xen_note
xen_note_of(const struct vmm *vmm, enum xen_role role, uint32_t slot)
{
	struct xen_note note = {.role = role,
	    .parent = role == XEN_CLONE ? vmm->parent : XEN_NONE,
	    .slot = slot};

	memcpy(note.site, vmm->site, sizeof(note.site));
	(void)snprintf(note.reference, sizeof(note.reference), "%s",
	    vmm->manifest.reference);
	return note;
}

/* The parent of forks, which never runs. */
static int
make_parent(struct vmm *vmm, int ram)
{
	struct xen_note note = xen_note_of(vmm, XEN_REFERENCE, 0);
	int r = xen_restore(vmm, ram, XEN_REFERENCE, &vmm->parent);

	return r < 0 ? r
		     : xen_store_enter(
			   xen_host_store(vmm->host), vmm->parent, &note);
}

uint64_t
xen_available(const struct vmm *vmm)
{
	return xen_host_free(vmm->host);
}

static int
open_in(struct vmm *vmm, int dirfd, char *err, size_t err_size)
{
	CLEANUP(close_fd) int ram = -1;
	int r = manifest_read(dirfd, &vmm->manifest, err, err_size);

	if (r == 0)
		r = xen_host_open(&vmm->host, err, err_size);
	if (r == 0)
		r = check_fits(vmm, err, err_size);
	if (r < 0)
		return r;
	err[0] = '\0';
	r = load_state(vmm, dirfd, err, err_size);
	if (r == 0)
		r = manifest_load(
		    &vmm->manifest, dirfd, MANIFEST_RAM, &ram, err, err_size);
	if (r < 0)
		return r;
	r = xen_host_shares(vmm->host, vmm->site, err, err_size);
	if (r == -ENOTSUP) {
		vmm->ram = TAKE_FD(ram);
		return 0;
	}
	if (r == 0 && xen_domain_has_room(
			  vmm->host, vmm->manifest.mem_mib, err, err_size) < 0)
		return -ENOMEM;
	if (r == 0)
		r = make_parent(vmm, ram);
	if (r < 0)
		(void)snprintf(err, err_size, "no domain of it: %s",
		    r == -ENOMEM ? "Xen has too little free memory; give dom0 "
				   "less (dom0_mem=)"
				 : strerror(-r));
	return r;
}

int
xen_open_at(
    int dirfd, const char *state, struct vmm **ret, char *err, size_t err_size)
{
	struct vmm *vmm = xcalloc(1, sizeof(*vmm));
	int r;

	vmm->ram = -1;
	vmm->parent = XEN_NONE;
	(void)owner_site(state, vmm->site);
	xen_owner_handle(vmm->site, XEN_CLONE, vmm->handle);
	err[0] = '\0';
	r = open_in(vmm, dirfd, err, err_size);
	if (r < 0) {
		if (!err[0])
			(void)snprintf(err, err_size, "%s", strerror(-r));
		xen_close(vmm);
		return r;
	}
	*ret = vmm;
	return 0;
}

int
xen_open(const struct vmm_options *options, struct vmm **ret, char *err,
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
	r = xen_open_at(dirfd, options->state, ret, why, sizeof(why));
	if (r < 0)
		(void)snprintf(err, err_size, "%s: %s", path, why);
	return r;
}

void
xen_close(struct vmm *vmm)
{
	/* Forks of a parent that has gone read wrong octets. */
	assert(vmm->clones == 0);
	if (vmm->parent != XEN_NONE) {
		(void)xen_domain_end(vmm->host, vmm->parent);
		xen_store_forget(xen_host_store(vmm->host), vmm->parent);
	}
	xen_host_close(vmm->host);
	xen_state_done(&vmm->state);
	xen_state_done(&vmm->cpu);
	close_fd(&vmm->ram);
	manifest_done(&vmm->manifest);
	free(vmm);
}
