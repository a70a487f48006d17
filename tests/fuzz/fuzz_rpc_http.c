/*
 * tests/fuzz/fuzz_rpc_http.c - any octets as what a client of XML-RPC sends:
 * the first one says in which pieces.
 */
#include "flow/rpc/http.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
ask(void *arg, enum rpc_whom whom, const char *question, char *answer)
{
	(void)arg;
	(void)whom;
	(void)question;
	(void)strcpy(answer, "found by=client pkts_in=5");
	return 0;
}

static bool
counter(void *arg, size_t i, const char **ret_name, uint64_t *ret_value)
{
	(void)arg;
	(void)i;
	(void)ret_name;
	(void)ret_value;
	return false;
}

static void
turn(struct event_base *base)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rpc_site site = {.ask = ask, .counter = counter};
	static struct event_base *base;
	static struct rpc_http *http;
	size_t step;
	char buf[4096];
	int fds[2];

	if (!http) {
		(void)signal(SIGPIPE, SIG_IGN);
		base = event_base_new();
		http = rpc_http_new(base, &site);
		assert(http);
	}
	if (size == 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) < 0)
		return 0;
	step = data[0] ? 64u * data[0] : size;
	rpc_http_take(http, fds[1]);
	for (size_t at = 1; at < size; at += step) {
		const size_t n = size - at < step ? size - at : step;

		if (send(fds[0], data + at, n, MSG_NOSIGNAL) < 0)
			break;
		turn(base);
		while (recv(fds[0], buf, sizeof(buf), 0) > 0)
			;
	}
	(void)close(fds[0]);
	/* Whatever was sent, nothing stays of who has gone. */
	for (int i = 0; i < 1000 && rpc_http_connections(http) > 0; i++)
		turn(base);
	assert(rpc_http_connections(http) == 0);
	return 0;
}
