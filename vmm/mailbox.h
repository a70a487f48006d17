/*
 * vmm/mailbox.h - the memory that a clone and its host share: one page of
 * control words, the report, the sample.
 *
 * The guest sees it at the physical address that its kernel's command line
 * gives (mailbox=ADDRESS), beyond the memory that the kernel uses; the host
 * has the same pages as a file descriptor (QEMU) or a foreign mapping (Xen).
 * Whoever has a word says so below.  An octet on the guest's first serial
 * port rings the host's bell; it means no more than "look at the mailbox".
 *
 * Everything here is written by hostile code once a sample runs: the host
 * reads each of the guest's words once, with mailbox_load(), clamps what it
 * got, and copies octets out before it looks at them.
 */
#ifndef SLUICE_VMM_MAILBOX_H
#define SLUICE_VMM_MAILBOX_H

#include <stdint.h>

#define MAILBOX_MAGIC     0x534c5642u /* "SLVB" */
#define MAILBOX_VERSION   1u
#define MAILBOX_BYTES     (64u << 20) /* of address space; pages come as used */
#define MAILBOX_REPORT_AT 4096u
#define MAILBOX_SAMPLE_AT (2u << 20)
/* 8,000 events of the usual 250 octets: more is a flood (truncated). */
#define MAILBOX_REPORT_MAX  (MAILBOX_SAMPLE_AT - MAILBOX_REPORT_AT)
#define MAILBOX_SAMPLE_MAX  (MAILBOX_BYTES - MAILBOX_SAMPLE_AT)
#define MAILBOX_NAME_MAX    256
#define MAILBOX_TYPE_MAX    64
#define MAILBOX_SEED_BYTES  64
#define MAILBOX_LACKING_MAX 64
#define MAILBOX_BELL_PORT   0x3f8 /* the guest's COM1 */
/* A word of the kernel's command line, with any value: nothing is at the port,
 * and the host looks by its clock. */
#define MAILBOX_NO_BELL "nobell"

enum mailbox_command {
	MAILBOX_PING = 1, /* answer; deadline_msec > 0: rehearse a run before,
			     which costs memory and saves that run time */
	MAILBOX_RUN,      /* take the sample and run it */
};

enum mailbox_state {
	MAILBOX_BOOTING, /* zero: the agent has not come so far */
	MAILBOX_PARKED,  /* polls `order`; this is where clones are taken */
	MAILBOX_RUNNING,
	MAILBOX_ENDED, /* the report is complete */
};

struct mailbox {
	/* The host's, written before `order` counts up. */
	uint32_t magic;
	uint32_t version;
	uint32_t command;       /* enum mailbox_command */
	uint32_t deadline_msec; /* the agent ends the run itself then */
	uint64_t wall_nsec;     /* since 1970: the guest's clock stood still */
	uint64_t sample_bytes;
	unsigned char seed[MAILBOX_SEED_BYTES]; /* for the guest's random pool:
						   clones have one state */
	char name[MAILBOX_NAME_MAX]; /* of the file, as the mail names it */
	char type[MAILBOX_TYPE_MAX]; /* its true MIME type, "" unknown */
	uint32_t order;              /* of the last command; 0: none so far */
	uint32_t pad[15];
	/* The guest's. */
	uint32_t answer;       /* the last order that it has taken */
	uint32_t state;        /* enum mailbox_state */
	uint32_t report_bytes; /* whole lines of the report; only grows */
	uint32_t lost;         /* events that found no room */
	/* What its runs will have to do without, in words; "": nothing.  Read
	 * by who parks a reference, once that is MAILBOX_PARKED. */
	char lacking[MAILBOX_LACKING_MAX];
};

_Static_assert(sizeof(struct mailbox) <= MAILBOX_REPORT_AT, "one page");

#define mailbox_load(word) __atomic_load_n(&(word), __ATOMIC_ACQUIRE)
#define mailbox_store(word, value) \
	__atomic_store_n(&(word), value, __ATOMIC_RELEASE)

#endif
