/*
 * worker/wire.h - every message between the roles of a worker: type, fixed
 * struct, descriptors.  One decoder a type (wire.c), fuzzed.
 *
 *   deliver -> engines  WIRE_JOB        one message to judge (fd: message)
 *   engines -> deliver  WIRE_JUDGEMENT  all answers + evidence (JSON)
 *   engines -> scan     WIRE_CELL_WANT  fork a cell (fds: socket, arena)
 *   scan    -> engines  WIRE_CELL_GONE  its wait status
 *   engines -> scan     WIRE_CELL_KILL  its deadline has passed
 *   engines -> cell     WIRE_TASK       limits (fd: message or program)
 *   engines -> deliver  WIRE_LONG       a job waits for clones or links only
 *   vmm     -> engines  WIRE_VM_STATE   its back end, or why there is none:
 *                                       at the start, and when it changes
 *   engines -> vmm      WIRE_VM_RUN     a file to run (fd: its content)
 *   engines -> vmm      WIRE_VM_DROP    nobody waits for that any more
 *   vmm     -> engines  WIRE_VM_ANSWER  what it did + evidence (JSON)
 *   engines -> fetch    WIRE_FETCH      a link
 *   fetch   -> engines  WIRE_FETCHED    its file (fd: sealed), or why not
 *   engines -> archive  WIRE_KEEP       a file (fd: sealed) + metadata (JSON)
 *   archive -> engines  WIRE_KEPT       what came of the oldest of these
 */
#ifndef SLUICE_WORKER_WIRE_H
#define SLUICE_WORKER_WIRE_H

#include "common/digest.h"
#include "worker/answer.h"
#include "worker/cell.h"
#include "worker/url.h"

#include <stddef.h>
#include <stdint.h>

enum wire_type {
	WIRE_JOB = 1,
	WIRE_JUDGEMENT,
	WIRE_CELL_GONE,
	WIRE_CELL_KILL,
	WIRE_CELL_WANT,
	WIRE_TASK,
	WIRE_LONG,
	WIRE_VM_STATE,
	WIRE_VM_RUN,
	WIRE_VM_DROP,
	WIRE_VM_ANSWER,
	WIRE_FETCH,
	WIRE_FETCHED,
	WIRE_KEEP,
	WIRE_KEPT,
};

#define WIRE_ANSWERS         8
#define WIRE_EVIDENCE_MAX    49152 /* JSON octets behind a judgement */
#define WIRE_VM_EVIDENCE_MAX 4096  /* JSON octets behind one file's answer */
#define WIRE_REFERENCES      4
#define WIRE_VM_RUNS_MAX     128 /* without an answer: a descriptor each */

/* What is known about the envelope; all strings NUL-terminated, "" unknown. */
struct wire_job {
	uint64_t job;
	uint64_t bytes; /* of the message in fds[0] */
	uint64_t
	    held_usec;   /* since the clones did not know for the first time */
	uint32_t afresh; /* not 0: ask the engines, not the scanned table */
	uint32_t port;   /* of the client, with address; 0: unknown */
	char id[40];     /* queue id, or the file's name for `sluice scan` */
	char sender[256];
	char rcpt[256];
	char client[128];     /* "host [addr]"; "": it came by no connection */
	char address[48];     /* of the client, by our own Received line */
	char message_id[416]; /* the field, as its sender wrote it */
};

struct wire_judgement {
	uint64_t job;
	uint32_t n_answers;
	uint32_t evidence_bytes; /* JSON text follows the struct, no NUL */
	struct engine_answer answers[WIRE_ANSWERS];
};

/* Numbers are the engines': from 1, never again for another cell. */
struct wire_cell {
	uint64_t number;
};

struct wire_cell_gone {
	uint64_t number;
	uint64_t cpu_usec; /* user + system */
	int32_t status;    /* as wait(2) gives it */
	uint32_t pad;
};

enum task_what {
	TASK_MESSAGE,      /* read it; leaves a reading (worker/reading.h) */
	TASK_PROGRAM,      /* its features; leaves a bag (worker/mef/bag.h) */
	TASK_PROGRAM_2001, /* those of MEF_SET_2001 */
	TASK_WHATS
};

struct wire_task {
	struct cell_limits limits;
	uint32_t what; /* enum task_what */
	uint32_t pad;
};

struct wire_long {
	uint64_t job;
};

/* A reference that files can be run in now. */
struct wire_reference {
	char name[16];
	char context[80]; /* what its verdicts depend on, for the scanned table:
			     the reference's digest and that of the rules.
			     With a kind it must fit TABLE_CONTEXT_MAX */
};

struct wire_vm_state {
	uint32_t n; /* references; 0: no files can be run */
	uint32_t pad;
	struct wire_reference references[WIRE_REFERENCES];
	char text[128]; /* back end, or what is missing */
};

struct wire_vm_run {
	uint64_t run; /* not 0, unique to the engines role */
	uint64_t bytes;
	char reference[16];
	char name[256]; /* its ending says what it is run as... */
	char type[64];  /* ...unless this does: true type, else "" */
	char mail[40];  /* of which it is: as wire_job's id */
};

struct wire_vm_drop {
	uint64_t run;
};

struct wire_vm_answer {
	uint64_t run;
	uint32_t evidence_bytes; /* JSON text follows the struct, no NUL */
	uint32_t pad;
	struct engine_answer answer; /* engine "vm" */
};

struct wire_fetch {
	uint64_t number;
	char url[1008]; /* URL_MAX and NUL */
};

struct wire_fetched {
	uint64_t number;
	uint64_t bytes;  /* of the file in fds[0] */
	uint32_t got;    /* 1: there is a file; 0: text says why not */
	uint32_t is_cut; /* 1: the file ended before its end */
	uint32_t status; /* of HTTP, the last one; 0: none */
	uint32_t reserved;
	char name[256];         /* of the last address, as bytes */
	char type[128];         /* Content-Type, as the server wrote it */
	char disposition[1024]; /* Content-Disposition, likewise */
	char text[200];
};

struct wire_keep {
	uint64_t bytes;      /* of the file in fds[0] */
	uint32_t meta_bytes; /* JSON text follows the struct, no NUL */
	uint32_t pad;
	struct digest digest; /* SHA-256 of the file */
};

struct wire_kept {
	uint32_t error; /* 0, or the errno of mef_archive_put() */
	uint32_t pad;
};

struct ipc_msg;

/*
 * Check type, length, terminated strings, ranges and number of descriptors;
 * -EBADMSG otherwise.  The pointers point into msg.
 */
int wire_job(const struct ipc_msg *msg, const struct wire_job **ret);
int wire_judgement(const struct ipc_msg *msg, const struct wire_judgement **ret,
    const char **ret_evidence);
int wire_cell_want(const struct ipc_msg *msg, const struct wire_cell **ret);
int wire_cell_gone(
    const struct ipc_msg *msg, const struct wire_cell_gone **ret);
int wire_cell_kill(const struct ipc_msg *msg, const struct wire_cell **ret);
int wire_task(const struct ipc_msg *msg, const struct wire_task **ret);
int wire_long(const struct ipc_msg *msg, const struct wire_long **ret);
int wire_vm_state(const struct ipc_msg *msg, const struct wire_vm_state **ret);
int wire_vm_run(const struct ipc_msg *msg, const struct wire_vm_run **ret);
int wire_vm_drop(const struct ipc_msg *msg, const struct wire_vm_drop **ret);
int wire_vm_answer(const struct ipc_msg *msg, const struct wire_vm_answer **ret,
    const char **ret_evidence);
int wire_fetch(const struct ipc_msg *msg, const struct wire_fetch **ret);
int wire_fetched(const struct ipc_msg *msg, const struct wire_fetched **ret);
int wire_keep(const struct ipc_msg *msg, const struct wire_keep **ret,
    const char **ret_meta);
int wire_kept(const struct ipc_msg *msg, const struct wire_kept **ret);

#endif
