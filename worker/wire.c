#include "worker/wire.h"

#include "common/ipc.h"
#include "worker/mef/archive.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Is this message of that type, with exactly that length and fds? */
static bool
is_exactly(const struct ipc_msg *msg, uint32_t type, size_t len, int n_fds)
{
	return msg->type == type && msg->len == len && msg->n_fds == n_fds;
}

/* Of Linux. */
#define ERRNO_MAX 4095

#define ENDS(array) (memchr((array), '\0', sizeof(array)) != NULL)

int
wire_job(const struct ipc_msg *msg, const struct wire_job **ret)
{
	const struct wire_job *job = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_JOB, sizeof(*job), 1))
		return -EBADMSG;
	if (!ENDS(job->id) || !ENDS(job->sender) || !ENDS(job->rcpt) ||
	    !ENDS(job->client) || !ENDS(job->address) ||
	    !ENDS(job->message_id) || job->port > UINT16_MAX)
		return -EBADMSG;
	*ret = job;
	return 0;
}

static bool
is_answer(const struct engine_answer *a)
{
	return ENDS(a->engine) && ENDS(a->reason) && a->answer < ANSWER_COUNT &&
	       a->wait < ANSWER_WAITS;
}

/* It becomes part of a journal line: never a line of its own. */
static bool
is_one_line(const char *text, size_t len)
{
	return !memchr(text, '\n', len) && !memchr(text, '\0', len);
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
	if (!is_one_line(evidence, j->evidence_bytes))
		return -EBADMSG;
	*ret = j;
	*ret_evidence = evidence;
	return 0;
}

static int
wire_cell(const struct ipc_msg *msg, uint32_t type, int n_fds,
    const struct wire_cell **ret)
{
	const struct wire_cell *cell = (const void *)msg->body;

	if (!is_exactly(msg, type, sizeof(*cell), n_fds) || cell->number == 0)
		return -EBADMSG;
	*ret = cell;
	return 0;
}

int
wire_cell_want(const struct ipc_msg *msg, const struct wire_cell **ret)
{
	return wire_cell(msg, WIRE_CELL_WANT, 2, ret);
}

int
wire_cell_kill(const struct ipc_msg *msg, const struct wire_cell **ret)
{
	return wire_cell(msg, WIRE_CELL_KILL, 0, ret);
}

int
wire_cell_gone(const struct ipc_msg *msg, const struct wire_cell_gone **ret)
{
	const struct wire_cell_gone *gone = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_CELL_GONE, sizeof(*gone), 0) ||
	    gone->number == 0)
		return -EBADMSG;
	*ret = gone;
	return 0;
}

int
wire_task(const struct ipc_msg *msg, const struct wire_task **ret)
{
	const struct wire_task *task = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_TASK, sizeof(*task), 1) ||
	    task->what >= TASK_WHATS)
		return -EBADMSG;
	*ret = task;
	return 0;
}

int
wire_long(const struct ipc_msg *msg, const struct wire_long **ret)
{
	if (!is_exactly(msg, WIRE_LONG, sizeof(**ret), 0))
		return -EBADMSG;
	*ret = (const void *)msg->body;
	return 0;
}

int
wire_vm_state(const struct ipc_msg *msg, const struct wire_vm_state **ret)
{
	const struct wire_vm_state *state = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_VM_STATE, sizeof(*state), 0) ||
	    !ENDS(state->text) || state->n > WIRE_REFERENCES)
		return -EBADMSG;
	for (uint32_t i = 0; i < state->n; i++)
		if (!ENDS(state->references[i].name) ||
		    !ENDS(state->references[i].context))
			return -EBADMSG;
	*ret = state;
	return 0;
}

int
wire_vm_run(const struct ipc_msg *msg, const struct wire_vm_run **ret)
{
	const struct wire_vm_run *run = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_VM_RUN, sizeof(*run), 1) || run->run == 0 ||
	    !ENDS(run->reference) || !ENDS(run->name) || !ENDS(run->type) ||
	    !ENDS(run->mail))
		return -EBADMSG;
	*ret = run;
	return 0;
}

int
wire_vm_drop(const struct ipc_msg *msg, const struct wire_vm_drop **ret)
{
	if (!is_exactly(msg, WIRE_VM_DROP, sizeof(**ret), 0))
		return -EBADMSG;
	*ret = (const void *)msg->body;
	return 0;
}

int
wire_vm_answer(const struct ipc_msg *msg, const struct wire_vm_answer **ret,
    const char **ret_evidence)
{
	const struct wire_vm_answer *a = (const void *)msg->body;
	const char *evidence = (const char *)(a + 1);

	if (msg->type != WIRE_VM_ANSWER || msg->n_fds != 0 ||
	    msg->len < sizeof(*a) || a->evidence_bytes > WIRE_VM_EVIDENCE_MAX ||
	    msg->len != sizeof(*a) + a->evidence_bytes ||
	    !is_answer(&a->answer) || !is_one_line(evidence, a->evidence_bytes))
		return -EBADMSG;
	*ret = a;
	*ret_evidence = evidence;
	return 0;
}

int
wire_fetch(const struct ipc_msg *msg, const struct wire_fetch **ret)
{
	const struct wire_fetch *fetch = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_FETCH, sizeof(*fetch), 0) ||
	    !ENDS(fetch->url))
		return -EBADMSG;
	*ret = fetch;
	return 0;
}

int
wire_fetched(const struct ipc_msg *msg, const struct wire_fetched **ret)
{
	const struct wire_fetched *f = (const void *)msg->body;

	if (msg->len != sizeof(*f) || f->got > 1 || f->is_cut > 1 ||
	    !is_exactly(msg, WIRE_FETCHED, sizeof(*f), (int)f->got))
		return -EBADMSG;
	if (!ENDS(f->name) || !ENDS(f->type) || !ENDS(f->disposition) ||
	    !ENDS(f->text))
		return -EBADMSG;
	*ret = f;
	return 0;
}

int
wire_keep(const struct ipc_msg *msg, const struct wire_keep **ret,
    const char **ret_meta)
{
	const struct wire_keep *k = (const void *)msg->body;

	if (msg->type != WIRE_KEEP || msg->n_fds != 1 ||
	    msg->len < sizeof(*k) || k->meta_bytes > MEF_ARCHIVE_META_MAX ||
	    msg->len != sizeof(*k) + k->meta_bytes)
		return -EBADMSG;
	*ret = k;
	*ret_meta = (const char *)(k + 1);
	return 0;
}

int
wire_kept(const struct ipc_msg *msg, const struct wire_kept **ret)
{
	const struct wire_kept *k = (const void *)msg->body;

	if (!is_exactly(msg, WIRE_KEPT, sizeof(*k), 0) || k->error > ERRNO_MAX)
		return -EBADMSG;
	*ret = k;
	return 0;
}
