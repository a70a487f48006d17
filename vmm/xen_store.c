#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xenstore.h>

/* One node a domain: each answer of xenstored takes as long as a third of a
 * fork. */
#define LEDGER "/sluice/vm"

struct xen_store {
	struct xs_handle *handle;
};

struct xen_store *
xen_store_open(void)
{
	struct xs_handle *handle = xs_open(0);
	struct xen_store *store;

	if (!handle)
		return NULL;
	store = xcalloc(1, sizeof(*store));
	store->handle = handle;
	return store;
}

void
xen_store_close(struct xen_store *store)
{
	if (!store)
		return;
	xs_close(store->handle);
	free(store);
}

static int
put(struct xen_store *store, char *path, char *text)
{
	bool ok = xs_write(
	    store->handle, XBT_NULL, path, text, (unsigned int)strlen(text));
	int r = ok ? 0 : errno ? -errno : -EIO;

	free(path);
	free(text);
	return r;
}

int
xen_store_note(
    struct xen_store *store, uint32_t domain, const struct xen_note *note)
{
	const bool is_clone = note->role == XEN_CLONE;
	const pid_t pid = getpid();
	CLEANUP(free_ptr)
	char *of =
	    is_clone ? xasprintf(" slot=%" PRIu32, note->slot) : xstrdup("");
	CLEANUP(free_ptr)
	char *parent = note->parent != XEN_NONE
			   ? xasprintf(" parent=%" PRIu32, note->parent)
			   : xstrdup("");
	int r = put(store, xasprintf(LEDGER "/%" PRIu32, domain),
	    xasprintf("pool=%s role=%s reference=%s%s%s holder=%d:%" PRIu64,
		note->site, is_clone ? "clone" : "reference", note->reference,
		parent, of, pid, owner_start_of(pid)));

	if (r < 0)
		return r;
	/* Where `xl list` looks. */
	return put(store, xasprintf("/local/domain/%" PRIu32 "/name", domain),
	    is_clone
		? xasprintf("sluice-%s-%" PRIu32, note->reference, note->slot)
		: xasprintf("sluice-%s", note->reference));
}

void
xen_store_forget(struct xen_store *store, uint32_t domain)
{
	CLEANUP(free_ptr)
	char *ledger = xasprintf(LEDGER "/%" PRIu32, domain);
	CLEANUP(free_ptr)
	char *own = xasprintf("/local/domain/%" PRIu32, domain);

	(void)xs_rm(store->handle, XBT_NULL, ledger);
	(void)xs_rm(store->handle, XBT_NULL, own);
}
