#include "vmm/xen_host_priv.h"
#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/hvm/params.h>

/* All that Xen emulates itself, so that no device model is needed.  Xen 4.17
 * takes this set for a domain, or the local APIC alone. */
#define EMULATED (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)
/* Tables of nested paging: one page for 2 MiB, and some above them.  Each fork
 * gets as many as its parent has, so not more than needed. */
#define PAGING_SPARE 64u
/* Of pages that Xen counts for a domain and that are no RAM: special ones. */
#define SPARE_KIB 1024
/* XEN_CPUID_TSC_MODE_NEVER_EMULATE.  Fork and parent must have one mode before
 * the fork: it copies the clock before the mode, and a clock that is emulated
 * in one of them alone jumps by tens of seconds. */
#define TSC_NATIVE 2
/* Ticks that were missed are not made up for, as libxl has it. */
#define TIMER_NO_DELAY 1
#define LIST           64

static int
error_of(int r)
{
	return r == 0 ? 0 : errno ? -errno : -EIO;
}

int
xen_domain_new(
    struct xen_host *host, const unsigned char *handle, uint32_t *ret_domain)
{
	struct xen_domctl_createdomain make = {.flags = XEN_DOMCTL_CDF_hvm |
							XEN_DOMCTL_CDF_hap |
							XEN_DOMCTL_CDF_oos_off,
	    .max_vcpus = 1,
	    .max_evtchn_port = 1023,
	    .max_grant_frames = 4,
	    .grant_opts = XEN_DOMCTL_GRANT_version(1),
	    .arch = {.emulation_flags = EMULATED}};
	uint32_t domain = 0;
	int r;

	memcpy(make.handle, handle, sizeof(make.handle));
	r = error_of(xc_domain_create(host->xch, &domain, &make));
	if (r < 0)
		return r;
	r = error_of(
	    xc_domain_set_tsc_info(host->xch, domain, TSC_NATIVE, 0, 0, 0));
	if (r < 0)
		(void)xen_domain_end(host, domain);
	else
		*ret_domain = domain;
	return r;
}

static uint64_t
paging_bytes(uint64_t end)
{
	const uint64_t mib = UINT64_C(1) << 20;
	uint64_t bytes = ((end >> 21) + PAGING_SPARE) * XEN_PAGE;

	return (bytes + mib - 1) / mib * mib;
}

static int
populate(struct xen_host *host, uint32_t domain, uint64_t end)
{
	size_t n = (size_t)(end / XEN_PAGE);
	CLEANUP(free_ptr) xen_pfn_t *frames = xcalloc(n, sizeof(*frames));

	for (size_t i = 0; i < n; i++)
		frames[i] = i;
	/* It says the number that it could make, or -1. */
	return xc_domain_populate_physmap_exact(
		   host->xch, domain, n, 0, 0, frames) == 0
		   ? 0
		   : -ENOMEM;
}

/* Xen erases pages of domains that have died; those that a living one gave
 * back are as it left them. */
static int
clear(struct xen_host *host, uint32_t domain, uint64_t end)
{
	uint64_t at = 0;

	while (at < end) {
		uint64_t pages = (end - at) / XEN_PAGE;
		struct xen_map map;
		int r;

		if (pages > XEN_CHUNK)
			pages = XEN_CHUNK;
		r = xen_map(host, domain, at, (size_t)pages, &map);
		if (r < 0)
			return r;
		memset(map.at, 0, (size_t)pages * XEN_PAGE);
		xen_unmap(host, &map);
		at += pages * XEN_PAGE;
	}
	return 0;
}

int
xen_domain_has_room(
    struct xen_host *host, uint32_t mib, char *err, size_t err_size)
{
	const uint64_t end = ((uint64_t)mib << 20) + MAILBOX_BYTES;
	const uint64_t takes = end + paging_bytes(end) + SPARE_KIB * 1024;
	const uint64_t has = xen_host_free(host);

	if (has == 0 || takes <= has)
		return 0;
	(void)snprintf(err, err_size,
	    "a domain of it takes %llu MiB, and Xen has %llu free; give dom0 "
	    "less (dom0_mem=)",
	    (unsigned long long)takes >> 20, (unsigned long long)has >> 20);
	return -ENOMEM;
}

int
xen_domain_furnish(struct xen_host *host, uint32_t domain, uint32_t mib)
{
	xc_interface *x = host->xch;
	const uint64_t end = ((uint64_t)mib << 20) + MAILBOX_BYTES;
	int r = error_of(xc_domain_max_vcpus(x, domain, 1));

	if (r == 0)
		r = error_of(
		    xc_domain_setmaxmem(x, domain, end / 1024 + SPARE_KIB));
	if (r == 0)
		r = error_of(
		    xc_set_paging_mempool_size(x, domain, paging_bytes(end)));
	if (r == 0)
		r = error_of(xc_cpuid_apply_policy(
		    x, domain, false, NULL, 0, true, true, false, NULL, NULL));
	if (r == 0)
		r = error_of(xc_hvm_param_set(
		    x, domain, HVM_PARAM_TIMER_MODE, TIMER_NO_DELAY));
	if (r == 0)
		r = populate(host, domain, end);
	return r < 0 ? r : clear(host, domain, end);
}

int
xen_domain_fork(struct xen_host *host, uint32_t parent, uint32_t domain)
{
	/* Interrupts stay: a clone sleeps and wakes by its timer.  An IOMMU in
	 * the host is no matter to a domain without devices. */
	int r =
	    error_of(xc_memshr_fork(host->xch, parent, domain, true, false));

	return r == -ENOSYS || r == -EOPNOTSUPP || r == -ENODEV ? -ENOTSUP : r;
}

int
xen_domain_reset(struct xen_host *host, uint32_t domain)
{
	return error_of(xc_memshr_fork_reset(host->xch, domain, true, true));
}

int
xen_domain_pause(struct xen_host *host, uint32_t domain)
{
	return error_of(xc_domain_pause(host->xch, domain));
}

int
xen_domain_unpause(struct xen_host *host, uint32_t domain)
{
	return error_of(xc_domain_unpause(host->xch, domain));
}

static bool
look(struct xen_host *host, uint32_t domain, xc_domaininfo_t *ret)
{
	return xc_domain_getinfolist(host->xch, domain, 1, ret) == 1 &&
	       ret->domain == domain;
}

bool
xen_domain_is_down(struct xen_host *host, uint32_t domain)
{
	xc_domaininfo_t info;

	return !look(host, domain, &info) ||
	       (info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying));
}

uint64_t
xen_domain_private(struct xen_host *host, uint32_t domain)
{
	xc_domaininfo_t info;
	uint64_t paging = 0;

	if (!look(host, domain, &info))
		return 0;
	(void)xc_get_paging_mempool_size(host->xch, domain, &paging);
	return info.tot_pages * XEN_PAGE + paging;
}

int
xen_domain_end(struct xen_host *host, uint32_t domain)
{
	int r;

	/* Xen gives memory back piece by piece, and lets us go in between. */
	do {
		r = error_of(xc_domain_destroy(host->xch, domain));
	} while (r == -EAGAIN || r == -EINTR);
	return r == -ESRCH ? 0 : r;
}

int
xen_domain_next(struct xen_host *host, uint32_t *domain, unsigned char *handle)
{
	xc_domaininfo_t info;
	int n = xc_domain_getinfolist(host->xch, *domain, 1, &info);

	if (n < 1)
		return n < 0 ? -errno : -ESRCH;
	*domain = info.domain;
	memcpy(handle, info.handle, XEN_HANDLE);
	return 0;
}

int
xen_map(struct xen_host *host, uint32_t domain, uint64_t address, size_t pages,
    struct xen_map *ret)
{
	xen_pfn_t frames[XEN_CHUNK] = {0};
	int errors[XEN_CHUNK] = {0};
	void *at;

	assert(pages > 0 && pages <= XEN_CHUNK && address % XEN_PAGE == 0);
	for (size_t i = 0; i < pages; i++)
		frames[i] = address / XEN_PAGE + i;
	at = xenforeignmemory_map(host->memory, domain, PROT_READ | PROT_WRITE,
	    pages, frames, errors);
	if (!at)
		return error_of(-1);
	for (size_t i = 0; i < pages; i++)
		if (errors[i] != 0) {
			(void)xenforeignmemory_unmap(host->memory, at, pages);
			return errors[i] < 0 ? errors[i] : -errors[i];
		}
	*ret = (struct xen_map){.at = at, .pages = pages};
	return 0;
}

void
xen_unmap(struct xen_host *host, struct xen_map *map)
{
	if (map->at)
		(void)xenforeignmemory_unmap(host->memory, map->at, map->pages);
	*map = (struct xen_map){.at = NULL};
}

int
xen_fill(struct xen_host *host, uint32_t domain, uint64_t address, int fd,
    uint64_t from, uint64_t n)
{
	int r = 0;

	while (n > 0 && r == 0) {
		uint64_t skip = address % XEN_PAGE;
		uint64_t some = (uint64_t)XEN_CHUNK * XEN_PAGE - skip;
		struct xen_map map;

		if (some > n)
			some = n;
		r = xen_map(host, domain, address - skip,
		    (size_t)((skip + some + XEN_PAGE - 1) / XEN_PAGE), &map);
		if (r < 0)
			return r;
		r = pread_all(fd, (char *)map.at + skip, (size_t)some, from);
		xen_unmap(host, &map);
		address += some;
		from += some;
		n -= some;
	}
	return r;
}
