/*
 * vmm/vmm.h - what a hypervisor must be able to do: a reference that was
 * booted once, and clones of it (docs/vm-lifecycle.md).
 *
 *   probe, open, [ clone, inject, run_start ... event_fd, next, collect ...
 *   reset | destroy ]*, close
 * A parked clone may rehearse() before its sample comes.
 *
 * Nothing but park() blocks for longer than starting a process takes: what
 * lasts is begun, and its end comes as an event.  One thread, one loop.  Who
 * calls keeps the deadlines; a back end has none of its own.  Back ends:
 * vmm/qemu.h, vmm/xen.h; tests also have vmm/fake.h.
 */
#ifndef SLUICE_VMM_VMM_H
#define SLUICE_VMM_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vmm; /* an opened reference; the back end's */
struct vm;  /* a clone of it; the back end's */

struct vmm_options {
	const char *state;     /* directory of the references */
	const char *reference; /* "linux", "wine" */
	const char *program;   /* the back end's own program; NULL: default */
};

/* What a known program is run by (vmm/prove.h). */
enum vmm_proof {
	VMM_PROOF_SHELL,
	VMM_PROOF_WINDOWS, /* Wine's script host */
	VMM_PROOFS,
};

/* A reference to be booted once, then kept as it stands. */
struct vmm_park {
	struct vmm_options of;
	const char *recipe; /* digest, for the manifest */
	int dirfd; /* where kernel, initrd and perhaps disk lie, and packages:
		      name=version, one a line; borrowed */
	uint32_t mem_mib;
	uint64_t patience_usec; /* for its boot */
	/* Runs of known programs that must go well in clones of it before it
	 * counts as parked; 0: none.  Those by the shell are for back ends on
	 * which boots were seen to go wrong unseen; others take no notice of
	 * them. */
	uint32_t proofs[VMM_PROOFS];
	/* Called as each step begins, in words; may be NULL. */
	void (*step)(const char *what);
};

/* What next() tells. */
enum vmm_event {
	VMM_PARKED, /* a clone is ready: its agent polls, it stands still */
	VMM_TAKEN,  /* the agent has the sample */
	VMM_REPORT, /* there is more for collect() */
	VMM_ENDED,  /* the agent says that the run is over */
	VMM_DIED,   /* the clone is no more, unasked; still to be destroyed */
	VMM_GONE,   /* destroy() is done: the struct vm is freed */
};

/* A file to run. */
struct vmm_sample {
	int fd;           /* readable, seekable; borrowed during the call */
	uint64_t bytes;   /* at most MAILBOX_SAMPLE_MAX */
	const char *name; /* as the mail names it */
	const char *type; /* MIME type, "" unknown */
	const char *mail; /* which mail it is of, for people; NULL: unknown */
};

/* What a process of ours has at a hypervisor that keeps a ledger. */
struct vmm_owned {
	uint32_t domain;
	uint32_t parent; /* UINT32_MAX: none */
	bool is_clone;   /* or a reference */
	bool is_there;   /* or a row of the ledger alone */
	bool is_orphan;  /* its holder is gone: reap() ends it */
	uint32_t slot;   /* of a clone */
	pid_t holder;
	const char *reference; /* "": not known, as mail */
	const char *mail;
	uint64_t until_usec;    /* since 1970, of a run; 0: it doesn't run */
	uint64_t private_bytes; /* 0: unknown */
};

typedef void vmm_owned_fn(void *arg, const struct vmm_owned *owned);

struct vmm_stats {
	uint64_t private_bytes; /* of this clone alone; 0: unknown */
	uint64_t clone_usec;    /* from clone() to the last VMM_PARKED that
				   it or reset() led to */
	uint64_t fork_usec;     /* of clone(), what the hypervisor took to copy
				   the reference; 0: unknown */
	uint64_t lost_events;   /* that the guest says it had no room for */
	bool wants_rehearsal;   /* it hasn't rehearsed, and would gain by it */
};

struct vmm_ops {
	const char *name;
	/* Its machines have no disk: all of a reference's root has to lie in
	 * the initial RAM disk. */
	bool no_disk;

	/*
	 * Can this host run this back end?  0, or -ENOTSUP; how or why not, in
	 * words, in why.  May block for the start of one program.
	 */
	int (*probe)(
	    const struct vmm_options *options, char *why, size_t why_size);

	/*
	 * Boot a reference, wait until its agent polls the mailbox, and leave
	 * its memory, the state of its devices and the manifest beside the
	 * files it was booted from.
	 *
	 * Returns 0; -ETIMEDOUT: the agent did not come so far; -ECHILD: the
	 * guest went down before; -EOPNOTSUPP: it needs what this back end's
	 * machines don't have; -EREMOTEIO: its agent lacks something that
	 * runs need, or its clones run a known program wrong, after each of
	 * several boots where some were seen to go wrong; or -errno.  err says
	 * it, where it can with the last words of the guest's console.  Blocks
	 * for all of it: seconds.
	 */
	int (*park)(const struct vmm_park *park, char *err, size_t err_size);

	/*
	 * Open a reference that was built before.  Returns 0; -ENOENT: not
	 * built; -ESTALE: built by another version of the hypervisor, another
	 * recipe or on another processor: build it again; -EBADMSG: damaged;
	 * or -errno.  err says it in words.
	 */
	int (*open)(const struct vmm_options *options, struct vmm **ret,
	    char *err, size_t err_size);
	void (*close)(struct vmm *vmm); /* after the last VMM_GONE */

	/*
	 * Octets of memory that clones can still be made of, out of which the
	 * reserve is to be kept; 0: unknown.  NULL: those that this system
	 * itself has available.
	 */
	uint64_t (*available)(const struct vmm *vmm);

	/*
	 * Begin a clone.  slot (from 0, its caller's numbering) becomes part
	 * of its name, by which reap() knows it.  Returns 0 and the clone,
	 * which is the caller's until VMM_GONE; or -errno.
	 */
	int (*clone)(struct vmm *vmm, uint32_t slot, struct vm **ret);

	/*
	 * Let a parked clone run what is known to be harmless and stand still
	 * again: VMM_PARKED comes once more, and its real run will be shorter
	 * by what the first run of a clone costs (under QEMU's TCG, the
	 * translation of the guest's code: five sixths of a small program's
	 * time).  It costs that time, and memory.  stats() says whether a
	 * clone wants it.  Returns 0, or -errno: the clone can't be used any
	 * more.  NULL: none ever wants it.
	 */
	int (*rehearse)(struct vm *vm);

	/*
	 * Put a sample before a parked clone; it still stands still.
	 * Returns 0; -EFBIG; or -errno as pread(2).  Blocks for one copy.
	 */
	int (*inject)(struct vm *vm, const struct vmm_sample *sample);

	/* Let it run; the agent ends the run itself after deadline_usec. */
	int (*run_start)(struct vm *vm, uint64_t deadline_usec);

	/* Readable when next() has something to say; borrowed. */
	int (*event_fd)(const struct vm *vm);

	/* The next event; -EAGAIN: none.  A bounded number per call of poll(2)
	 * however hard the guest rings. */
	int (*next)(struct vm *vm, enum vmm_event *ret);

	/*
	 * Copy octets of the report from offset `from` on: what the guest has
	 * written so far, at most n.  Returns the number, 0: no more yet.
	 * What was copied is never read again from the guest.
	 */
	size_t (*collect)(struct vm *vm, uint64_t from, void *buf, size_t n);

	/*
	 * Begin to bring a used clone back to the parked state; VMM_PARKED
	 * comes.  Returns 0; or -errno, -ENOTSUP where this one can't be
	 * brought back (it went down, or is no fork): destroy it and take
	 * another.  NULL: none can.  Blocks for milliseconds, the longer the
	 * more memory of its own it has.
	 */
	int (*reset)(struct vm *vm);

	/*
	 * Begin its end, at any time after clone(); VMM_GONE comes, nothing
	 * else.  Returns 0, or -errno: it can't be ended, the slot must be
	 * written off (and the struct vm is lost with it).
	 */
	int (*destroy)(struct vm *vm);

	/* End what a former process of ours left behind, by its names.
	 * Returns the number found, or -errno.  May block for a second. */
	int (*reap)(const struct vmm_options *options);

	/*
	 * Tell of all that this directory's processes own, whichever process
	 * asks.  0; -ENOTSUP as probe(); or -errno.  NULL: there is no ledger.
	 */
	int (*owned)(
	    const struct vmm_options *options, vmm_owned_fn *each, void *arg);

	void (*stats)(const struct vm *vm, struct vmm_stats *ret);
};

#endif
