#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <ctype.h>
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
fault(void)
{
	return errno ? -errno : -EIO;
}

/* Both texts are freed. */
static int
put(struct xen_store *store, char *path, char *text)
{
	bool ok = xs_write(
	    store->handle, XBT_NULL, path, text, (unsigned int)strlen(text));
	int r = ok ? 0 : fault();

	free(path);
	free(text);
	return r;
}

static char *
row_of(uint32_t domain)
{
	return xasprintf(LEDGER "/%" PRIu32, domain);
}

/* A word of the ledger: who names mails may have had other ideas. */
static void
be_word(char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_.@", *text))
			*text = '_';
}

/* What a run adds; allocated. */
static char *
run_words(const struct xen_note *note)
{
	struct xen_note word = *note;

	be_word(word.mail);
	if (note->until_usec == 0)
		return xstrdup("");
	return xasprintf(" mail=%s until=%" PRIu64,
	    word.mail[0] ? word.mail : "?", note->until_usec / USEC_PER_SEC);
}

int
xen_store_note(struct xen_store *store, uint32_t domain, struct xen_note *note)
{
	const bool is_clone = note->role == XEN_CLONE;
	CLEANUP(free_ptr)
	char *slot =
	    is_clone ? xasprintf(" slot=%" PRIu32, note->slot) : xstrdup("");
	CLEANUP(free_ptr)
	char *parent = note->parent != XEN_NONE
			   ? xasprintf(" parent=%" PRIu32, note->parent)
			   : xstrdup("");
	CLEANUP(free_ptr) char *run = run_words(note);

	note->holder = getpid();
	note->holder_start = owner_start_of(note->holder);
	return put(store, row_of(domain),
	    xasprintf("pool=%s role=%s reference=%s%s%s holder=%d:%" PRIu64
		      "%s",
		note->site, is_clone ? "clone" : "reference", note->reference,
		parent, slot, note->holder, note->holder_start, run));
}

int
xen_store_name(
    struct xen_store *store, uint32_t domain, const struct xen_note *note)
{
	return put(store, xasprintf("/local/domain/%" PRIu32 "/name", domain),
	    note->role == XEN_CLONE
		? xasprintf("sluice-%s-%" PRIu32, note->reference, note->slot)
		: xasprintf("sluice-%s", note->reference));
}

int
xen_store_enter(struct xen_store *store, uint32_t domain, struct xen_note *note)
{
	int r = note->is_written ? 0 : xen_store_note(store, domain, note);

	if (!note->is_named && r == 0)
		r = xen_store_name(store, domain, note);
	note->is_written = note->is_named = true;
	return r;
}

static void
take_text(char *to, size_t size, const char *value)
{
	(void)snprintf(to, size, "%s", value);
}

static void
take_word(struct xen_note *note, const char *name, const char *value)
{
	if (strcmp(name, "pool") == 0)
		take_text(note->site, sizeof(note->site), value);
	else if (strcmp(name, "role") == 0)
		note->role = strcmp(value, "clone") == 0       ? XEN_CLONE
			     : strcmp(value, "reference") == 0 ? XEN_REFERENCE
							       : 0;
	else if (strcmp(name, "reference") == 0)
		take_text(note->reference, sizeof(note->reference), value);
	else if (strcmp(name, "parent") == 0)
		note->parent = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(name, "slot") == 0)
		note->slot = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(name, "mail") == 0)
		take_text(note->mail, sizeof(note->mail), value);
	else if (strcmp(name, "until") == 0)
		note->until_usec = strtoull(value, NULL, 10) * USEC_PER_SEC;
	else if (strcmp(name, "holder") == 0)
		(void)sscanf(
		    value, "%d:%" SCNu64, &note->holder, &note->holder_start);
}

/* Words that are not known are a later version's. */
static int
parse(char *text, struct xen_note *ret)
{
	struct xen_note note = {.parent = XEN_NONE};
	char *save = NULL;

	for (char *word = strtok_r(text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		take_word(&note, word, value);
	}
	if (!note.site[0] || !note.role || note.holder <= 0)
		return -EBADMSG;
	*ret = note;
	return 0;
}

int
xen_store_read(struct xen_store *store, uint32_t domain, struct xen_note *ret)
{
	CLEANUP(free_ptr) char *path = row_of(domain);
	CLEANUP(free_ptr) char *text = NULL;
	unsigned int n;

	text = xs_read(store->handle, XBT_NULL, path, &n);
	return text ? parse(text, ret) : fault();
}

int
xen_store_rows(struct xen_store *store, uint32_t **ret, size_t *ret_n)
{
	unsigned int n = 0;
	char **names = xs_directory(store->handle, XBT_NULL, LEDGER, &n);
	uint32_t *list;

	if (!names && errno != ENOENT)
		return fault();
	list = xcalloc(n + 1, sizeof(*list));
	for (unsigned int i = 0; i < n; i++)
		list[i] = (uint32_t)strtoul(names[i], NULL, 10);
	free(names);
	*ret = list;
	*ret_n = n;
	return 0;
}

void
xen_store_forget_row(struct xen_store *store, uint32_t domain)
{
	CLEANUP(free_ptr) char *row = row_of(domain);

	(void)xs_rm(store->handle, XBT_NULL, row);
}

void
xen_store_forget(struct xen_store *store, uint32_t domain)
{
	CLEANUP(free_ptr)
	char *own = xasprintf("/local/domain/%" PRIu32, domain);

	xen_store_forget_row(store, domain);
	(void)xs_rm(store->handle, XBT_NULL, own);
}
