/*
 * vmm/ask.h - how sluice-vmm, the one holder of the references a host, is
 * asked to run a file: messages of common/ipc.h over a UNIX socket
 * (SOCK_SEQPACKET) at site.runtime/vmm/vmm.sock.
 *
 *   asker -> holder  ASK_RUN    a file to run (fd: a sealed memfd)
 *   asker -> holder  ASK_STOP   enough is known, or nobody waits any more
 *   asker -> holder  ASK_LIST   which clones are there?
 *   holder -> asker  ASK_BEGUN  a clone has it; or how long it will wait
 *   holder -> asker  ASK_CHUNK  the next octets of its report
 *   holder -> asker  ASK_DONE   why it ended, with the times of its stages
 *   holder -> asker  ASK_CLONES references, totals, and one row a clone;
 *                               without rows and unasked when references come
 *                               or go
 *
 * Every ASK_RUN gets one ASK_DONE, unless the connection goes first; when it
 * goes, the holder stops what it asked for.  The holder never looks into a
 * report: it copies octets.
 */
#ifndef SLUICE_VMM_ASK_H
#define SLUICE_VMM_ASK_H

#include "vmm/mailbox.h"

#include <stddef.h>
#include <stdint.h>

#define ASK_CHUNK_MAX     32768
#define ASK_REFERENCE_MAX 16
/* So many rows and their head fit into one message. */
#define ASK_CLONES_MAX     200
#define ASK_REFERENCES_MAX 4
#define ASK_DIGEST_MAX     72
#define ASK_MAIL_MAX       40
/* A day: of deadlines and patience. */
#define ASK_SPAN_MAX_USEC UINT64_C(86400000000)

enum ask_type {
	ASK_RUN = 200,
	ASK_STOP,
	ASK_LIST,
	ASK_BEGUN,
	ASK_CHUNK,
	ASK_DONE,
	ASK_CLONES,
};

enum ask_end {
	ASK_END_PROGRAM,  /* the program and its children ended, or are quiet */
	ASK_END_DEADLINE, /* the time was up: the report is what was seen */
	ASK_END_STOPPED,  /* by ASK_STOP */
	ASK_END_DIED,     /* the clone died (unknown; try a fresh one once) */
	ASK_END_SILENT,   /* its agent did not answer in time (the same) */
	ASK_END_REFUSED,  /* no clone could be made, or no room (text says) */
	ASK_END_NO_BACKEND, /* no hypervisor or no such reference here */
	ASK_ENDS
};

/* Microseconds; 0: did not happen. */
struct ask_times {
	uint64_t queue; /* from ASK_RUN until a clone was free */
	uint64_t clone; /* that this clone had taken, ahead of time or not */
	uint64_t take;  /* from run_start() to the agent's answer */
	uint64_t inject;
	uint64_t run; /* from the agent's answer to its end */
	uint64_t collect;
	uint64_t destroy; /* 0 in ASK_DONE: it comes after */
};

struct ask_run {
	uint64_t run; /* the asker's own number, not 0, unique to it */
	uint64_t bytes;
	uint64_t
	    deadline_usec; /* of the run; 0: the holder's own (vm.deadline) */
	uint64_t
	    patience_usec; /* to wait for a clone; 0: as long as it takes */
	char reference[ASK_REFERENCE_MAX]; /* NUL-terminated, as all here */
	char name[MAILBOX_NAME_MAX];
	char type[MAILBOX_TYPE_MAX];
	char mail[ASK_MAIL_MAX]; /* of which it is, for people; "" unknown */
};

struct ask_stop {
	uint64_t run;
};

struct ask_begun {
	uint64_t run;
	uint32_t is_waiting; /* not 0: for a clone, about wait_usec long */
	uint32_t pad;
	uint64_t wait_usec;          /* UINT64_MAX: nobody knows */
	char digest[ASK_DIGEST_MAX]; /* of the reference, when it has a clone */
};

struct ask_chunk {
	uint64_t run;
	uint32_t from; /* offset in the report: no gaps, ascending */
	uint32_t n; /* octets that follow the struct, at most ASK_CHUNK_MAX */
};

struct ask_done {
	uint64_t run;
	uint32_t end;  /* enum ask_end */
	uint32_t lost; /* events that found no room, by the guest's word */
	uint64_t report_bytes;
	struct ask_times times;
	char text[128]; /* in words, "" where `end` says it all */
};

struct ask_clone {
	uint32_t slot;
	uint32_t state; /* enum pool_state (vmm/pool.h) */
	uint64_t pad;
	uint64_t age_usec;      /* in this state */
	uint64_t private_bytes; /* 0: unknown */
	char reference[ASK_REFERENCE_MAX];
	char name[MAILBOX_NAME_MAX]; /* of what it runs; told to root alone */
};

/* A reference that files can be run in. */
struct ask_reference {
	char name[ASK_REFERENCE_MAX];
	char digest[ASK_DIGEST_MAX]; /* changes when it is built anew */
};

struct ask_clones {
	uint32_t n;
	uint32_t waiting;     /* runs that wait for a clone */
	uint32_t written_off; /* slots */
	uint32_t n_references;
	uint64_t budget_bytes, used_bytes;
	uint64_t cloned, died; /* since the holder's start */
	char backend[16];      /* "" none */
	char text[128];        /* why none, or not all that are configured, or
				  no more clones */
	struct ask_reference references[ASK_REFERENCES_MAX];
	char how[192]; /* the back end works here, in its own words */
	/* n struct ask_clone follow, as many as fit into one message */
};

struct ipc_msg;

/* Check type, length, ranges, terminated strings and number of descriptors;
 * -EBADMSG otherwise.  The pointers point into msg. */
int ask_read_run(const struct ipc_msg *msg, const struct ask_run **ret);
int ask_read_list(const struct ipc_msg *msg);
int ask_read_stop(const struct ipc_msg *msg, const struct ask_stop **ret);
int ask_read_begun(const struct ipc_msg *msg, const struct ask_begun **ret);
int ask_read_chunk(const struct ipc_msg *msg, const struct ask_chunk **ret,
    const unsigned char **ret_octets);
int ask_read_done(const struct ipc_msg *msg, const struct ask_done **ret);
int ask_read_clones(const struct ipc_msg *msg, const struct ask_clones **ret,
    const struct ask_clone **ret_rows);

#endif
