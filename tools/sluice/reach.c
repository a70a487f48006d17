#include "tools/sluice/reach.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

int
reach_unix(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	CLEANUP(close_fd) int fd = -1;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 &&
	    errno != EAGAIN)
		return -errno;
	return 0;
}

static int
resolve(const char *address, struct addrinfo **ret_info)
{
	const struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	    .ai_socktype = SOCK_STREAM};
	CLEANUP(free_ptr) char *host = xstrdup(address);
	char *colon = strrchr(host, ':'), *name = host;

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (host[0] == '[' && colon > host && colon[-1] == ']') {
		colon[-1] = '\0';
		name++;
	}
	return getaddrinfo(name, colon + 1, &hints, ret_info) == 0 ? 0
								   : -EINVAL;
}

static void
set_timeouts(int fd, time_t sec)
{
	const struct timeval tv = {.tv_sec = sec};

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

int
reach_connect(const char *address)
{
	CLEANUP(close_fd) int fd = -1;
	struct addrinfo *info = NULL;
	int r = resolve(address, &info);

	if (r < 0)
		return r;
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		r = -errno;
	} else {
		set_timeouts(fd, 2); /* connect(2) keeps to it */
		if (connect(fd, info->ai_addr, info->ai_addrlen) < 0)
			r = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
		set_timeouts(fd, 30);
	}
	freeaddrinfo(info);
	return r < 0 ? r : TAKE_FD(fd);
}

int
reach_tcp(const char *address)
{
	int fd = reach_connect(address);

	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}
