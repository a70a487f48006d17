#include "worker/table.h"

#include "common/ipc.h"

#include <errno.h>
#include <string.h>

#define HAS_END(text) (memchr((text), '\0', sizeof(text)) != NULL)

static bool
is_type(const struct ipc_msg *msg, uint32_t type, size_t least)
{
	return msg->type == type && msg->len >= least && msg->n_fds == 0;
}

int
table_read_lookup(const struct ipc_msg *msg, const struct table_lookup **ret)
{
	const struct table_lookup *l = (const void *)msg->body;
	size_t head = offsetof(struct table_lookup, keys);

	if (!is_type(msg, TABLE_MSG_LOOKUP, head) || l->job == 0 || l->n == 0 ||
	    l->n > TABLE_KEYS_MAX ||
	    msg->len != head + l->n * sizeof(l->keys[0]) ||
	    !HAS_END(l->engine) || !HAS_END(l->context))
		return -EBADMSG;
	*ret = l;
	return 0;
}

int
table_read_result(const struct ipc_msg *msg, const struct table_result **ret)
{
	const struct table_result *r = (const void *)msg->body;

	if (!is_type(msg, TABLE_MSG_RESULT, sizeof(*r)) ||
	    msg->len != sizeof(*r) || r->verdict >= TABLE_VERDICTS ||
	    r->bytes > INT64_MAX || !HAS_END(r->engine) ||
	    !HAS_END(r->context) || !HAS_END(r->name))
		return -EBADMSG;
	*ret = r;
	return 0;
}

int
table_read_drop(const struct ipc_msg *msg, const struct table_drop **ret)
{
	const struct table_drop *d = (const void *)msg->body;

	if (!is_type(msg, TABLE_MSG_DROP, sizeof(*d)) || msg->len != sizeof(*d))
		return -EBADMSG;
	*ret = d;
	return 0;
}

int
table_read_answer(const struct ipc_msg *msg, const struct table_answer **ret)
{
	const struct table_answer *a = (const void *)msg->body;
	size_t head = offsetof(struct table_answer, entries);

	if (!is_type(msg, TABLE_MSG_ANSWER, head) || a->n > TABLE_ANSWERS_MAX ||
	    msg->len != head + a->n * sizeof(a->entries[0]))
		return -EBADMSG;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct table_entry *e = &a->entries[i];

		if (e->index >= TABLE_KEYS_MAX || e->state >= TABLE_STATES ||
		    e->verdict >= TABLE_VERDICTS || !HAS_END(e->name))
			return -EBADMSG;
		if (e->state == TABLE_KNOWN && e->verdict == TABLE_UNKNOWN)
			return -EBADMSG;
	}
	*ret = a;
	return 0;
}
