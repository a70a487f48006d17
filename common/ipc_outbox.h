/*
 * common/ipc_outbox.h - messages that wait until a socket takes them; without
 * descriptors.
 */
#ifndef SLUICE_COMMON_IPC_OUTBOX_H
#define SLUICE_COMMON_IPC_OUTBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Beyond this the peer doesn't read: the connection is given up. */
#define OUTBOX_MAX_BYTES ((size_t)8 << 20)

struct outbox_item;

struct outbox {
	STAILQ_HEAD(, outbox_item) items;
	size_t bytes;
};

void outbox_init(struct outbox *outbox);
/* Forget what waits. */
void outbox_done(struct outbox *outbox);

/*
 * Send now, or keep a copy behind those that wait.
 * Returns 0: sent; 1: waits, so watch for EV_WRITE; -ENOBUFS: too much waits
 * already; or -errno as ipc_send().  Never blocks.
 */
int outbox_send(
    struct outbox *outbox, int fd, uint32_t type, const void *body, size_t len);

/* Send what waits.  0: all gone; 1: some still waits; or -errno. */
int outbox_flush(struct outbox *outbox, int fd);

#endif
