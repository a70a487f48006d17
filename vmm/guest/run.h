/*
 * vmm/guest/run.h - one run: the sample goes into a file, the file is opened,
 * what happens is watched until it is over.
 */
#ifndef SLUICE_VMM_GUEST_RUN_H
#define SLUICE_VMM_GUEST_RUN_H

#include "vmm/guest/jail.h"
#include "vmm/guest/ledger.h"
#include "vmm/guest/scene.h"
#include "vmm/guest/sink.h"
#include "vmm/guest/start.h"
#include "vmm/guest/watch_fanotify.h"
#include "vmm/guest/watch_wine.h"
#include "vmm/mailbox.h"

/* What a rehearsal executes: this binary, under a name that ends at once. */
#define RUN_REHEARSAL "rehearsal"

/* Made once, before clones are taken: all that lasts. */
struct run {
	struct scene scene;
	struct sink sink;
	struct jail jail;
	struct start start; /* what the next sample will be */
	struct ledger ledger;
	struct watch_files files;
	struct watch_wine wine;
	int server_calls;    /* of Wine's server; -1: there is none */
	int processes;       /* -1: this kernel doesn't tell */
	const char *lacking; /* what the report must confess, NULL: nothing */
	struct mailbox *box; /* NULL while it rehearses */
	uint32_t rung_bytes;
	uint64_t rung_usec;
};

/* What is run. */
struct run_sample {
	char name[MAILBOX_NAME_MAX];
	char type[MAILBOX_TYPE_MAX];
	const unsigned char *octets;
	size_t n;
	uint64_t deadline_usec; /* from now */
};

/* Open all vantage points. */
void run_prepare(struct run *run);

/*
 * Run a trivial program as a sample would be, and forget it: what the kernel
 * makes on its first time is then there for every clone.
 */
void run_rehearse(struct run *run);

/* Let what rehearsals left undone be done, before clones are taken.  Blocks
 * for some half a minute under Wine. */
void run_settle(struct run *run);

/*
 * Do what MAILBOX_RUN asks: reads the sample from the box, writes the report
 * into it, ends in its state MAILBOX_ENDED.  A guest runs once.  Blocks until
 * the run is over, deadline_msec at most.
 */
void run_order(struct run *run, struct mailbox *box);

#endif
