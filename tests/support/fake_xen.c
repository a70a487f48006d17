#include "tests/support/fake_xen.h"

#include "vmm/mailbox.h"
#include "vmm/xen_host_priv.h"

#include <errno.h>
#include <string.h>

#include <xen/hvm/save.h>
#include <xenstore.h>

#define DOMAINS    64
#define FIRST      10
#define PAGE       4096u
#define BOX_FRAME  256u /* of a guest with 1 MiB */
#define ARENA      (4u << 20)
#define XSAVE      16
#define XSAVE_SIZE 64

static struct {
	bool is_there[DOMAINS];
	bool is_down;
	int maps;
	int bad_page, bad_error;
	const char *name; /* which fails; NULL: any */
	unsigned int left;
	int error;
	bool has_failed, at_end;
} fake;

static _Alignas(4096) unsigned char arena[ARENA];

/* What --wrap puts in the place of each call. */
#define WRAP(type, name, ...) \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

void
fake_xen_begin(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(arena, 0, sizeof(arena));
	fake.bad_page = -1;
}

void
fake_xen_fail(const char *name, unsigned int nth, int error)
{
	fake.name = name;
	fake.left = nth;
	fake.error = error;
}

void
fake_xen_fail_nth(unsigned int nth, int error)
{
	fake_xen_fail(NULL, nth, error);
}

bool
fake_xen_has_failed(void)
{
	return fake.has_failed;
}

int
fake_xen_failed_at_end(void)
{
	return fake.at_end;
}

void
fake_xen_bad_page(int page, int error)
{
	fake.bad_page = page;
	fake.bad_error = error;
}

void
fake_xen_go_down(void)
{
	fake.is_down = true;
	memset(arena, 0, sizeof(arena));
}

int
fake_xen_domains(void)
{
	int n = 0;

	for (int i = 0; i < DOMAINS; i++)
		n += fake.is_there[i];
	return n;
}

int
fake_xen_maps(void)
{
	return fake.maps;
}

static bool
fails(const char *name)
{
	if (fake.left == 0 || (fake.name && strcmp(fake.name, name) != 0) ||
	    --fake.left > 0)
		return false;
	fake.has_failed = true;
	fake.at_end = strcmp(name, "xc_domain_destroy") == 0;
	errno = fake.error;
	return true;
}

#define CALL(name) return fails(#name) ? -1 : 0

/* --- Domains. */

WRAP(int, xc_domain_create, xc_interface *x, uint32_t *domain,
    struct xen_domctl_createdomain *make)
{
	(void)x;
	(void)make;
	if (fails("xc_domain_create"))
		return -1;
	for (uint32_t i = FIRST; i < DOMAINS; i++)
		if (!fake.is_there[i]) {
			fake.is_there[i] = true;
			*domain = i;
			return 0;
		}
	errno = ENOMEM;
	return -1;
}

WRAP(int, xc_domain_destroy, xc_interface *x, uint32_t domain)
{
	(void)x;
	if (fails("xc_domain_destroy"))
		return -1;
	if (domain >= DOMAINS || !fake.is_there[domain]) {
		errno = ESRCH;
		return -1;
	}
	fake.is_there[domain] = false;
	return 0;
}

WRAP(int, xc_domain_set_tsc_info, xc_interface *x, uint32_t domain,
    uint32_t mode, uint64_t nsec, uint32_t khz, uint32_t incarnation)
{
	(void)x, (void)domain, (void)mode, (void)nsec, (void)khz;
	(void)incarnation;
	CALL(xc_domain_set_tsc_info);
}

WRAP(int, xc_memshr_control, xc_interface *x, uint32_t domain, int enable)
{
	(void)x, (void)domain, (void)enable;
	CALL(xc_memshr_control);
}

WRAP(int, xc_memshr_fork, xc_interface *x, uint32_t parent, uint32_t domain,
    bool iommu, bool block)
{
	(void)x, (void)parent, (void)domain, (void)iommu, (void)block;
	CALL(xc_memshr_fork);
}

WRAP(int, xc_domain_pause, xc_interface *x, uint32_t domain)
{
	(void)x, (void)domain;
	CALL(xc_domain_pause);
}

WRAP(int, xc_domain_unpause, xc_interface *x, uint32_t domain)
{
	struct mailbox *box = (void *)arena;

	(void)x, (void)domain;
	if (fails("xc_domain_unpause"))
		return -1;
	if (box->command == MAILBOX_RUN) {
		memcpy(arena + MAILBOX_REPORT_AT, FAKE_XEN_REPORT,
		    strlen(FAKE_XEN_REPORT));
		box->report_bytes = (uint32_t)strlen(FAKE_XEN_REPORT);
	}
	box->state =
	    box->command == MAILBOX_RUN ? MAILBOX_ENDED : MAILBOX_PARKED;
	box->answer = box->order;
	return 0;
}

WRAP(int, xc_domain_getinfolist, xc_interface *x, uint32_t first,
    unsigned int max, xc_domaininfo_t *ret)
{
	(void)x, (void)max;
	if (fails("xc_domain_getinfolist"))
		return -1;
	for (uint32_t i = first; i < DOMAINS; i++)
		if (fake.is_there[i]) {
			*ret = (xc_domaininfo_t){.domain = (domid_t)i,
			    .flags = fake.is_down ? XEN_DOMINF_shutdown : 0,
			    .tot_pages = 100};
			return 1;
		}
	return 0;
}

WRAP(int, xc_get_paging_mempool_size, xc_interface *x, uint32_t domain,
    uint64_t *ret)
{
	(void)x, (void)domain;
	*ret = 0;
	CALL(xc_get_paging_mempool_size);
}

/* --- The state: header, processor, its registers, end. */

static uint32_t
add(uint8_t *buf, uint32_t at, uint16_t code, uint32_t n)
{
	const struct hvm_save_descriptor d = {.typecode = code, .length = n};

	if (buf)
		memcpy(buf + at, &d, sizeof(d));
	return at + (uint32_t)sizeof(d) + n;
}

static uint32_t
make_state(uint8_t *buf, uint32_t *ret_cpu_end)
{
	uint32_t at =
	    add(buf, 0, HVM_SAVE_CODE(HEADER), HVM_SAVE_LENGTH(HEADER));

	at = add(buf, at, HVM_SAVE_CODE(CPU), HVM_SAVE_LENGTH(CPU));
	*ret_cpu_end = at;
	at = add(buf, at, XSAVE, XSAVE_SIZE);
	return add(buf, at, HVM_SAVE_CODE(END), 0);
}

uint32_t
fake_xen_cpu_end(void)
{
	uint32_t end;

	(void)make_state(NULL, &end);
	return end;
}

WRAP(int, xc_domain_hvm_getcontext, xc_interface *x, uint32_t domain,
    uint8_t *buf, uint32_t size)
{
	uint32_t end;

	(void)x, (void)domain, (void)size;
	if (fails("xc_domain_hvm_getcontext"))
		return -1;
	return (int)make_state(buf, &end);
}

WRAP(int, xc_domain_hvm_setcontext, xc_interface *x, uint32_t domain,
    uint8_t *buf, uint32_t size)
{
	(void)x, (void)domain, (void)buf, (void)size;
	CALL(xc_domain_hvm_setcontext);
}

/* --- Memory. */

WRAP(void *, xenforeignmemory_map, xenforeignmemory_handle *h, uint32_t domain,
    int prot, size_t pages, const xen_pfn_t frames[], int errors[])
{
	uint64_t at = (frames[0] % BOX_FRAME) * PAGE;

	(void)h, (void)domain, (void)prot;
	/* The mailbox begins at BOX_FRAME, and is what the arena holds. */
	if (frames[0] >= BOX_FRAME)
		at = (frames[0] - BOX_FRAME) * PAGE;
	if (fails("xenforeignmemory_map") || at + pages * PAGE > ARENA)
		return NULL;
	for (size_t i = 0; i < pages; i++)
		errors[i] = (int)i == fake.bad_page ? fake.bad_error : 0;
	fake.maps++;
	return arena + at;
}

WRAP(int, xenforeignmemory_unmap, xenforeignmemory_handle *h, void *at,
    size_t pages)
{
	(void)h, (void)at, (void)pages;
	fake.maps--;
	return 0;
}

/* --- xenstored. */

WRAP(struct xs_handle *, xs_open, unsigned long flags)
{
	(void)flags;
	return fails("xs_open") ? NULL : (void *)arena;
}

WRAP(void, xs_close, struct xs_handle *h)
{
	(void)h;
}

WRAP(bool, xs_write, struct xs_handle *h, xs_transaction_t t, const char *path,
    const void *data, unsigned int n)
{
	(void)h, (void)t, (void)path, (void)data, (void)n;
	return !fails("xs_write");
}

WRAP(bool, xs_rm, struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h, (void)t, (void)path;
	return !fails("xs_rm");
}
