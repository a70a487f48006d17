/*
 * vmm/qemu_priv.h - the parts of the back end QEMU.
 */
#ifndef SLUICE_VMM_QEMU_PRIV_H
#define SLUICE_VMM_QEMU_PRIV_H

#include "common/clock.h"
#include "common/sandbox.h"
#include "vmm/hostbox.h"
#include "vmm/manifest.h"
#include "vmm/owner.h"
#include "vmm/vmm.h"

#include <stdbool.h>
#include <sys/types.h>

/* --- qemu_args.c: what the machine is made of. */

/* The descriptors that a QEMU of ours begins with, besides 0 to 2. */
enum qemu_fd {
	QEMU_FD_BELL = 3, /* the guest's serial port, a socket */
	QEMU_FD_QMP,      /* a socket */
	QEMU_FD_MAILBOX,  /* memfd */
	QEMU_FD_RAM,      /* memfd */
	QEMU_FD_STATE,    /* a clone's: memfd */
	QEMU_FD_DISK,     /* read-only */
	QEMU_FD_KERNEL,   /* a reference's that is booted: memfds */
	QEMU_FD_INITRD,
	QEMU_FD_END
};

struct qemu_machine {
	const char *program;
	const char *name; /* -name: qemu_name() */
	bool is_kvm;
	bool has_disk;
	uint32_t mem_mib;
	uint32_t tsc_khz;
	bool is_booted; /* a reference; else a clone of one */
};

struct qemu_args {
	char *argv[64];
	int argc;
};

void qemu_args_make(struct qemu_args *ret, const struct qemu_machine *machine);
void qemu_args_free(struct qemu_args *args);

/* Digest of all that a clone's devices must have in common with those of its
 * reference; into buf[65], returns buf. */
char *qemu_machine_digest(const struct qemu_machine *machine, char *buf);

/* --- qemu_name.c: clones that outlive their holder are known by name. */

/* "sluice-vm:SITE:PID:START:REFERENCE:SLOT" of this process's clone; fresh. */
char *qemu_name(const char *site, const char *reference, uint32_t slot);

/*
 * Is that a command line (n octets, NULs between its words and behind them) of
 * a clone of that site, and of which holder?  Pure.
 */
bool qemu_name_find(const char *cmdline, size_t n, const char *site,
    pid_t *ret_holder, uint64_t *ret_start);

/* As reap() and stats() of vmm/vmm.h. */
int qemu_reap(const struct vmm_options *options);
uint64_t qemu_private_bytes(pid_t pid);

/* Make it the first that the kernel ends when memory is short; a wish.  Once
 * QEMU runs: until then its /proc is closed, as is that of its holder. */
void qemu_offer_to_oom(pid_t pid);

/* --- qemu_qmp.c: QEMU's control socket. */

/* A line of QEMU's: answers to what we ask are below 1 KiB. */
#define QMP_LINE_MAX 8192

enum qmp_id {
	QMP_NONE, /* greeting, or an event that means nothing to us */
	QMP_CAPABILITIES,
	QMP_IGNORE_SHARED,
	QMP_INCOMING,
	QMP_STOP,
	QMP_CONT,
	QMP_GETFD,
	QMP_MIGRATE,
	QMP_QUERY,
	QMP_IDS
};

struct qmp {
	char buf[QMP_LINE_MAX];
	size_t n;    /* octets in buf */
	size_t used; /* of lines that were returned */
};

struct qmp_line {
	enum qmp_id id; /* of the command that it answers */
	bool is_error;  /* text: in QEMU's words */
	bool is_end;    /* the guest is down, crashed or reset */
	char text[96];  /* "status" of an answer, description of an error */
};

/*
 * The next line.  Reads once from a non-blocking socket when none is there.
 * Returns 0; -EAGAIN: no whole line yet; -EPIPE: QEMU has closed it;
 * -EBADMSG: no JSON, or too long; or -errno as recv(2).
 */
int qmp_next(struct qmp *qmp, int fd, struct qmp_line *ret);

/* One line of octets, without its end.  0 or -EBADMSG.  Pure. */
int qmp_parse(const char *line, size_t n, struct qmp_line *ret);

/*
 * Send a command, with a descriptor where it takes one (else -1).
 * Returns 0; -EAGAIN: QEMU doesn't read; or -errno as sendmsg(2).
 */
int qmp_send(int fd, enum qmp_id id, int pass_fd);

/* --- qemu_jail.c: how QEMU is started. */

struct qemu_jail {
	int ruleset; /* Landlock; -1: not in this kernel */
	struct sandbox_filter filter;
	uint64_t memory_bytes; /* RLIMIT_AS; 0: as it is */
	uint64_t file_bytes;   /* RLIMIT_FSIZE */
};

/* program: which may be read and executed.  0, or -errno with words. */
int qemu_jail_make(struct qemu_jail *ret, const char *program, bool is_kvm,
    char *err, size_t err_size);
void qemu_jail_done(struct qemu_jail *jail);

struct qemu_start {
	char *const *argv;
	int fds[QEMU_FD_END - QEMU_FD_BELL]; /* -1: none */
	int err_fd; /* standard output and error; -1: nowhere */
};

/*
 * Start a program in the jail; it dies with the calling thread.
 * Returns 0, or -errno also of what failed in the child.  Blocks until it is
 * executed.
 */
int qemu_jail_start(const struct qemu_jail *jail,
    const struct qemu_start *start, pid_t *ret_pid, int *ret_pidfd);

/* --- qemu_park.c */

int qemu_park(const struct vmm_park *park, char *err, size_t err_size);

/* --- qemu_open.c */

#define QEMU_VERSION_MAX MANIFEST_TEXT_MAX

struct vmm {
	struct manifest manifest;
	struct qemu_jail jail;
	char *program;
	int ram;   /* sealed memfd: not even a QEMU that is taken over can
		      change it for others */
	int state; /* sealed memfd */
	int disk;  /* -1: none */
	char site[OWNER_SITE_SIZE];
	uint32_t clones; /* that are not gone */
};

int qemu_probe(const struct vmm_options *options, char *why, size_t why_size);
int qemu_open(const struct vmm_options *options, struct vmm **ret, char *err,
    size_t err_size);
/* The same of what lies in dirfd, wherever that is; options->reference isn't
 * read. */
int qemu_open_at(int dirfd, const struct vmm_options *options, struct vmm **ret,
    char *err, size_t err_size);
void qemu_close(struct vmm *vmm);
/* Would a clone that is rehearsed once run sooner?  See vmm.h, rehearse(). */
bool qemu_gains(const struct vmm *vmm);

/* Its version as it says it; 0, or -errno with words.  Blocks. */
int qemu_version(
    const char *program, char *ret, size_t size, char *why, size_t why_size);

/* Can KVM run a common kernel here, as this user? */
bool qemu_has_kvm(void);

/* The clock of this processor's time stamps, measured; blocks for 20 ms. */
uint32_t qemu_tsc_khz(void);

/* --- qemu.c */

/* Start QEMU for that mailbox: sockets to bell and QMP, both non-blocking. */
struct qemu_process {
	pid_t pid;
	int pidfd, bell, qmp;
};

int qemu_start(const struct qemu_jail *jail, const struct qemu_args *args,
    struct qemu_start *start, struct qemu_process *ret);

#endif
