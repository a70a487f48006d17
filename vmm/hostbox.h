/*
 * vmm/hostbox.h - the host's side of a mailbox (vmm/mailbox.h).
 *
 * Of the guest's words none is believed: each is read once and clamped, and
 * octets are copied out before anyone looks at them.
 *
 * Where the hypervisor maps a file, the mailbox is a memfd that
 * hostbox_make() makes, hostbox_put() fills and hostbox_collect() reads, by
 * pread(2).  It can neither shrink nor grow: no access to its mapping can
 * fault.  A back end that maps the guest's own pages gives the first of them
 * as `page`, with fd = -1, and moves octets of sample and report itself.
 */
#ifndef SLUICE_VMM_HOSTBOX_H
#define SLUICE_VMM_HOSTBOX_H

#include "vmm/mailbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmm_sample;

struct hostbox {
	int fd;               /* MAILBOX_BYTES, sparse, sealed; -1: none */
	struct mailbox *page; /* its first page alone */
	uint32_t order;       /* of the last command */
	uint32_t report_seen; /* octets of the report that were told of */
	uint32_t state_seen;  /* enum mailbox_state, the furthest */
	bool has_answer, has_end;
};

/* What hostbox_look() has found that was not there before. */
enum hostbox_news {
	HOSTBOX_ANSWER = 1 << 0, /* the agent has the last order */
	HOSTBOX_REPORT = 1 << 1, /* the report is longer */
	HOSTBOX_END = 1 << 2,    /* the agent says that the run is over */
	HOSTBOX_LIE = 1 << 3,    /* what only grows has shrunk, or something
				    came after the end: no agent of ours */
};

/* Make an empty one.  0 or -errno; then there is nothing to drop. */
int hostbox_make(struct hostbox *ret);

/* Write into a first page what the guest knows a mailbox by. */
void hostbox_begin(struct mailbox *page);

/* Unmap and close; also of a struct that is all zero but fd = -1. */
void hostbox_drop(struct hostbox *box);

/*
 * Write name and type of a sample (cut to their room), its size and a fresh
 * seed.  Returns 0; -EFBIG above MAILBOX_SAMPLE_MAX; or -EIO: no random
 * numbers.
 */
int hostbox_label(struct hostbox *box, const struct vmm_sample *sample);

/*
 * Copy a sample in, with name and type (cut to their room), and a fresh seed.
 * Returns 0; -EFBIG above MAILBOX_SAMPLE_MAX; -ENODATA: the file is shorter
 * than it says; or -errno as read(2).  Blocks for one copy.
 */
int hostbox_put(struct hostbox *box, const struct vmm_sample *sample);

/* Give an order.  deadline_usec: of a run; 0 for others. */
void hostbox_order(
    struct hostbox *box, enum mailbox_command command, uint64_t deadline_usec);

/*
 * What is new?  A set of enum hostbox_news.  A report and an end count only
 * after the answer to the last order.
 */
unsigned int hostbox_look(struct hostbox *box);

/* Does the agent say that it has come so far as to poll for orders?  It says
 * so once, when it boots: not in a clone's mailbox. */
bool hostbox_is_parked(const struct hostbox *box);

/*
 * Can a guest that is parked run what comes?  Returns 0; or -EREMOTEIO: its
 * agent says that it lacks something, and err says what (in printable
 * characters, whatever the guest wrote) and what to do.
 */
int hostbox_is_fit(const struct hostbox *box, char *err, size_t err_size);

/* How many of n octets of the report from `from` on hostbox_look() has told
 * of; 0: none. */
size_t hostbox_told(const struct hostbox *box, uint64_t from, size_t n);

/* As collect() of vmm/vmm.h, up to what hostbox_look() has told of. */
size_t hostbox_collect(
    const struct hostbox *box, uint64_t from, void *buf, size_t n);

/* Events that the guest says found no room. */
uint32_t hostbox_lost(const struct hostbox *box);

#endif
