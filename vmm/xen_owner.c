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

enum whose {
	NOBODYS, /* there is no such domain */
	OURS,
	ANOTHERS, /* it has a number that was one of ours */
};

static enum whose
whose(struct xen_host *host, const char *site, uint32_t domain)
{
	unsigned char handle[XEN_HANDLE];
	enum xen_role role;
	uint32_t found = domain, start;
	pid_t pid;
	int r = xen_domain_next(host, &found, handle);

	if (r == -ESRCH || (r == 0 && found != domain))
		return NOBODYS;
	if (r < 0)
		return OURS; /* for all we know */
	return xen_owner_find(handle, site, &role, &pid, &start) ? OURS
								 : ANOTHERS;
}

/* A row that has outlived its domain; is_taken: that has its number by now. */
typedef void stale_fn(
    void *arg, uint32_t row, const struct xen_note *note, bool is_taken);

/* Those whose process died between the end of one and that of the other. */
static int
each_stale_row(
    struct xen_host *host, const char *site, stale_fn *each, void *arg)
{
	struct xen_store *store = xen_host_store(host);
	CLEANUP(free_ptr) uint32_t *rows = NULL;
	size_t n = 0;
	int r = xen_store_rows(store, &rows, &n);

	for (size_t i = 0; i < n; i++) {
		struct xen_note note;
		enum whose now;

		if (xen_store_read(store, rows[i], &note) < 0 ||
		    strcmp(note.site, site) != 0)
			continue;
		now = whose(host, site, rows[i]);
		if (now != OURS)
			each(arg, rows[i], &note, now == ANOTHERS);
	}
	return r;
}

static void
forget(void *arg, uint32_t row, const struct xen_note *note, bool is_taken)
{
	(void)note;
	if (is_taken)
		xen_store_forget_row(arg, row);
	else
		xen_store_forget(arg, row);
}

int
xen_reap(const struct vmm_options *options)
{
	struct xen_host *host;
	char site[OWNER_SITE_SIZE], why[256];
	int r = xen_host_open(&host, why, sizeof(why)), references, swept;

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
	swept = each_stale_row(host, site, forget, xen_host_store(host));
	xen_host_close(host);
	return r >= 0 && swept < 0 ? swept : r;
}

/* --- What is there, for people. */

struct listener {
	vmm_owned_fn *each;
	void *arg;
};

static void
tell(const struct listener *listener, const struct xen_note *note,
    const struct vmm_owned *known)
{
	struct vmm_owned owned = *known;

	owned.parent = note->parent;
	owned.slot = note->slot;
	owned.reference = note->reference;
	owned.mail = note->mail;
	owned.until_usec = note->until_usec;
	listener->each(listener->arg, &owned);
}

/* A domain; what its row adds, if it has one, is in words. */
static void
tell_domain(struct xen_host *host, uint32_t domain, const unsigned char *handle,
    const char *site, const struct listener *listener)
{
	struct xen_note note, none = {.parent = XEN_NONE};
	struct vmm_owned owned = {.domain = domain, .is_there = true};
	enum xen_role role;
	uint32_t start;

	if (!xen_owner_find(handle, site, &role, &owned.holder, &start))
		return;
	owned.is_clone = role == XEN_CLONE;
	owned.is_orphan = is_orphan(handle, site, role);
	owned.private_bytes = xen_domain_private(host, domain);
	if (xen_store_read(xen_host_store(host), domain, &note) < 0)
		note = none;
	tell(listener, &note, &owned);
}

static void
tell_row(void *arg, uint32_t row, const struct xen_note *note, bool is_taken)
{
	const struct vmm_owned owned = {.domain = row,
	    .is_clone = note->role == XEN_CLONE,
	    .holder = note->holder,
	    .is_orphan = owner_start_of(note->holder) != note->holder_start};

	(void)is_taken;
	tell(arg, note, &owned);
}

int
xen_owned(const struct vmm_options *options, vmm_owned_fn *each, void *arg)
{
	struct listener listener = {each, arg};
	unsigned char handle[XEN_HANDLE];
	struct xen_host *host;
	uint32_t domain = 0;
	char site[OWNER_SITE_SIZE], why[256];
	int r = xen_host_open(&host, why, sizeof(why));

	if (r < 0)
		return r;
	(void)owner_site(options->state, site);
	for (; (r = xen_domain_next(host, &domain, handle)) == 0; domain++)
		tell_domain(host, domain, handle, site, &listener);
	if (r == -ESRCH)
		r = each_stale_row(host, site, tell_row, &listener);
	xen_host_close(host);
	return r;
}
