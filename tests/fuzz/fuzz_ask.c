/*
 * tests/fuzz/fuzz_ask.c - whatever comes over the socket of sluice-vmm, from
 * either side, before every decoder: refused, or sound in every number.
 *
 * The input is the type (1 octet, from ASK_RUN on), the number of descriptors
 * (1 octet), then the body.
 */
#include "common/cleanup.h"
#include "common/ipc.h"
#include "vmm/ask.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its end lies within. */
static void
text(const char *at, size_t size)
{
	assert(strlen(at) < size);
}

#define TEXT(array) text((array), sizeof(array))

static int
run(const struct ipc_msg *msg)
{
	const struct ask_run *what;
	const int r = ask_read_run(msg, &what);

	if (r < 0)
		return r;
	assert(what->run != 0 && msg->n_fds == 1);
	/* No sum with an instant of the clock can go round. */
	assert(what->deadline_usec <= ASK_SPAN_MAX_USEC &&
	       what->patience_usec <= ASK_SPAN_MAX_USEC);
	TEXT(what->reference);
	TEXT(what->name);
	TEXT(what->type);
	TEXT(what->mail);
	return 0;
}

static int
chunk(const struct ipc_msg *msg)
{
	const unsigned char *octets;
	const struct ask_chunk *c;
	const int r = ask_read_chunk(msg, &c, &octets);
	unsigned int sum = 0;

	if (r < 0)
		return r;
	assert(c->n > 0 && c->n <= ASK_CHUNK_MAX);
	assert((uint64_t)c->from + c->n <= MAILBOX_REPORT_MAX);
	assert(octets + c->n == msg->body + msg->len);
	for (uint32_t i = 0; i < c->n; i++)
		sum += octets[i]; /* all of them were received */
	return sum > 0 ? 0 : r;
}

static int
done(const struct ipc_msg *msg)
{
	const struct ask_done *d;
	const int r = ask_read_done(msg, &d);

	if (r < 0)
		return r;
	assert(d->end < ASK_ENDS && d->report_bytes <= MAILBOX_REPORT_MAX);
	TEXT(d->text);
	return 0;
}

static int
clones(const struct ipc_msg *msg)
{
	const struct ask_clone *rows;
	const struct ask_clones *c;
	const int r = ask_read_clones(msg, &c, &rows);

	if (r < 0)
		return r;
	assert(c->n <= ASK_CLONES_MAX && c->n_references <= ASK_REFERENCES_MAX);
	TEXT(c->backend);
	TEXT(c->text);
	for (uint32_t i = 0; i < c->n_references; i++) {
		TEXT(c->references[i].name);
		TEXT(c->references[i].digest);
	}
	for (uint32_t i = 0; i < c->n; i++) {
		TEXT(rows[i].reference);
		TEXT(rows[i].name);
	}
	return 0;
}

static int
stop(const struct ipc_msg *msg)
{
	const struct ask_stop *s;
	const int r = ask_read_stop(msg, &s);

	assert(r < 0 || s->run != 0);
	return r;
}

static int
begun(const struct ipc_msg *msg)
{
	const struct ask_begun *b;
	const int r = ask_read_begun(msg, &b);

	assert(r < 0 || b->run != 0);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const decoders[])(const struct ipc_msg *) = {
	    run, stop, ask_read_list, begun, chunk, done, clones};
	struct ipc_msg *msg;
	size_t taken = 0;

	if (size < HEAD || size - HEAD > IPC_MAX_BYTES)
		return 0;
	/* As large as what was received: one octet more is found. */
	msg = malloc(offsetof(struct ipc_msg, body) + size - HEAD);
	assert(msg);
	msg->type = ASK_RUN + data[0];
	msg->n_fds = data[1] % (IPC_MAX_FDS + 1);
	msg->len = (uint32_t)(size - HEAD);
	memcpy(msg->body, data + HEAD, size - HEAD);
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
		const int r = decoders[i](msg);

		assert(r == 0 || r == -EBADMSG);
		taken += r == 0;
	}
	assert(taken <= 1);
	free(msg);
	return 0;
}
