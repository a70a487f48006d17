#include "vmm/xen_host_priv.h"
#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define XEN_TYPE     "/sys/hypervisor/type"
#define CAPABILITIES "/proc/xen/capabilities"

/* The first line of a small file.  Is there such a file? */
static bool
first_line(const char *path, char *buf, size_t size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return fd >= 0;
}

static int
refuse(char *why, size_t why_size, const char *text)
{
	(void)snprintf(why, why_size, "%s", text);
	return -ENOTSUP;
}

/* Whether this is a dom0, before a library fails with less to say. */
static int
check_dom0(char *why, size_t why_size)
{
	char line[64];

	if (!first_line(XEN_TYPE, line, sizeof(line)) ||
	    strcmp(line, "xen") != 0)
		return refuse(why, why_size,
		    "this system was not booted on Xen (" XEN_TYPE
		    " is not xen); install xen-system-amd64 and boot it");
	if (!first_line(CAPABILITIES, line, sizeof(line)))
		return refuse(why, why_size,
		    CAPABILITIES " is missing: xenfs is not mounted; mount it "
				 "(systemctl start xen)");
	if (!strstr(line, "control_d"))
		return refuse(why, why_size,
		    "this is a guest of Xen, which controls no domains; run "
		    "sluice-vmm in dom0");
	return 0;
}

static int
check_processor(const xc_physinfo_t *info, char *why, size_t why_size)
{
	if (!(info->capabilities & XEN_SYSCTL_PHYSCAP_hvm))
		return refuse(why, why_size,
		    "Xen sees no VMX or SVM in this processor; enable it in "
		    "the firmware, or in the hypervisor below");
	if (!(info->capabilities & XEN_SYSCTL_PHYSCAP_hap))
		return refuse(why, why_size,
		    "Xen has no hardware-assisted paging (EPT or NPT) here; "
		    "remove hap=0 from its command line, or take another host");
	return 0;
}

static int
connect(struct xen_host *h, char *why, size_t why_size)
{
	xc_physinfo_t info = {0};
	int r;

	h->xch = xc_interface_open(&h->silent, &h->silent, 0);
	if (!h->xch)
		return refuse(why, why_size,
		    errno == EACCES || errno == EPERM
			? "not allowed to open /dev/xen/privcmd; run as root"
			: "/dev/xen/privcmd can't be opened; load the module "
			  "xen-privcmd");
	h->memory = xenforeignmemory_open(&h->silent, 0);
	if (!h->memory || xc_physinfo(h->xch, &info) != 0) {
		(void)snprintf(why, why_size,
		    "the hypervisor refuses control: %s; build Sluice with "
		    "the libxen-dev of the version that is running",
		    strerror(errno));
		return -ENOTSUP;
	}
	h->khz = info.cpu_khz;
	r = check_processor(&info, why, why_size);
	if (r < 0)
		return r;
	h->store = xen_store_open();
	return h->store ? 0
			: refuse(why, why_size,
			      "xenstored does not answer; start it "
			      "(systemctl start xenstored)");
}

/* What Xen's libraries say comes back as an error of ours. */
static void
be_silent(xentoollog_logger *logger, xentoollog_level level, int errnoval,
    const char *context, const char *format, va_list al)
{
	(void)logger;
	(void)level;
	(void)errnoval;
	(void)context;
	(void)format;
	(void)al;
}

static void
show_nothing(xentoollog_logger *logger, const char *context, const char *doing,
    int percent, unsigned long done, unsigned long total)
{
	(void)logger;
	(void)context;
	(void)doing;
	(void)percent;
	(void)done;
	(void)total;
}

static struct xen_host *
drop(struct xen_host *host)
{
	xen_store_close(host->store);
	if (host->memory)
		(void)xenforeignmemory_close(host->memory);
	if (host->xch)
		(void)xc_interface_close(host->xch);
	free(host);
	return NULL;
}

/* Process-wide: a sandbox that is entered later lets nothing be opened. */
static struct xen_host *opened;

int
xen_host_open(struct xen_host **ret, char *why, size_t why_size)
{
	int r = opened ? 0 : check_dom0(why, why_size);

	if (r == 0 && !opened) {
		opened = xcalloc(1, sizeof(*opened));
		opened->silent.vmessage = be_silent;
		opened->silent.progress = show_nothing;
		r = connect(opened, why, why_size);
		if (r < 0)
			opened = drop(opened);
	}
	if (r == 0) {
		opened->users++;
		*ret = opened;
	}
	return r;
}

void
xen_host_close(struct xen_host *host)
{
	if (host && --host->users == 0)
		opened = drop(host);
}

/* Of xc_memshr_control() on an empty domain with HAP. */
static const char *
why_not_shared(int error)
{
	switch (error) {
	case ENOSYS:
		return "the hypervisor was built without memory sharing; build "
		       "it with EXPERT, UNSUPPORTED and MEM_SHARING "
		       "(docs/xen.md)";
	case EOPNOTSUPP:
		return "Xen shares memory on Intel's processors alone (VMX); "
		       "take such a host";
	case ENODEV:
		return "Xen shares memory with hardware-assisted paging alone; "
		       "remove hap=0 from its command line";
	case EXDEV:
		return "Xen shares no memory of domains behind an IOMMU; boot "
		       "it with iommu=0, or dom0-iommu=none";
	default:
		return strerror(error);
	}
}

int
xen_host_shares(
    struct xen_host *host, const char *site, char *why, size_t why_size)
{
	unsigned char handle[XEN_HANDLE];
	uint32_t domain;
	int r;

	xen_owner_handle(site, XEN_CLONE, handle);
	r = xen_domain_new(host, handle, &domain);
	if (r < 0) {
		(void)snprintf(why, why_size, "no domain can be made: %s",
		    r == -ENOMEM ? "Xen has no free memory; give dom0 less "
				   "(dom0_mem=4G,max:4G)"
				 : strerror(-r));
		return r;
	}
	if (xc_memshr_control(host->xch, domain, 1) != 0)
		r = refuse(why, why_size, why_not_shared(errno));
	(void)xen_domain_end(host, domain);
	return r;
}

uint64_t
xen_host_free(struct xen_host *host)
{
	xc_physinfo_t info = {0};

	if (xc_physinfo(host->xch, &info) != 0)
		return 0;
	/* Some may be promised to domains that are being built. */
	if (info.free_pages <= info.outstanding_pages)
		return XEN_FULL;
	return (info.free_pages - info.outstanding_pages) * XEN_PAGE;
}

char *
xen_host_version(struct xen_host *host, char *buf, size_t size)
{
	int n = xc_version(host->xch, XENVER_version, NULL);
	xen_extraversion_t extra = "";

	(void)xc_version(host->xch, XENVER_extraversion, &extra);
	extra[sizeof(extra) - 1] = '\0';
	(void)snprintf(buf, size, "Xen %d.%d%s", n >> 16, n & 0xffff, extra);
	return buf;
}

uint32_t
xen_host_khz(const struct xen_host *host)
{
	return host->khz;
}

struct xen_store *
xen_host_store(const struct xen_host *host)
{
	return host->store;
}
