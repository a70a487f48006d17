/*
 * tests/fuzz/fuzz_wire.c - whatever comes over a socket between two roles, or
 * from the book, before every decoder: refused, or sound in every number.
 *
 * The input is the type (4 octets, this machine's order), the number of
 * descriptors (1 octet), then the body.
 */
#include "common/cleanup.h"
#include "common/ipc.h"
#include "worker/table.h"
#include "worker/wire.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
text(const char *at, size_t size)
{
	const size_t len = strlen(at); /* ASan: within what was received */

	assert(len < size);
	return len;
}

#define TEXT(array) text((array), sizeof(array))

static int
job(const struct ipc_msg *msg)
{
	const struct wire_job *j;
	const int r = wire_job(msg, &j);

	if (r == 0)
		(void)(TEXT(j->id) + TEXT(j->sender) + TEXT(j->rcpt) +
		       TEXT(j->client));
	return r;
}

static int
judgement(const struct ipc_msg *msg)
{
	const struct wire_judgement *j;
	const char *evidence;
	const int r = wire_judgement(msg, &j, &evidence);

	if (r < 0)
		return r;
	assert(j->n_answers <= WIRE_ANSWERS);
	for (uint32_t i = 0; i < j->n_answers; i++) {
		(void)TEXT(j->answers[i].engine);
		(void)TEXT(j->answers[i].reason);
		(void)answer_name((enum answer)j->answers[i].answer);
	}
	assert(!memchr(evidence, '\n', j->evidence_bytes));
	return 0;
}

static int
cell_want(const struct ipc_msg *msg)
{
	const struct wire_cell *c;
	const int r = wire_cell_want(msg, &c);

	assert(r < 0 || (c->number > 0 && msg->n_fds == 2));
	return r;
}

static int
cell_kill(const struct ipc_msg *msg)
{
	const struct wire_cell *c;
	const int r = wire_cell_kill(msg, &c);

	assert(r < 0 || c->number > 0);
	return r;
}

static int
cell_gone(const struct ipc_msg *msg)
{
	const struct wire_cell_gone *g;
	const int r = wire_cell_gone(msg, &g);

	assert(r < 0 || (g->number > 0 && (g->status == 0 || g->status != 0)));
	return r;
}

static int
task(const struct ipc_msg *msg)
{
	const struct wire_task *t;
	const int r = wire_task(msg, &t);
	struct wire_task copy;

	assert(r < 0 || t->what < TASK_WHATS);
	if (r == 0)
		memcpy(&copy, t, sizeof(copy));
	return r;
}

static int
takes_long(const struct ipc_msg *msg)
{
	const struct wire_long *l;
	const int r = wire_long(msg, &l);
	struct wire_long copy;

	if (r == 0)
		memcpy(&copy, l, sizeof(copy));
	return r;
}

static int
vm_state(const struct ipc_msg *msg)
{
	const struct wire_vm_state *s;
	const int r = wire_vm_state(msg, &s);

	if (r < 0)
		return r;
	assert(s->n <= WIRE_REFERENCES);
	(void)TEXT(s->text);
	for (uint32_t i = 0; i < s->n; i++)
		(void)(TEXT(s->references[i].name) +
		       TEXT(s->references[i].context));
	return 0;
}

static int
vm_run(const struct ipc_msg *msg)
{
	const struct wire_vm_run *run;
	const int r = wire_vm_run(msg, &run);

	if (r < 0)
		return r;
	assert(run->run != 0 && msg->n_fds == 1);
	(void)(TEXT(run->reference) + TEXT(run->name) + TEXT(run->type) +
	       TEXT(run->mail));
	return 0;
}

static int
vm_drop(const struct ipc_msg *msg)
{
	const struct wire_vm_drop *d;
	const int r = wire_vm_drop(msg, &d);
	struct wire_vm_drop copy;

	if (r == 0)
		memcpy(&copy, d, sizeof(copy));
	return r;
}

static int
vm_answer(const struct ipc_msg *msg)
{
	const struct wire_vm_answer *a;
	const char *evidence;
	const int r = wire_vm_answer(msg, &a, &evidence);

	if (r < 0)
		return r;
	assert(a->evidence_bytes <= WIRE_VM_EVIDENCE_MAX);
	assert(!memchr(evidence, '\n', a->evidence_bytes));
	(void)(TEXT(a->answer.engine) + TEXT(a->answer.reason));
	(void)answer_name((enum answer)a->answer.answer);
	assert(a->answer.wait < ANSWER_WAITS);
	return 0;
}

static int
fetch(const struct ipc_msg *msg)
{
	const struct wire_fetch *f;
	const int r = wire_fetch(msg, &f);

	if (r == 0)
		(void)TEXT(f->url);
	return r;
}

static int
keep(const struct ipc_msg *msg)
{
	const struct wire_keep *k;
	const char *meta;
	const int r = wire_keep(msg, &k, &meta);

	if (r == 0)
		free(strndup(meta, k->meta_bytes)); /* ASan: it is there */
	return r;
}

static int
kept(const struct ipc_msg *msg)
{
	const struct wire_kept *k;
	const int r = wire_kept(msg, &k);

	assert(r < 0 || k->error < 4096);
	return r;
}

static int
fetched(const struct ipc_msg *msg)
{
	const struct wire_fetched *f;
	const int r = wire_fetched(msg, &f);

	if (r < 0)
		return r;
	assert((int)f->got == msg->n_fds && f->is_cut <= 1);
	(void)(TEXT(f->name) + TEXT(f->type) + TEXT(f->disposition) +
	       TEXT(f->text));
	return 0;
}

static int
lookup(const struct ipc_msg *msg)
{
	const struct table_lookup *l;
	const int r = table_read_lookup(msg, &l);
	char hex[DIGEST_HEX];

	if (r < 0)
		return r;
	assert(l->job && l->n > 0 && l->n <= TABLE_KEYS_MAX);
	(void)(TEXT(l->engine) + TEXT(l->context));
	for (uint32_t i = 0; i < l->n; i++)
		(void)digest_hex(&l->keys[i], hex);
	return 0;
}

static int
result(const struct ipc_msg *msg)
{
	const struct table_result *res;
	const int r = table_read_result(msg, &res);

	if (r < 0)
		return r;
	assert(res->verdict < TABLE_VERDICTS && (int64_t)res->bytes >= 0);
	(void)(TEXT(res->engine) + TEXT(res->context) + TEXT(res->name));
	return 0;
}

static int
drop(const struct ipc_msg *msg)
{
	const struct table_drop *d;

	return table_read_drop(msg, &d);
}

static int
answer(const struct ipc_msg *msg)
{
	const struct table_answer *a;
	const int r = table_read_answer(msg, &a);

	if (r < 0)
		return r;
	assert(a->n <= TABLE_ANSWERS_MAX);
	for (uint32_t i = 0; i < a->n; i++) {
		const struct table_entry *e = &a->entries[i];

		assert(e->index < TABLE_KEYS_MAX && e->state < TABLE_STATES);
		assert(e->state != TABLE_KNOWN || e->verdict < TABLE_UNKNOWN);
		(void)TEXT(e->name);
	}
	return 0;
}

static int (*const decoders[])(const struct ipc_msg *) = {job, judgement,
    cell_want, cell_kill, cell_gone, task, takes_long, vm_state, vm_run,
    vm_drop, vm_answer, fetch, fetched, keep, kept, lookup, result, drop,
    answer};

/* No octet more than was received, so that reading on shows. */
static struct ipc_msg *
received(const uint8_t *data, size_t size)
{
	struct ipc_msg *msg =
	    malloc(offsetof(struct ipc_msg, body) + size - HEAD);

	if (!msg)
		abort();
	memcpy(&msg->type, data, sizeof(msg->type));
	msg->n_fds = data[4] % (IPC_MAX_FDS + 1);
	msg->len = (uint32_t)(size - HEAD);
	memcpy(msg->body, data + HEAD, size - HEAD);
	return msg;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_msg *msg;
	int taken = 0;

	if (size < HEAD || size - HEAD > IPC_MAX_BYTES)
		return 0;
	msg = received(data, size);
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
		const int r = decoders[i](msg);

		assert(r == 0 || r == -EBADMSG);
		taken += r == 0;
	}
	assert(taken <= 1); /* a message has one meaning */
	free(msg);
	return 0;
}
