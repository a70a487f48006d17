/*
 * vmm/xen_priv.h - the parts of the back end Xen.
 *
 * No type or number of Xen's libraries is seen here: their errors are negative
 * errnos, a domain is a uint32_t.
 */
#ifndef SLUICE_VMM_XEN_PRIV_H
#define SLUICE_VMM_XEN_PRIV_H

#include "common/clock.h"
#include "vmm/hostbox.h"
#include "vmm/manifest.h"
#include "vmm/owner.h"
#include "vmm/vmm.h"

#include <stdbool.h>

struct xen_host; /* open handles of the hypervisor and of xenstore */
struct xen_store;

#define XEN_PAGE 4096u
/* Pages that are mapped at a time when octets are moved: 1 MiB. */
#define XEN_CHUNK 256u

/* The guest's physical memory is pages from 0 on, the mailbox right above the
 * RAM.  A kernel searches where a PC has its BIOS: zeros answer it, and Xen
 * need not, an octet at a time. */

/* --- xen_host.c */

/*
 * Open the hypervisor for the control of domains: once in a process, for all
 * that are to use it, until the last has closed it.  xen_probe() doesn't close
 * it, so that a holder has it when it may no longer open anything.
 * Returns 0; or -ENOTSUP with what is missing and what can be done about it
 * in words.
 */
int xen_host_open(struct xen_host **ret, char *why, size_t why_size);
void xen_host_close(struct xen_host *host);

/*
 * Can domains share memory?  Tried on an empty domain of that site, so that
 * reap() knows it.  Returns 0; -ENOTSUP with the reason in words; or -errno,
 * too, if there can be no such domain.
 */
int xen_host_shares(
    struct xen_host *host, const char *site, char *why, size_t why_size);

/* Octets of memory that no domain has; XEN_FULL: none; 0: unknown. */
#define XEN_FULL 1
uint64_t xen_host_free(struct xen_host *host);

/* "Xen 4.17.5-pre"; into buf, returns buf. */
char *xen_host_version(struct xen_host *host, char *buf, size_t size);
uint32_t xen_host_khz(const struct xen_host *host); /* of time stamps */
struct xen_store *xen_host_store(const struct xen_host *host);

/* --- xen_domain.c: a domain, its memory, its life. */

#define XEN_HANDLE 16
#define XEN_NONE   UINT32_MAX

/* An empty one that stands still.  0 or -errno (-ENOMEM, -EPERM). */
int xen_domain_new(
    struct xen_host *host, const unsigned char *handle, uint32_t *ret_domain);

/* Give an empty one a processor, that much memory, and a mailbox: all zero. */
int xen_domain_furnish(struct xen_host *host, uint32_t domain, uint32_t mib);

/*
 * Has Xen the memory that such a domain takes?  0; or -ENOMEM, with both
 * numbers in words.  What Xen doesn't say counts as enough.
 */
int xen_domain_has_room(
    struct xen_host *host, uint32_t mib, char *err, size_t err_size);

/*
 * Make an empty one a fork of a parent, which stands still from now on.
 * Returns 0; -ENOMEM; -ESRCH: the parent is gone; -ENOTSUP: no memory
 * sharing; -EINVAL: parent and fork are not of one kind; or -errno.
 */
int xen_domain_fork(struct xen_host *host, uint32_t parent, uint32_t domain);

/*
 * Bring a fork back to what its parent is, its processor too; none of its
 * pages may be mapped, or they stay as they are.  0; -ENOSYS: it is no fork;
 * or -errno.  Blocks for all of it: Xen can't be interrupted in this.
 */
int xen_domain_reset(struct xen_host *host, uint32_t domain);

int xen_domain_pause(struct xen_host *host, uint32_t domain);
int xen_domain_unpause(struct xen_host *host, uint32_t domain);

/* Has it gone down: panicked, rebooted, or been crashed for want of memory?
 * Also true of one that is no more. */
bool xen_domain_is_down(struct xen_host *host, uint32_t domain);

/* Memory that it has for itself; 0: unknown. */
uint64_t xen_domain_private(struct xen_host *host, uint32_t domain);

/* End it; its forks must have been ended before, or they would read wrong
 * octets.  0, also if there is none; or -errno. */
int xen_domain_end(struct xen_host *host, uint32_t domain);

/* The handle of the next domain from *domain on, or -ESRCH: no more. */
int xen_domain_next(
    struct xen_host *host, uint32_t *domain, unsigned char *handle);

struct xen_map {
	void *at; /* NULL: none */
	size_t pages;
};

/*
 * Map pages of a domain, to read and to write.  In a fork each of them becomes
 * its own.  0 or -errno (-ENOMEM: no memory for own pages).
 */
int xen_map(struct xen_host *host, uint32_t domain, uint64_t address,
    size_t pages, struct xen_map *ret);
void xen_unmap(struct xen_host *host, struct xen_map *map);

/* Copy n octets of a file into a domain.  0; -ENODATA: the file is shorter; or
 * -errno.  Blocks for the copy. */
int xen_fill(struct xen_host *host, uint32_t domain, uint64_t address, int fd,
    uint64_t from, uint64_t n);

/* --- xen_box.c: the mailbox of a domain, mapped by need: in a fork each page
 * that is mapped becomes its own. */

struct xen_box {
	struct hostbox words; /* by its first page */
	struct xen_host *host;
	uint32_t domain;
	uint64_t at;
	/* Of control words and report, mapped as that grows. */
	struct xen_map maps[MAILBOX_SAMPLE_AT / (XEN_CHUNK * XEN_PAGE)];
};

/* Map the first page of the mailbox at that address, and write what a guest
 * knows it by.  0 or -errno (-ENOMEM), as xen_map(). */
int xen_box_open(
    struct xen_box *box, struct xen_host *host, uint32_t domain, uint64_t at);

/* Unmap all; also of a box that is all zero. */
void xen_box_close(struct xen_box *box);

/* As collect() of vmm/vmm.h, up to what hostbox_look() has told of. */
size_t xen_box_collect(struct xen_box *box, uint64_t from, void *buf, size_t n);

/* --- xen_cpu.c: the state of a domain's processor and devices. */

struct xen_state {
	unsigned char *octets; /* as Xen has it */
	uint32_t n;
};

void xen_state_done(struct xen_state *state);

/* All of it, of a domain that stands still.  0 or -errno; the caller frees. */
int xen_state_get(
    struct xen_host *host, uint32_t domain, struct xen_state *ret);

/*
 * Of a whole state what makes a processor go on where it stood, its clock of
 * time stamps too: the fork's would run on while its parent stands still.
 * 0, or -EBADMSG: it is not in there.
 */
int xen_state_cpu(const struct xen_state *whole, struct xen_state *ret);

/* The same of a domain that stands still: where its processor is.  0 or
 * -errno; the caller frees. */
int xen_cpu_get(struct xen_host *host, uint32_t domain, struct xen_state *ret);

/* 0, or -EBADMSG: the hypervisor doesn't take it; or -errno. */
int xen_state_put(
    struct xen_host *host, uint32_t domain, const struct xen_state *state);

/* Let the processor begin at `entry` in 64-bit mode, as Linux expects it, with
 * page tables and parameters at these addresses. */
int xen_cpu_begin(struct xen_host *host, uint32_t domain, uint64_t entry,
    uint64_t tables, uint64_t params);

/* --- xen_kernel.c: Linux by its 64-bit boot protocol. */

/* dirfd: where kernel (ELF) and initrd lie.  0; -ENOEXEC; -EFBIG: they don't
 * fit; or -errno. */
int xen_kernel_load(
    struct xen_host *host, uint32_t domain, int dirfd, uint32_t mem_mib);

/* The command line, but for what differs from host to host. */
extern const char xen_kernel_words[];

/* --- xen_owner.c */

enum xen_role { XEN_REFERENCE = 'r', XEN_CLONE = 'c' };

/* A domain's handle says whose it is, even before anything else can. */
void xen_owner_handle(
    const char *site, enum xen_role role, unsigned char *ret_handle);

/* Is that the handle of a domain of that site, in which role, and of which
 * process of ours?  Pure. */
bool xen_owner_find(const unsigned char *handle, const char *site,
    enum xen_role *ret_role, pid_t *ret_pid, uint32_t *ret_start);

/* As reap() of vmm/vmm.h; forks before their parents. */
int xen_reap(const struct vmm_options *options);

/* As owned() of vmm/vmm.h: by the domains' handles, in words by the ledger. */
int xen_owned(const struct vmm_options *options, vmm_owned_fn *each, void *arg);

/* --- xen_store.c: the ledger.  Who owns what, for people, for `xl` and for
 * the process that comes after one that died. */

struct xen_store *xen_store_open(void); /* NULL: nobody answers */
void xen_store_close(struct xen_store *store);

#define XEN_MAIL_MAX 40

/* A row of the ledger: one domain. */
struct xen_note {
	char site[OWNER_SITE_SIZE];
	char reference[16];
	enum xen_role role;
	uint32_t parent; /* XEN_NONE: none */
	uint32_t slot;   /* of a clone */
	/* Of a run; until_usec 0: it doesn't run. */
	char mail[XEN_MAIL_MAX];
	uint64_t until_usec; /* since 1970: it is ended then */
	/* Set by xen_store_note(): this process. */
	pid_t holder;
	uint64_t holder_start;
	bool is_written, is_named; /* by xen_store_enter(), as it stands */
};

/*
 * Write a domain's row and its name, if they aren't: tried once for each.
 * 0 or -errno, and then a clone is as good without: it is for people, and
 * reap() goes by handles.  Blocks for two answers of xenstored.
 */
int xen_store_enter(
    struct xen_store *store, uint32_t domain, struct xen_note *note);

/* Write a domain's row, or write it anew.  0 or -errno.  Blocks for an answer
 * of xenstored. */
int xen_store_note(
    struct xen_store *store, uint32_t domain, struct xen_note *note);
/* Write what `xl list` calls it.  The same. */
int xen_store_name(
    struct xen_store *store, uint32_t domain, const struct xen_note *note);

/* 0; -ENOENT: it has no row; -EBADMSG: none that we understand; or -errno. */
int xen_store_read(
    struct xen_store *store, uint32_t domain, struct xen_note *ret);

/* The domains that have a row, into a list that the caller frees.  0 or
 * -errno. */
int xen_store_rows(struct xen_store *store, uint32_t **ret, size_t *ret_n);

/* Remove a domain's row, and its name; the row alone. */
void xen_store_forget(struct xen_store *store, uint32_t domain);
void xen_store_forget_row(struct xen_store *store, uint32_t domain);

/* --- xen_park.c */

int xen_park(const struct vmm_park *park, char *err, size_t err_size);

/* --- xen_open.c */

struct vmm {
	struct manifest manifest;
	struct xen_host *host;
	struct xen_state state; /* of the reference when it was parked */
	struct xen_state cpu;   /* of it, what a fork is given once more */
	uint32_t parent;        /* a domain; XEN_NONE: no memory sharing */
	int ram;                /* then: sealed memfd; else -1 */
	char site[OWNER_SITE_SIZE];
	unsigned char handle[XEN_HANDLE]; /* of its clones */
	uint32_t clones;                  /* that are not gone */
};

int xen_probe(const struct vmm_options *options, char *why, size_t why_size);
int xen_open(const struct vmm_options *options, struct vmm **ret, char *err,
    size_t err_size);
void xen_close(struct vmm *vmm);
/* The same of a directory that isn't at its place yet; borrowed. */
int xen_open_at(
    int dirfd, const char *state, struct vmm **ret, char *err, size_t err_size);

/* Digest of all that a clone has in common with its reference; into buf[65],
 * returns buf. */
char *xen_machine_digest(char *buf);

/* The row of a domain that was made of it, to be written. */
struct xen_note xen_note_of(
    const struct vmm *vmm, enum xen_role role, uint32_t slot);

/* As available() of vmm/vmm.h: Xen's free pages.  dom0's own memory is no
 * matter to clones. */
uint64_t xen_available(const struct vmm *vmm);

/* A domain with memory and state of the reference, standing still. */
int xen_restore(struct vmm *vmm, int ram, enum xen_role role, uint32_t *ret);

#endif
