#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where RAM ends below the BIOS's place, and begins again above it. */
#define LOW_END UINT64_C(0x9f000)
#define HIGH    UINT64_C(0x100000)
/* Below LOW_END, where the kernel looks for nothing else. */
#define PARAMS_AT  0x7000u
#define CMDLINE_AT 0x20000u
#define TABLES_AT  0x70000u
#define TABLE_N    512u
#define BIG_PAGE   (UINT64_C(1) << 21)
/* Bits of a page table's entry: present and writable; a page of 2 MiB. */
#define PTE_TABLE 3u
#define PTE_BIG   0x83u
#define E820_RAM  1u
#define E820_HELD 2u
/* Of Linux' boot protocol (Documentation/x86/boot.rst). */
#define BOOT_FLAG     0xaa55
#define HEADER_MAGIC  0x53726448u /* "HdrS" */
#define LOADER_OTHER  0xff
#define KERNEL_ALIGN  0x1000000u
#define CMDLINE_MAX   2048u
#define SEGMENTS_MAX  16
#define HEADERS_BYTES 4096u

/*
 * nopv: Xen's own clocks, timers and channels are not forked, so the guest is
 * to see none: it ticks by the PIT.  acpi, noapic, pci: there is nothing to
 * look for.  No bell: Xen would emulate each ring, and nobody hears it.  (A
 * QEMU that translates SVM refuses port access to a guest that was restored: it
 * takes the busy task segment that Xen restores for none.)  iomem: the agent
 * maps the mailbox by /dev/mem.  panic and reboot: either is the end of the
 * domain.
 */
const char xen_kernel_words[] =
    "nopv acpi=off noapic pci=off tsc=reliable iomem=relaxed mitigations=off "
    "nokaslr random.trust_cpu=on panic=-1 reboot=t audit=0 nowatchdog "
    "rcupdate.rcu_cpu_stall_suppress=1 quiet loglevel=3 " MAILBOX_NO_BELL "=1";

struct kernel {
	struct xen_host *host;
	uint32_t domain;
	uint64_t mem_bytes;
	uint64_t entry;
	uint64_t end; /* behind its last octet */
};

/* n octets of ours into low memory. */
static int
put(const struct kernel *k, uint64_t address, const void *octets, size_t n)
{
	struct xen_map map;
	int r = xen_map(
	    k->host, k->domain, address, (n + XEN_PAGE - 1) / XEN_PAGE, &map);

	if (r < 0)
		return r;
	memcpy(map.at, octets, n);
	xen_unmap(k->host, &map);
	return 0;
}

static bool
is_sound(const struct kernel *k, const Elf64_Phdr *p, uint64_t file_bytes)
{
	return p->p_filesz <= p->p_memsz && p->p_offset <= file_bytes &&
	       p->p_filesz <= file_bytes - p->p_offset && p->p_paddr >= HIGH &&
	       p->p_paddr < k->mem_bytes &&
	       p->p_memsz <= k->mem_bytes - p->p_paddr;
}

/* What isn't in the file is zero, as all of a new domain's memory is. */
static int
load_segments(struct kernel *k, int fd, uint64_t file_bytes)
{
	_Alignas(Elf64_Ehdr) unsigned char head[HEADERS_BYTES];
	const Elf64_Ehdr *e = (const void *)head;
	int r = pread_all(fd, head, sizeof(head), 0);

	if (r < 0)
		return r == -ENODATA ? -ENOEXEC : r;
	if (memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 ||
	    e->e_machine != EM_X86_64 || e->e_phnum > SEGMENTS_MAX ||
	    e->e_phoff % _Alignof(Elf64_Phdr) != 0 ||
	    e->e_phoff > sizeof(head) - SEGMENTS_MAX * sizeof(Elf64_Phdr))
		return -ENOEXEC;
	k->entry = e->e_entry;
	for (int i = 0; i < e->e_phnum && r == 0; i++) {
		const Elf64_Phdr *p =
		    (const void *)(head + e->e_phoff + (size_t)i * sizeof(*p));

		if (p->p_type != PT_LOAD)
			continue;
		if (!is_sound(k, p, file_bytes))
			return -ENOEXEC;
		r = xen_fill(k->host, k->domain, p->p_paddr, fd, p->p_offset,
		    p->p_filesz);
		if (p->p_paddr + p->p_memsz > k->end)
			k->end = p->p_paddr + p->p_memsz;
	}
	return r;
}

/* The first GiB, each address its own. */
static int
put_tables(const struct kernel *k)
{
	static uint64_t tables[3][TABLE_N];

	tables[0][0] = (TABLES_AT + XEN_PAGE) | PTE_TABLE;
	tables[1][0] = (TABLES_AT + 2 * XEN_PAGE) | PTE_TABLE;
	for (uint64_t i = 0; i < TABLE_N; i++)
		tables[2][i] = i * BIG_PAGE | PTE_BIG;
	return put(k, TABLES_AT, tables, sizeof(tables));
}

static int
put_params(const struct kernel *k, uint64_t initrd, uint64_t initrd_bytes)
{
	CLEANUP(free_ptr) struct boot_params *b = xcalloc(1, XEN_PAGE);
	const uint32_t khz = xen_host_khz(k->host);
	char words[CMDLINE_MAX];
	int n = snprintf(words, sizeof(words),
	    "%s tsc_early_khz=%u lpj=%llu mailbox=0x%llx", xen_kernel_words,
	    khz, 4ull * khz, (unsigned long long)k->mem_bytes);
	int r;

	b->e820_table[0] = (struct boot_e820_entry){0, LOW_END, E820_RAM};
	b->e820_table[1] =
	    (struct boot_e820_entry){HIGH, k->mem_bytes - HIGH, E820_RAM};
	b->e820_table[2] =
	    (struct boot_e820_entry){k->mem_bytes, MAILBOX_BYTES, E820_HELD};
	b->e820_entries = 3;
	b->hdr.boot_flag = BOOT_FLAG;
	b->hdr.header = HEADER_MAGIC;
	b->hdr.type_of_loader = LOADER_OTHER;
	b->hdr.kernel_alignment = KERNEL_ALIGN;
	b->hdr.ramdisk_image = (uint32_t)initrd;
	b->hdr.ramdisk_size = (uint32_t)initrd_bytes;
	b->hdr.cmd_line_ptr = CMDLINE_AT;
	b->hdr.cmdline_size = (uint32_t)n;
	r = put(k, PARAMS_AT, b, sizeof(*b));
	return r < 0 ? r : put(k, CMDLINE_AT, words, (size_t)n + 1);
}

static int
open_file(int dirfd, enum manifest_file file, int *ret_fd, uint64_t *ret_bytes)
{
	int fd = openat(dirfd, manifest_file_name(file), O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

int
xen_kernel_load(
    struct xen_host *host, uint32_t domain, int dirfd, uint32_t mem_mib)
{
	struct kernel k = {.host = host,
	    .domain = domain,
	    .mem_bytes = (uint64_t)mem_mib << 20};
	CLEANUP(close_fd) int kernel = -1;
	CLEANUP(close_fd) int initrd = -1;
	/* What the page tables reach. */
	const uint64_t top =
	    k.mem_bytes < TABLE_N * BIG_PAGE ? k.mem_bytes : TABLE_N * BIG_PAGE;
	uint64_t bytes = 0, initrd_bytes = 0, initrd_at;
	int r = open_file(dirfd, MANIFEST_KERNEL, &kernel, &bytes);

	if (r == 0)
		r = open_file(dirfd, MANIFEST_INITRD, &initrd, &initrd_bytes);
	if (r == 0)
		r = load_segments(&k, kernel, bytes);
	if (r < 0)
		return r;
	if (k.end > top || initrd_bytes > top - k.end)
		return -EFBIG;
	initrd_at = (top - initrd_bytes) / XEN_PAGE * XEN_PAGE;
	if (initrd_at < k.end)
		return -EFBIG;
	r = xen_fill(host, domain, initrd_at, initrd, 0, initrd_bytes);
	if (r == 0)
		r = put_params(&k, initrd_at, initrd_bytes);
	if (r == 0)
		r = put_tables(&k);
	return r < 0
		   ? r
		   : xen_cpu_begin(host, domain, k.entry, TABLES_AT, PARAMS_AT);
}
