/*
 * sluice-rpc: answers XML-RPC on loopback about the connections that carry
 * mail.
 */
#include "flow/rpc/http.h"
#include "flow/rpc/sockets.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "flow/start.h"

#include <argp.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define EXIT_SYSTEM 111

const char *argp_program_version = "sluice-rpc 0.1.0";

static int
fail(const char *what, const char *err)
{
	log_error("rpc %s: %s", what, err);
	return EXIT_SYSTEM;
}

struct rpc_daemon {
	struct event_base *base;
	struct rpc_sockets *sockets;
	int status;
};

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_daemon *d = arg;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(d->base);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_daemon *d = arg;

	(void)fd;
	(void)what;
	if (!rpc_sockets_are_old(d->sockets))
		return;
	log_info("rpc: whom it asks was started anew: begin again");
	d->status = EXIT_SYSTEM;
	(void)event_base_loopbreak(d->base);
}

static void
serve(struct rpc_daemon *d, const struct conf *conf, const int *fds)
{
	const struct rpc_site site = {.arg = d->sockets,
	    .ask = rpc_sockets_ask,
	    .counter = rpc_sockets_counter,
	    .may_teach = conf->flow.rpc_teach};
	const struct timeval tick = span_timeval(USEC_PER_SEC);
	struct event *events[] = {
	    event_new(d->base, -1, EV_PERSIST, on_tick, d),
	    evsignal_new(d->base, SIGTERM, on_end, d),
	    evsignal_new(d->base, SIGINT, on_end, d)};
	struct rpc_http *http = rpc_http_new(d->base, &site);

	if (http) {
		for (size_t i = 0; i < 2; i++)
			if (fds[i] >= 0)
				rpc_http_listen(http, fds[i]);
		for (size_t i = 0; i < ARRAY_SIZE(events); i++)
			(void)event_add(events[i], i == 0 ? &tick : NULL);
		log_info("rpc port=%" PRIu64 ": answering on 127.0.0.1%s",
		    conf->flow.rpc_port, fds[1] < 0 ? "" : " and ::1");
		if (event_base_dispatch(d->base) < 0)
			d->status = EXIT_SYSTEM;
	} else {
		d->status = fail("http", strerror(errno));
	}
	(void)rpc_http_free(http);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		event_free(events[i]);
}

static int
enter_and_serve(const struct conf *conf, const int *fds)
{
	struct rpc_daemon d = {.base = event_base_new(),
	    .sockets = rpc_sockets_new(conf->site.runtime)};
	char err[512];

	if (!d.base)
		d.status = fail("loop", strerror(errno));
	else if (sandbox_enter(ROLE_RPC, conf, err, sizeof(err)) < 0)
		d.status = fail("sandbox", err);
	else
		serve(&d, conf, fds);
	if (d.base)
		event_base_free(d.base);
	(void)rpc_sockets_free(d.sockets);
	return d.status;
}

static int
listen_and_serve(const struct conf *conf)
{
	const uint16_t port = (uint16_t)conf->flow.rpc_port;
	int fds[] = {-1, -1};
	int r = EXIT_SYSTEM;

	if (port == 0) {
		log_error("flow.rpc_port = 0: nothing is served; name a port "
			  "of loopback");
		return START_EXIT_USAGE;
	}
	fds[0] = rpc_listen(false, port);
	fds[1] = rpc_listen(true, port);
	/* A host without IPv6 is no worse for it. */
	if (fds[0] < 0)
		(void)fail("127.0.0.1", strerror(-fds[0]));
	else if (fds[1] < 0 && fds[1] != -EADDRNOTAVAIL &&
		 fds[1] != -EAFNOSUPPORT)
		(void)fail("::1", strerror(-fds[1]));
	else
		r = enter_and_serve(conf, fds);
	close_fd(&fds[0]);
	close_fd(&fds[1]);
	return r;
}

int
main(int argc, char **argv)
{
	struct conf *conf = start_daemon(argc, argv, "sluice-rpc",
	    "Serve as this configuration says",
	    "Answer XML-RPC on loopback about the connections that carry "
	    "mail.");
	int r;

	if (!conf)
		return START_EXIT_USAGE;
	r = listen_and_serve(conf);
	(void)conf_free(conf);
	return r;
}
