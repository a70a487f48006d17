#include "worker/wire.h"

#include "common/ipc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Is this message of that type, with exactly that length and fds? */
static bool
is_exactly(const struct ipc_msg *msg, uint32_t type, size_t len, int n_fds)
{
	return msg->type == type && msg->len == len && msg->n_fds == n_fds;
}

#define ENDS(array) (memchr((array), '\0', sizeof(array)) != NULL)

int
wire_job(const struct ipc_msg *msg, const struct wire_job **ret)
{
	const struct wire_job *job = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_JOB, sizeof(*job), 1))
		return -EBADMSG;
	if (!ENDS(job->id) || !ENDS(job->sender) || !ENDS(job->rcpt) ||
	    !ENDS(job->client))
		return -EBADMSG;
	*ret = job;
	return 0;
}

static bool
is_answer(const struct engine_answer *a)
{
	return ENDS(a->engine) && ENDS(a->reason) && a->answer < ANSWER_COUNT;
}

int
wire_judgement(const struct ipc_msg *msg, const struct wire_judgement **ret,
    const char **ret_evidence)
{
	const struct wire_judgement *j = (const void *)msg->body;
	const char *evidence = (const char *)(j + 1);

	if (msg->type != WIRE_JUDGEMENT || msg->n_fds != 0 ||
	    msg->len < sizeof(*j) || j->n_answers > WIRE_ANSWERS ||
	    j->evidence_bytes > WIRE_EVIDENCE_MAX ||
	    msg->len != sizeof(*j) + j->evidence_bytes)
		return -EBADMSG;
	for (uint32_t i = 0; i < j->n_answers; i++)
		if (!is_answer(&j->answers[i]))
			return -EBADMSG;
	/* It becomes part of a journal line: never a line of its own. */
	if (memchr(evidence, '\n', j->evidence_bytes) ||
	    memchr(evidence, '\0', j->evidence_bytes))
		return -EBADMSG;
	*ret = j;
	*ret_evidence = evidence;
	return 0;
}

static int
wire_pid(const struct ipc_msg *msg, uint32_t type, int n_fds,
    const struct wire_cell **ret)
{
	const struct wire_cell *cell = (const void *)msg->body;

	if (!is_exactly(msg, type, sizeof(*cell), n_fds) || cell->pid <= 0)
		return -EBADMSG;
	*ret = cell;
	return 0;
}

int
wire_cell(const struct ipc_msg *msg, const struct wire_cell **ret)
{
	return wire_pid(msg, WIRE_CELL, 2, ret);
}

int
wire_cell_kill(const struct ipc_msg *msg, const struct wire_cell **ret)
{
	return wire_pid(msg, WIRE_CELL_KILL, 0, ret);
}

int
wire_cell_gone(const struct ipc_msg *msg, const struct wire_cell_gone **ret)
{
	const struct wire_cell_gone *gone = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_CELL_GONE, sizeof(*gone), 0) ||
	    gone->pid <= 0)
		return -EBADMSG;
	*ret = gone;
	return 0;
}

int
wire_task(const struct ipc_msg *msg, const struct wire_task **ret)
{
	const struct wire_task *task = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_TASK, sizeof(*task), 1))
		return -EBADMSG;
	*ret = task;
	return 0;
}

int
wire_vm_state(const struct ipc_msg *msg, const struct wire_vm_state **ret)
{
	const struct wire_vm_state *state = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_VM_STATE, sizeof(*state), 0) ||
	    !ENDS(state->text))
		return -EBADMSG;
	*ret = state;
	return 0;
}
