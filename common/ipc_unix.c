#include "common/ipc.h"

#include "common/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 64

static int
address(const char *path, struct sockaddr_un *ret_address)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path); /* checked above */
	*ret_address = a;
	return 0;
}

/* A socket file that nobody listens on is what a killed process left. */
static int
remove_stale(const struct sockaddr_un *a)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	if (lstat(a->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST; /* not ours to remove */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ||
	    errno == EAGAIN)
		return -EADDRINUSE;
	return unlink(a->sun_path) < 0 ? -errno : 0;
}

int
ipc_listen(const char *path)
{
	CLEANUP(close_fd) int fd = -1;
	struct sockaddr_un a;
	int r = address(path, &a);

	if (r == 0)
		r = remove_stale(&a);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    chmod(path, 0666) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int
ipc_accept(int listen_fd, uid_t uid, struct ucred *ret_peer)
{
	CLEANUP(close_fd)
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	socklen_t len = sizeof(*ret_peer);

	if (fd < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &len) < 0)
		return -errno;
	if (ret_peer->uid != 0 && ret_peer->uid != uid)
		return -EPERM;
	return TAKE_FD(fd);
}

int
ipc_connect(const char *path)
{
	CLEANUP(close_fd) int fd = -1;
	struct sockaddr_un a;
	int r = address(path, &a);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return TAKE_FD(fd);
}
