#include "common/ipc_outbox.h"

#include "common/io.h"
#include "common/ipc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct outbox_item {
	STAILQ_ENTRY(outbox_item) link;
	uint32_t type;
	size_t len;
	unsigned char body[];
};

void
outbox_init(struct outbox *outbox)
{
	STAILQ_INIT(&outbox->items);
	outbox->bytes = 0;
}

static void
drop_first(struct outbox *o)
{
	struct outbox_item *item = STAILQ_FIRST(&o->items);

	STAILQ_REMOVE_HEAD(&o->items, link);
	o->bytes -= item->len;
	free(item);
}

void
outbox_done(struct outbox *outbox)
{
	while (!STAILQ_EMPTY(&outbox->items))
		drop_first(outbox);
}

static int
keep(struct outbox *o, uint32_t type, const void *body, size_t len)
{
	struct outbox_item *item;

	if (o->bytes + len > OUTBOX_MAX_BYTES)
		return -ENOBUFS;
	item = xcalloc(1, sizeof(*item) + len);
	item->type = type;
	item->len = len;
	memcpy(item->body, body, len);
	STAILQ_INSERT_TAIL(&o->items, item, link);
	o->bytes += len;
	return 1;
}

int
outbox_send(
    struct outbox *outbox, int fd, uint32_t type, const void *body, size_t len)
{
	int r = -EAGAIN;

	if (STAILQ_EMPTY(&outbox->items))
		r = ipc_send(fd, type, body, len, NULL, 0);
	return r == -EAGAIN ? keep(outbox, type, body, len) : r;
}

int
outbox_flush(struct outbox *outbox, int fd)
{
	while (!STAILQ_EMPTY(&outbox->items)) {
		const struct outbox_item *item = STAILQ_FIRST(&outbox->items);
		int r =
		    ipc_send(fd, item->type, item->body, item->len, NULL, 0);

		if (r == -EAGAIN)
			return 1;
		if (r < 0)
			return r;
		drop_first(outbox);
	}
	return 0;
}
