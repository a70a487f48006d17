#include "tests/support/fake_xen.h"

#include "common/io.h"
#include "vmm/mailbox.h"
#include "vmm/xen_host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DOMAINS 64
#define FIRST   10
#define HANDLE  16
#define PAGE    4096u
#define BOX_AT  ((uint64_t)FAKE_XEN_MIB << 20)
/* What lies above is forgotten: all of it is one window. */
#define ARENA  (2 * BOX_AT)
#define WINDOW (1u << 20)
/* A wait of the code under test takes no longer than this. */
#define WAIT_USEC 200

static struct {
	bool is_there[DOMAINS];
	unsigned char handles[DOMAINS][HANDLE];
	bool is_down;
	int maps, opened;
	int bad_page, bad_error;
	xentoollog_logger *logger;
	const char *name; /* which fails; NULL: any */
	unsigned int left;
	int error;
	bool has_failed, at_end, was_window;
} fake;

struct fake_xen_host fake_xen_host;

static _Alignas(4096) unsigned char arena[ARENA + WINDOW];

void
fake_xen_begin(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(arena, 0, sizeof(arena));
	fake.bad_page = -1;
	fake_xen_host = (struct fake_xen_host){.type = "xen\n",
	    .capabilities = "control_d\n",
	    .can = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap,
	    .free_pages = 1u << 20};
	fake_xenstore_begin();
}

void
fake_xen_fail(const char *name, unsigned int nth, int error)
{
	fake.name = name;
	fake.left = nth;
	fake.error = error;
	fake.has_failed = false;
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
	memset(arena + BOX_AT, 0, sizeof(struct mailbox));
}

void
fake_xen_come_up(void)
{
	fake.is_down = fake_xen_host.is_mute = false;
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

int
fake_xen_opened(void)
{
	return fake.opened;
}

unsigned char *
fake_xen_memory(void)
{
	return arena;
}

uint32_t
fake_xen_add(const unsigned char *handle)
{
	for (uint32_t i = FIRST; i < DOMAINS; i++)
		if (!fake.is_there[i]) {
			fake.is_there[i] = true;
			memcpy(fake.handles[i], handle, HANDLE);
			return i;
		}
	return 0;
}

bool
fake_xen_fails(const char *name)
{
	if (fake.left == 0 || (fake.name && strcmp(fake.name, name) != 0) ||
	    --fake.left > 0)
		return false;
	fake.has_failed = true;
	fake.at_end = strcmp(name, "xc_domain_destroy") == 0;
	/* The libraries say it to whoever has opened them. */
	if (fake.logger)
		xtl_log(fake.logger, XTL_ERROR, fake.error, "fake", "%s", name);
	errno = fake.error;
	return true;
}

/* --- What a dom0 is known by. */

int __real_open(const char *path, int flags, ...);

static int
small_file(const char *text)
{
	int fd = text ? memfd_new("fake") : -1;

	if (!text)
		errno = ENOENT;
	else if (write_all(fd, text, strlen(text)) < 0 ||
		 lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

WRAP(int, open, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (strcmp(path, "/sys/hypervisor/type") == 0)
		return small_file(fake_xen_host.type);
	if (strcmp(path, "/proc/xen/capabilities") == 0)
		return small_file(fake_xen_host.capabilities);
	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return __real_open(path, flags, mode);
}

int __real_usleep(useconds_t usec);

WRAP(int, usleep, useconds_t usec)
{
	return __real_usleep(usec < WAIT_USEC ? usec : WAIT_USEC);
}

/* Nothing here is to outlive a test. */
WRAP(int, fsync, int fd)
{
	(void)fd;
	CALL(fsync);
}

/* --- The libraries. */

static void *
opens(const char *name)
{
	if (fake_xen_fails(name))
		return NULL;
	fake.opened++;
	return arena;
}

WRAP(xc_interface *, xc_interface_open, xentoollog_logger *logger,
    xentoollog_logger *dombuild, unsigned int flags)
{
	(void)dombuild, (void)flags;
	fake.logger = logger;
	return opens("xc_interface_open");
}

WRAP(int, xc_interface_close, xc_interface *x)
{
	(void)x;
	fake.logger = NULL;
	fake.opened--;
	return 0;
}

WRAP(xenforeignmemory_handle *, xenforeignmemory_open,
    xentoollog_logger *logger, unsigned int flags)
{
	(void)logger, (void)flags;
	return opens("xenforeignmemory_open");
}

WRAP(int, xenforeignmemory_close, xenforeignmemory_handle *h)
{
	(void)h;
	fake.opened--;
	return 0;
}

WRAP(int, xc_physinfo, xc_interface *x, xc_physinfo_t *ret)
{
	(void)x;
	*ret = (xc_physinfo_t){.cpu_khz = 1000000,
	    .capabilities = fake_xen_host.can,
	    .free_pages = fake_xen_host.free_pages,
	    .outstanding_pages = fake_xen_host.outstanding_pages};
	CALL(xc_physinfo);
}

WRAP(int, xc_version, xc_interface *x, int cmd, void *arg)
{
	(void)x;
	if (fake_xen_fails("xc_version"))
		return -1;
	if (cmd == XENVER_version)
		return 4 << 16 | 17;
	memcpy(arg, ".5", 3);
	return 0;
}

/* --- Domains. */

WRAP(int, xc_domain_create, xc_interface *x, uint32_t *domain,
    struct xen_domctl_createdomain *make)
{
	(void)x;
	if (fake_xen_fails("xc_domain_create"))
		return -1;
	memset(arena + BOX_AT, 0, sizeof(struct mailbox));
	*domain = fake_xen_add(make->handle);
	if (*domain)
		return 0;
	errno = ENOMEM;
	return -1;
}

WRAP(int, xc_domain_destroy, xc_interface *x, uint32_t domain)
{
	(void)x;
	if (fake_xen_fails("xc_domain_destroy"))
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
	errno = fake_xen_host.no_sharing;
	if (errno)
		return -1;
	CALL(xc_memshr_control);
}

WRAP(int, xc_memshr_fork, xc_interface *x, uint32_t parent, uint32_t domain,
    bool iommu, bool block)
{
	(void)x, (void)parent, (void)domain, (void)iommu, (void)block;
	CALL(xc_memshr_fork);
}

WRAP(int, xc_memshr_fork_reset, xc_interface *x, uint32_t domain,
    bool reset_state, bool reset_memory)
{
	(void)x, (void)domain;
	if (fake_xen_fails("xc_memshr_fork_reset"))
		return -1;
	/* What is mapped isn't reset. */
	if (reset_state && reset_memory && fake.maps == 0)
		memset(arena + BOX_AT, 0, sizeof(struct mailbox));
	return 0;
}

WRAP(int, xc_domain_max_vcpus, xc_interface *x, uint32_t domain, unsigned int n)
{
	(void)x, (void)domain, (void)n;
	CALL(xc_domain_max_vcpus);
}

WRAP(int, xc_domain_setmaxmem, xc_interface *x, uint32_t domain, uint64_t kib)
{
	(void)x, (void)domain, (void)kib;
	CALL(xc_domain_setmaxmem);
}

WRAP(int, xc_cpuid_apply_policy, xc_interface *x, uint32_t domain, bool restore,
    const uint32_t *featureset, unsigned int n, bool pae, bool itsc,
    bool nested_virt, const struct xc_xend_cpuid *cpuid,
    const struct xc_msr *msr)
{
	(void)x, (void)domain, (void)restore, (void)featureset, (void)n;
	(void)pae, (void)itsc, (void)nested_virt, (void)cpuid, (void)msr;
	CALL(xc_cpuid_apply_policy);
}

WRAP(int, xc_hvm_param_set, xc_interface *x, uint32_t domain, uint32_t param,
    uint64_t value)
{
	(void)x, (void)domain, (void)param, (void)value;
	CALL(xc_hvm_param_set);
}

WRAP(int, xc_domain_populate_physmap_exact, xc_interface *x, uint32_t domain,
    unsigned long n, unsigned int order, unsigned int flags, xen_pfn_t *frames)
{
	(void)x, (void)domain, (void)order, (void)flags, (void)frames;
	if (fake.logger)
		xtl_progress(fake.logger, "fake", "populate", n, n);
	CALL(xc_domain_populate_physmap_exact);
}

WRAP(int, xc_set_paging_mempool_size, xc_interface *x, uint32_t domain,
    uint64_t bytes)
{
	(void)x, (void)domain, (void)bytes;
	CALL(xc_set_paging_mempool_size);
}

WRAP(int, xc_get_paging_mempool_size, xc_interface *x, uint32_t domain,
    uint64_t *ret)
{
	(void)x, (void)domain;
	*ret = 0;
	CALL(xc_get_paging_mempool_size);
}

WRAP(int, xc_domain_pause, xc_interface *x, uint32_t domain)
{
	(void)x, (void)domain;
	CALL(xc_domain_pause);
}

static void
report(struct mailbox *box)
{
	bool is_odd = fake_xen_host.odd_run < 0;
	const char *text;

	if (fake_xen_host.odd_run > 0)
		is_odd = --fake_xen_host.odd_run == 0;
	text = is_odd ? fake_xen_host.odd_report : FAKE_XEN_REPORT;
	memcpy((unsigned char *)box + MAILBOX_REPORT_AT, text, strlen(text));
	box->report_bytes = (uint32_t)strlen(text);
}

/* What the agent does with an order. */
static void
act(void)
{
	struct mailbox *box = (void *)(arena + BOX_AT);

	if (fake.is_down || fake_xen_host.is_silent)
		return;
	if (box->command == MAILBOX_RUN && box->state == MAILBOX_PARKED)
		report(box);
	if (fake_xen_host.lacking)
		memcpy(box->lacking, fake_xen_host.lacking,
		    strlen(fake_xen_host.lacking));
	box->state =
	    box->command == MAILBOX_RUN ? MAILBOX_ENDED : MAILBOX_PARKED;
	if (!fake_xen_host.is_mute || fake_xen_host.is_last_word)
		box->answer = box->order;
	fake.is_down = fake_xen_host.is_last_word;
}

WRAP(int, xc_domain_unpause, xc_interface *x, uint32_t domain)
{
	(void)x, (void)domain;
	if (fake_xen_fails("xc_domain_unpause"))
		return -1;
	act();
	return 0;
}

WRAP(int, xc_domain_getinfolist, xc_interface *x, uint32_t first,
    unsigned int max, xc_domaininfo_t *ret)
{
	(void)x, (void)max;
	if (fake_xen_fails("xc_domain_getinfolist"))
		return -1;
	act();
	for (uint32_t i = first; i < DOMAINS; i++)
		if (fake.is_there[i]) {
			*ret = (xc_domaininfo_t){.domain = (domid_t)i,
			    .flags = fake.is_down ? XEN_DOMINF_shutdown : 0,
			    .tot_pages = 100};
			memcpy(ret->handle, fake.handles[i], HANDLE);
			return 1;
		}
	return 0;
}

/* --- Memory. */

WRAP(void *, xenforeignmemory_map, xenforeignmemory_handle *h, uint32_t domain,
    int prot, size_t pages, const xen_pfn_t frames[], int errors[])
{
	uint64_t at = frames[0] * PAGE;
	bool is_window = at + pages * PAGE > ARENA;
	/* Who goes through all of it maps it again and again: once may fail. */
	bool is_more = is_window && fake.was_window;

	(void)h, (void)domain, (void)prot;
	fake.was_window = is_window;
	if (!is_more && fake_xen_fails("xenforeignmemory_map"))
		return NULL;
	if (is_window)
		at = ARENA;
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
