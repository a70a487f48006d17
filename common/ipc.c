#include "common/ipc.h"

#include "common/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Marks the start of a message: "SLUI". */
#define IPC_MAGIC UINT32_C(0x534c5549)

struct ipc_header {
	uint32_t magic;
	uint32_t type;
	uint32_t len;
	uint32_t n_fds;
};

union fd_space {
	char buf[CMSG_SPACE(sizeof(int) * IPC_MAX_FDS)];
	struct cmsghdr align;
};

int
ipc_pair(int ret_fds[2])
{
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	return socketpair(AF_UNIX, type, 0, ret_fds) < 0 ? -errno : 0;
}

static void
attach_fds(struct msghdr *mh, union fd_space *space, const int *fds, int n)
{
	struct cmsghdr *cm;

	mh->msg_control = space->buf;
	mh->msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
	memcpy(CMSG_DATA(cm), fds, sizeof(int) * (size_t)n);
}

int
ipc_send(int fd, uint32_t type, const void *body, size_t len, const int *fds,
    int n_fds)
{
	struct ipc_header h = {IPC_MAGIC, type, (uint32_t)len, (uint32_t)n_fds};
	struct iovec iov[2] = {{&h, sizeof(h)}, {NULL, len}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2};
	union fd_space space;

	assert(n_fds >= 0 && n_fds <= IPC_MAX_FDS);
	if (len > IPC_MAX_BYTES)
		return -EMSGSIZE;
	memcpy(&iov[1].iov_base, &body, sizeof(body)); /* sendmsg only reads */
	memset(&space, 0, sizeof(space));
	if (n_fds > 0)
		attach_fds(&mh, &space, fds, n_fds);
	for (;;) {
		if (sendmsg(fd, &mh, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		return errno == ECONNRESET ? -EPIPE : -errno;
	}
}

static void
collect_fds(struct msghdr *mh, struct ipc_msg *msg)
{
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
		size_t n;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		/* The space given holds IPC_MAX_FDS, so more cannot arrive. */
		memcpy(msg->fds, CMSG_DATA(cm), n * sizeof(int));
		msg->n_fds = (int)n;
	}
}

int
ipc_recv(int fd, struct ipc_msg *msg)
{
	struct ipc_header h = {0};
	struct iovec iov[2] = {{&h, sizeof(h)}, {msg->body, sizeof(msg->body)}};
	union fd_space space;
	struct msghdr mh = {.msg_iov = iov,
	    .msg_iovlen = 2,
	    .msg_control = space.buf,
	    .msg_controllen = sizeof(space.buf)};
	ssize_t n;

	msg->n_fds = 0;
	do
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	collect_fds(&mh, msg);
	if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    (size_t)n < sizeof(h) || h.magic != IPC_MAGIC ||
	    h.len != (size_t)n - sizeof(h) || h.n_fds != (uint32_t)msg->n_fds) {
		ipc_drop_fds(msg);
		return -EBADMSG;
	}
	msg->type = h.type;
	msg->len = h.len;
	return 0;
}

void
ipc_drop_fds(struct ipc_msg *msg)
{
	for (int i = 0; i < msg->n_fds; i++)
		close_fd(&msg->fds[i]);
	msg->n_fds = 0;
}
