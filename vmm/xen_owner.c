#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <string.h>

#define MARK "SLUX"

/* Where in a handle: mark, site, process, role with its start. */
#define SITE_AT  4
#define PID_AT   8
#define START_AT 12
#define ROLE_AT \
	15 /* the start's highest octet: 2^24 ticks are two days, \
	      and a process number comes again later than that */
#define START_MASK 0xffffffu

static uint32_t
site_number(const char *site)
{
	return (uint32_t)strtoul(site, NULL, 16);
}

void
xen_owner_handle(
    const char *site, enum xen_role role, unsigned char *ret_handle)
{
	const uint32_t number = site_number(site);
	const uint32_t pid = (uint32_t)getpid();
	const uint32_t start = (uint32_t)owner_start_of(getpid());

	memcpy(ret_handle, MARK, SITE_AT);
	memcpy(ret_handle + SITE_AT, &number, sizeof(number));
	memcpy(ret_handle + PID_AT, &pid, sizeof(pid));
	memcpy(ret_handle + START_AT, &start, sizeof(start));
	ret_handle[ROLE_AT] = (unsigned char)role;
}

bool
xen_owner_find(const unsigned char *handle, const char *site,
    enum xen_role *ret_role, pid_t *ret_pid, uint32_t *ret_start)
{
	uint32_t number, pid, start;
	const unsigned char role = handle[ROLE_AT];

	memcpy(&number, handle + SITE_AT, sizeof(number));
	memcpy(&pid, handle + PID_AT, sizeof(pid));
	memcpy(&start, handle + START_AT, sizeof(start));
	if (memcmp(handle, MARK, SITE_AT) != 0 || number != site_number(site) ||
	    (role != XEN_REFERENCE && role != XEN_CLONE))
		return false;
	*ret_role = (enum xen_role)role;
	*ret_pid = (pid_t)pid;
	*ret_start = start & START_MASK;
	return true;
}

static bool
is_orphan(const unsigned char *handle, const char *site, enum xen_role role)
{
	enum xen_role its_role;
	uint32_t start;
	pid_t pid;

	return xen_owner_find(handle, site, &its_role, &pid, &start) &&
	       its_role == role && (owner_start_of(pid) & START_MASK) != start;
}

/* End the orphans of that role.  Their number, or -errno. */
static int
end_orphans(struct xen_host *host, const char *site, enum xen_role role)
{
	unsigned char handle[XEN_HANDLE];
	uint32_t domain = 0;
	int found = 0, worst = 0, r;

	for (; (r = xen_domain_next(host, &domain, handle)) == 0; domain++) {
		if (!is_orphan(handle, site, role))
			continue;
		found++;
		r = xen_domain_end(host, domain);
		if (r < 0)
			worst = r;
		else
			xen_store_forget(xen_host_store(host), domain);
	}
	if (r != -ESRCH)
		return r;
	return worst < 0 ? worst : found;
}

int
xen_reap(const struct vmm_options *options)
{
	struct xen_host *host;
	char site[OWNER_SITE_SIZE], why[256];
	int r = xen_host_open(&host, why, sizeof(why)), references;

	if (r < 0)
		return r;
	(void)owner_site(options->state, site);
	/* A parent that goes before a fork of it leaves that with wrong
	 * octets, and Xen doesn't mind: if a fork stays, so does its parent. */
	r = end_orphans(host, site, XEN_CLONE);
	if (r >= 0) {
		references = end_orphans(host, site, XEN_REFERENCE);
		r = references < 0 ? references : r + references;
	}
	xen_host_close(host);
	return r;
}
