#include "vmm/xen.h"
#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/prove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* As of QEMU's references (vmm/qemu_park.c). */
#define WARM_UP     20
#define FIRST_ORDER 1000000
#define LOOK_USEC   5000
/* A third of the boots that were seen under emulation were bad: so all of
 * these are in one of 81 builds. */
#define BOOTS_MAX 4

struct parking {
	const struct vmm_park *park;
	struct xen_host *host;
	uint32_t domain;
	struct xen_box box;
	struct mono end;
	char why[256]; /* the boot is refused; "": not by its guest */
};

static void
say(const struct parking *p, const char *what)
{
	if (p->park->step)
		p->park->step(what);
}

/* Let it go on for a while. */
static int
await(struct parking *p)
{
	if (mono_now().usec > p->end.usec)
		return -ETIMEDOUT;
	if (xen_domain_is_down(p->host, p->domain))
		return -ECHILD;
	(void)usleep(LOOK_USEC);
	return 0;
}

/* Until it polls, and has warmed up the way from an order to its answer. */
static int
await_agent(struct parking *p)
{
	int r = 0;

	p->box.words.order = FIRST_ORDER;
	while (r == 0 && !hostbox_is_parked(&p->box.words))
		r = await(p);
	if (r == 0)
		r = hostbox_is_fit(&p->box.words, p->why, sizeof(p->why));
	for (int i = 0; i < WARM_UP && r == 0; i++) {
		hostbox_order(&p->box.words, MAILBOX_PING, 0);
		while (
		    r == 0 && !(hostbox_look(&p->box.words) & HOSTBOX_ANSWER))
			r = await(p);
	}
	return r;
}

static int
boot(struct parking *p)
{
	const uint64_t box = (uint64_t)p->park->mem_mib << 20;
	int r = xen_domain_furnish(p->host, p->domain, p->park->mem_mib);

	if (r == 0)
		r = xen_kernel_load(
		    p->host, p->domain, p->park->dirfd, p->park->mem_mib);
	if (r == 0)
		r = xen_box_open(&p->box, p->host, p->domain, box);
	if (r < 0)
		return r;
	r = xen_domain_unpause(p->host, p->domain);
	if (r == 0)
		r = await_agent(p);
	return r < 0 ? r : xen_domain_pause(p->host, p->domain);
}

static int
create(const struct parking *p, enum manifest_file file)
{
	int fd = openat(p->park->dirfd, manifest_file_name(file),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : fd;
}

/* Pages of zeros become holes: memory that no restoring need copy. */
static int
keep_pages(const struct parking *p, int out, uint64_t end)
{
	static const char zeros[XEN_PAGE];
	uint64_t at = 0;
	int r = 0;

	while (at < end && r == 0) {
		uint64_t pages = (end - at) / XEN_PAGE;
		struct xen_map map;

		if (pages > XEN_CHUNK)
			pages = XEN_CHUNK;
		r = xen_map(p->host, p->domain, at, (size_t)pages, &map);
		if (r < 0)
			return r;
		for (uint64_t i = 0; i < pages && r == 0; i++) {
			const char *page = (char *)map.at + i * XEN_PAGE;

			if (memcmp(page, zeros, XEN_PAGE) != 0 &&
			    pwrite(out, page, XEN_PAGE,
				(off_t)(at + i * XEN_PAGE)) != XEN_PAGE)
				r = errno ? -errno : -EIO;
		}
		xen_unmap(p->host, &map);
		at += pages * XEN_PAGE;
	}
	return r;
}

static int
keep_ram(const struct parking *p)
{
	const uint64_t bytes = (uint64_t)p->park->mem_mib << 20;
	CLEANUP(close_fd) int out = create(p, MANIFEST_RAM);
	int r = out < 0 ? out : 0;

	if (r == 0 && ftruncate(out, (off_t)bytes) < 0)
		r = -errno;
	if (r == 0)
		r = keep_pages(p, out, bytes);
	return r < 0 || fsync(out) == 0 ? r : -errno;
}

static int
keep_state(const struct parking *p)
{
	CLEANUP(xen_state_done) struct xen_state state = {.octets = NULL};
	CLEANUP(close_fd) int out = create(p, MANIFEST_STATE);
	int r = out < 0 ? out : xen_state_get(p->host, p->domain, &state);

	if (r == 0)
		r = write_all(out, state.octets, state.n);
	return r < 0 || fsync(out) == 0 ? r : -errno;
}

static int
note(const struct parking *p)
{
	const struct vmm_park *park = p->park;
	struct manifest m = {.mailbox = MAILBOX_VERSION,
	    .mem_mib = park->mem_mib,
	    .tsc_khz = xen_host_khz(p->host),
	    .built_usec = wall_now().usec};
	int r;

	(void)snprintf(
	    m.reference, sizeof(m.reference), "%s", park->of.reference);
	(void)snprintf(m.backend, sizeof(m.backend), "%s", vmm_xen.name);
	(void)snprintf(m.accel, sizeof(m.accel), "%s", "hvm");
	(void)snprintf(m.recipe, sizeof(m.recipe), "%s", park->recipe);
	(void)xen_machine_digest(m.machine);
	(void)xen_host_version(p->host, m.hypervisor, sizeof(m.hypervisor));
	r = manifest_complete(park->dirfd, &m);
	manifest_done(&m);
	return r;
}

static int
park_in(struct parking *p)
{
	int r = boot(p);

	if (r == 0)
		say(p, "save its memory and the state of its processor");
	if (r == 0)
		r = keep_ram(p);
	if (r == 0)
		r = keep_state(p);
	if (r == 0)
		say(p, "write the digests of its files");
	return r < 0 ? r : note(p);
}

static const char *
in_words(int r)
{
	switch (r) {
	case -ETIMEDOUT:
		return "the agent has not come to its mailbox in time";
	case -ECHILD:
		return "the guest went down before its agent came";
	case -ENOEXEC:
		return "the kernel is no ELF image that can be booted so";
	case -EFBIG:
		return "kernel and initial RAM disk don't fit into its memory";
	case -ENOMEM:
		return "Xen has too little free memory; give dom0 less "
		       "(dom0_mem=)";
	default:
		return strerror(-r);
	}
}

/* Boot it in a domain of its own, and keep it. */
static int
park_once(struct parking *p, char *err, size_t err_size)
{
	const struct vmm_park *park = p->park;
	unsigned char handle[XEN_HANDLE];
	char site[OWNER_SITE_SIZE];
	int r;

	p->end.usec = mono_now().usec + park->patience_usec;
	p->why[0] = '\0';
	xen_owner_handle(
	    owner_site(park->of.state, site), XEN_REFERENCE, handle);
	r = xen_domain_new(p->host, handle, &p->domain);
	if (r == 0) {
		r = park_in(p);
		xen_box_close(&p->box);
		(void)xen_domain_end(p->host, p->domain);
	}
	if (r < 0)
		(void)snprintf(
		    err, err_size, "%s", p->why[0] ? p->why : in_words(r));
	return r;
}

/* Do its clones do what they should? */
static int
prove_it(const struct parking *p, char *err, size_t err_size)
{
	const struct vmm_park *park = p->park;
	struct vmm *vmm;
	int r;

	if (park->proofs[VMM_PROOF_SHELL] == 0 &&
	    park->proofs[VMM_PROOF_WINDOWS] == 0)
		return 0;
	say(p, "run known programs in clones of it");
	r = xen_open_at(park->dirfd, park->of.state, &vmm, err, err_size);
	if (r < 0)
		return r;
	r = prove_all(&vmm_xen, vmm, park->proofs, err, err_size);
	xen_close(vmm);
	return r;
}

/* As often as it takes, within reason. */
static int
park_well(struct parking *p, char *err, size_t err_size)
{
	int r = -EREMOTEIO;

	for (int boots = 0; r == -EREMOTEIO && boots < BOOTS_MAX; boots++) {
		if (boots > 0)
			say(p, err);
		r = park_once(p, err, err_size);
		if (r == 0)
			r = prove_it(p, err, err_size);
	}
	if (r < 0)
		(void)unlinkat(p->park->dirfd, MANIFEST_NAME, 0);
	return r;
}

int
xen_park(const struct vmm_park *park, char *err, size_t err_size)
{
	struct parking p = {.park = park};
	int r;

	if (faccessat(park->dirfd, "disk", F_OK, 0) == 0) {
		(void)snprintf(err, err_size,
		    "a domain has no device model, so no disk; this reference "
		    "was made for a back end with disks");
		return -EOPNOTSUPP;
	}
	r = xen_host_open(&p.host, err, err_size);
	if (r < 0)
		return r;
	r = xen_domain_has_room(p.host, park->mem_mib, err, err_size);
	if (r == 0)
		r = park_well(&p, err, err_size);
	xen_host_close(p.host);
	return r;
}
