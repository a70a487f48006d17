#include "vmm/ask.h"

#include "common/ipc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define HAS_END(text) (memchr((text), '\0', sizeof(text)) != NULL)

_Static_assert(
    sizeof(struct ask_clones) + ASK_CLONES_MAX * sizeof(struct ask_clone) <=
	IPC_MAX_BYTES,
    "a whole list is one message");

static bool
is_exactly(const struct ipc_msg *msg, uint32_t type, size_t len, int n_fds)
{
	return msg->type == type && msg->len == len && msg->n_fds == n_fds;
}

int
ask_read_run(const struct ipc_msg *msg, const struct ask_run **ret)
{
	const struct ask_run *r = (const void *)msg->body;

	if (!is_exactly(msg, ASK_RUN, sizeof(*r), 1) || r->run == 0 ||
	    r->bytes > INT64_MAX || r->deadline_usec > ASK_SPAN_MAX_USEC ||
	    r->patience_usec > ASK_SPAN_MAX_USEC || !HAS_END(r->reference) ||
	    !HAS_END(r->name) || !HAS_END(r->type) || !HAS_END(r->mail))
		return -EBADMSG;
	*ret = r;
	return 0;
}

int
ask_read_list(const struct ipc_msg *msg)
{
	return is_exactly(msg, ASK_LIST, 0, 0) ? 0 : -EBADMSG;
}

int
ask_read_stop(const struct ipc_msg *msg, const struct ask_stop **ret)
{
	const struct ask_stop *s = (const void *)msg->body;

	if (!is_exactly(msg, ASK_STOP, sizeof(*s), 0) || s->run == 0)
		return -EBADMSG;
	*ret = s;
	return 0;
}

int
ask_read_begun(const struct ipc_msg *msg, const struct ask_begun **ret)
{
	const struct ask_begun *b = (const void *)msg->body;

	if (!is_exactly(msg, ASK_BEGUN, sizeof(*b), 0) || b->run == 0 ||
	    !HAS_END(b->digest))
		return -EBADMSG;
	*ret = b;
	return 0;
}

int
ask_read_chunk(const struct ipc_msg *msg, const struct ask_chunk **ret,
    const unsigned char **ret_octets)
{
	const struct ask_chunk *c = (const void *)msg->body;

	if (msg->type != ASK_CHUNK || msg->n_fds != 0 ||
	    msg->len < sizeof(*c) || c->run == 0 || c->n == 0 ||
	    c->n > ASK_CHUNK_MAX || msg->len != sizeof(*c) + c->n ||
	    c->from > MAILBOX_REPORT_MAX || c->n > MAILBOX_REPORT_MAX - c->from)
		return -EBADMSG;
	*ret = c;
	*ret_octets = msg->body + sizeof(*c);
	return 0;
}

int
ask_read_done(const struct ipc_msg *msg, const struct ask_done **ret)
{
	const struct ask_done *d = (const void *)msg->body;

	if (!is_exactly(msg, ASK_DONE, sizeof(*d), 0) || d->run == 0 ||
	    d->end >= ASK_ENDS || d->report_bytes > MAILBOX_REPORT_MAX ||
	    !HAS_END(d->text))
		return -EBADMSG;
	*ret = d;
	return 0;
}

int
ask_read_clones(const struct ipc_msg *msg, const struct ask_clones **ret,
    const struct ask_clone **ret_rows)
{
	const struct ask_clones *c = (const void *)msg->body;
	const struct ask_clone *rows = (const void *)(msg->body + sizeof(*c));

	if (msg->type != ASK_CLONES || msg->n_fds != 0 ||
	    msg->len < sizeof(*c) || c->n > ASK_CLONES_MAX ||
	    msg->len != sizeof(*c) + c->n * sizeof(*rows) ||
	    c->n_references > ASK_REFERENCES_MAX || !HAS_END(c->backend) ||
	    !HAS_END(c->text) || !HAS_END(c->how))
		return -EBADMSG;
	for (uint32_t i = 0; i < c->n_references; i++)
		if (!HAS_END(c->references[i].name) ||
		    !HAS_END(c->references[i].digest))
			return -EBADMSG;
	for (uint32_t i = 0; i < c->n; i++)
		if (!HAS_END(rows[i].reference) || !HAS_END(rows[i].name))
			return -EBADMSG;
	*ret = c;
	*ret_rows = rows;
	return 0;
}
