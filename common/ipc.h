/*
 * common/ipc.h - messages between roles: a type, a length, a fixed struct,
 * and up to IPC_MAX_FDS descriptors, over SOCK_SEQPACKET.
 *
 * A message arrives whole or not at all.  Nothing is trusted: the receiver
 * says how long each type is (worker/wire.h) and gets -EBADMSG otherwise.
 */
#ifndef SLUICE_COMMON_IPC_H
#define SLUICE_COMMON_IPC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define IPC_MAX_FDS   4
#define IPC_MAX_BYTES 65536 /* below the kernel's default socket buffer */

struct ipc_msg {
	uint32_t type;
	uint32_t len;         /* octets in body */
	int fds[IPC_MAX_FDS]; /* owned by the holder of the message */
	int n_fds;
	unsigned char body[IPC_MAX_BYTES] __attribute__((aligned(8)));
};

/* A connected pair, close-on-exec, non-blocking.  0 or -errno. */
int ipc_pair(int ret_fds[2]);

/*
 * A socket that listens at path (a stale one is replaced), close-on-exec,
 * non-blocking, mode 0666: it is the peer's uid that is to be checked.
 * Returns it; -EADDRINUSE: somebody listens there; -EEXIST: something else
 * is there; -ENAMETOOLONG; or -errno as bind(2).
 */
int ipc_listen(const char *path);

/*
 * Take the next who connects to such a listener, if root or uid does.
 * Returns the socket, close-on-exec, non-blocking; -EPERM: it is somebody
 * else's, and closed; -EAGAIN: nobody waits; or -errno as accept(2).  ret_peer
 * is who it is, also with -EPERM.
 */
struct ucred;
int ipc_accept(int listen_fd, uid_t uid, struct ucred *ret_peer);

/* Connect to one.  Returns the socket, close-on-exec, non-blocking; -EAGAIN:
 * too many wait there; or -errno as connect(2).  Does not block. */
int ipc_connect(const char *path);

/*
 * Send one message; the descriptors are duplicated into it and stay the
 * caller's.  Returns 0; -EAGAIN: the receiver's buffer is full, nothing was
 * sent; -EPIPE: nobody there any more; -EMSGSIZE; or -errno as sendmsg(2).
 * Blocks only on a blocking socket.
 */
int ipc_send(int fd, uint32_t type, const void *body, size_t len,
    const int *fds, int n_fds);

/*
 * Receive one message into *msg; its descriptors then belong to the caller,
 * who takes them out (TAKE_FD) or calls ipc_drop_fds().
 * Returns 0; -EAGAIN: none waiting; -EPIPE: the peer is gone; -EBADMSG: not
 * one of ours, or cut off (its descriptors were closed); -errno as recvmsg(2).
 */
int ipc_recv(int fd, struct ipc_msg *msg);

/* Close the descriptors that nobody took. */
void ipc_drop_fds(struct ipc_msg *msg);

#endif
