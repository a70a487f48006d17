/*
 * tests/support/sandbox_net.h - sockets that a role may have or not, each
 * tried by a process that is in that role.
 */
#ifndef SLUICE_TESTS_SANDBOX_NET_H
#define SLUICE_TESTS_SANDBOX_NET_H

#include "tests/support/sandbox_site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#define EXIT_REFUSED 7

static inline int
result(long r)
{
	return r < 0 ? EXIT_REFUSED : 0;
}

static inline int
tcp_socket(const struct site *s)
{
	(void)s;
	return result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static inline int
udp_socket(const struct site *s)
{
	(void)s;
	return result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/* ECONNREFUSED means that the sandbox let it through. */
static inline int
connect_port(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return EXIT_REFUSED;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return 0;
	return errno == ECONNREFUSED ? 0 : EXIT_REFUSED;
}

static inline int
connect_spam(const struct site *s)
{
	(void)s;
	return connect_port(1783);
}

static inline int
connect_elsewhere(const struct site *s)
{
	(void)s;
	return connect_port(25);
}

static inline int
unix_socket(const struct site *s)
{
	(void)s;
	return result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

#endif
