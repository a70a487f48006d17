/*
 * worker/wire.h - every message between the roles of a worker: type, fixed
 * struct, descriptors.  One decoder a type (wire.c), fuzzed.
 *
 *   deliver -> engines  WIRE_JOB        one message to judge (fd: message)
 *   engines -> deliver  WIRE_JUDGEMENT  all answers + evidence (JSON)
 *   scan    -> engines  WIRE_CELL       a waiting cell (fds: socket, arena)
 *   scan    -> engines  WIRE_CELL_GONE  its wait status
 *   engines -> scan     WIRE_CELL_KILL  its deadline has passed
 *   engines -> scan     WIRE_CELL_WANT  a cell was used: fork another
 *   engines -> cell     WIRE_TASK       limits (fd: message, read-only)
 *   engines -> vmm      WIRE_VM_ASK     is there a hypervisor?
 *   vmm     -> engines  WIRE_VM_STATE   its back end, or why there is none
 */
#ifndef SLUICE_WORKER_WIRE_H
#define SLUICE_WORKER_WIRE_H

#include "worker/answer.h"
#include "worker/cell.h"

#include <stddef.h>
#include <stdint.h>

enum wire_type {
	WIRE_JOB = 1,
	WIRE_JUDGEMENT,
	WIRE_CELL,
	WIRE_CELL_GONE,
	WIRE_CELL_KILL,
	WIRE_CELL_WANT,
	WIRE_TASK,
	WIRE_VM_ASK,
	WIRE_VM_STATE,
};

#define WIRE_ANSWERS      8
#define WIRE_EVIDENCE_MAX 49152 /* JSON octets behind a judgement */

/* What is known about the envelope; all strings NUL-terminated, "" unknown. */
struct wire_job {
	uint64_t job;
	uint64_t bytes;  /* of the message in fds[0] */
	uint32_t afresh; /* not 0: ask the engines, not the scanned table */
	uint32_t pad;
	char id[40]; /* queue id, or the file's name for `sluice scan` */
	char sender[256];
	char rcpt[256];
	char client[128]; /* "host [addr]" */
};

struct wire_judgement {
	uint64_t job;
	uint32_t n_answers;
	uint32_t evidence_bytes; /* JSON text follows the struct, no NUL */
	struct engine_answer answers[WIRE_ANSWERS];
};

struct wire_cell {
	int32_t pid;
	uint32_t pad;
};

struct wire_cell_gone {
	int32_t pid;
	int32_t status;    /* as wait(2) gives it */
	uint64_t cpu_usec; /* user + system */
};

struct wire_task {
	struct cell_limits limits;
};

struct wire_vm_state {
	uint32_t available;
	char text[124]; /* back end, or what is missing */
};

struct ipc_msg;

/*
 * Check type, length, terminated strings, ranges and number of descriptors;
 * -EBADMSG otherwise.  The pointers point into msg.
 */
int wire_job(const struct ipc_msg *msg, const struct wire_job **ret);
int wire_judgement(const struct ipc_msg *msg, const struct wire_judgement **ret,
    const char **ret_evidence);
int wire_cell(const struct ipc_msg *msg, const struct wire_cell **ret);
int wire_cell_gone(
    const struct ipc_msg *msg, const struct wire_cell_gone **ret);
int wire_cell_kill(const struct ipc_msg *msg, const struct wire_cell **ret);
int wire_task(const struct ipc_msg *msg, const struct wire_task **ret);
int wire_vm_state(const struct ipc_msg *msg, const struct wire_vm_state **ret);

#endif
