/* Calls that open connections and ports. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/calls_priv.h"
#include "vmm/guest/sink.h"
#include "vmm/guest/tracee.h"

#define DNS_PORT 53 /* its questions are reported, not its connections */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* An address in the program's memory: its port, 0: of no network. */
static uint16_t
read_address(const struct call *call, uint64_t at, uint64_t n,
    char text[INET6_ADDRSTRLEN])
{
	union address address = {.any.sa_family = AF_UNSPEC};

	if (n < sizeof(address.v4) ||
	    !tracee_read(call->pid, at, &address,
		n < sizeof(address) ? (size_t)n : sizeof(address)))
		return 0;
	text[0] = '\0';
	if (address.any.sa_family == AF_INET) {
		(void)inet_ntop(
		    AF_INET, &address.v4.sin_addr, text, INET6_ADDRSTRLEN);
		return ntohs(address.v4.sin_port);
	}
	if (address.any.sa_family == AF_INET6 && n >= sizeof(address.v6)) {
		(void)inet_ntop(
		    AF_INET6, &address.v6.sin6_addr, text, INET6_ADDRSTRLEN);
		return ntohs(address.v6.sin6_port);
	}
	return 0;
}

static bool
is_udp(const struct call *call, int fd)
{
	CLEANUP(close_fd) int mine = tracee_fd(call->pid, fd);
	int type = 0;
	socklen_t n = sizeof(type);

	return mine >= 0 &&
	       getsockopt(mine, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	       type == SOCK_DGRAM;
}

/* Somebody listens by the time that the connection is tried. */
static void
connects(struct scene *scene, const struct call *call, int fd, uint64_t at,
    uint64_t n)
{
	char addr[INET6_ADDRSTRLEN];
	const uint16_t port = read_address(call, at, n, addr);
	bool udp;

	if (port == 0 || port == DNS_PORT)
		return;
	udp = is_udp(call, fd);
	if (scene->sink)
		sink_expect(scene->sink, port, udp);
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_NET_CONNECT,
	    FIELD("addr", addr), FIELD_NUMBER("port", port),
	    FIELD("proto", udp ? "udp" : "tcp"));
}

static void
binds(struct scene *scene, const struct call *call, int fd, uint64_t at,
    uint64_t n)
{
	char addr[INET6_ADDRSTRLEN];
	const uint16_t port = read_address(call, at, n, addr);
	const bool udp = port > 0 && is_udp(call, fd);

	if (port == 0)
		return;
	if (scene->sink)
		sink_yield(scene->sink, port, udp);
	if (udp) /* nothing more is needed to be heard */
		scene_add(scene, BY_SECCOMP, call->pid, REPORT_NET_LISTEN,
		    FIELD_NUMBER("port", port), FIELD("proto", "udp"));
}

static void
listens(struct scene *scene, const struct call *call, int fd)
{
	CLEANUP(close_fd) int mine = tracee_fd(call->pid, fd);
	union address address = {.any.sa_family = AF_UNSPEC};
	socklen_t n = sizeof(address);
	uint16_t port;

	if (mine < 0 || getsockname(mine, &address.any, &n) < 0 ||
	    (address.any.sa_family != AF_INET &&
		address.any.sa_family != AF_INET6))
		return;
	port = ntohs(address.v4.sin_port); /* of both at one place */
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_NET_LISTEN,
	    FIELD_NUMBER("port", port), FIELD("proto", "tcp"));
}

CALL_HANDLER(on_connect)
{
	connects(scene, call, (int)call->args[0], call->args[1], call->args[2]);
	return CALL_GO;
}

CALL_HANDLER(on_send)
{
	connects(scene, call, (int)call->args[0], call->args[4], call->args[5]);
	return CALL_GO;
}

CALL_HANDLER(on_bind)
{
	binds(scene, call, (int)call->args[0], call->args[1], call->args[2]);
	return CALL_GO;
}

CALL_HANDLER(on_listen)
{
	listens(scene, call, (int)call->args[0]);
	return CALL_GO;
}

/* All of the above for 32-bit programs: net.h of the kernel numbers them. */
CALL_HANDLER(on_socketcall)
{
	enum { BIND = 2, CONNECT = 3, LISTEN = 4, SENDTO = 11 };
	uint32_t args[6] = {0};

	(void)tracee_read(call->pid, call->args[1], args, 3 * sizeof(args[0]));
	switch ((int)call->args[0]) {
	case BIND:
		binds(scene, call, (int)args[0], args[1], args[2]);
		break;
	case CONNECT:
		connects(scene, call, (int)args[0], args[1], args[2]);
		break;
	case LISTEN:
		listens(scene, call, (int)args[0]);
		break;
	case SENDTO:
		if (tracee_read(call->pid, call->args[1], args, sizeof(args)))
			connects(scene, call, (int)args[0], args[4], args[5]);
		break;
	default:
		break;
	}
	return CALL_GO;
}
