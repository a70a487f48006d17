/*
 * sluice-fetch - the role "fetch": brings files behind links.  A program of
 * its own, so that nobody else has libcurl in its address space.
 *
 * Descriptor 3 is the socket to the engines role (worker/wire.h).
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "worker/fetch_get.h"
#include "worker/mef/update.h"
#include "worker/wire.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ENGINES_FD PROC_FIRST_FD

/* The engines role reads at once; longer than this it hangs. */
#define PATIENCE_MSEC 60000

struct fetch {
	struct fetch_net net;
	struct ipc_msg msg;
	int result;
};

/*
 * With the operand "update" it brings an update of a model for `sluice model
 * poll`: the address is the site's own, and the file is large.
 */
#define UPDATE_TIMEOUT_USEC (10 * 60 * USEC_PER_SEC)

/* One link under way. */
struct link {
	struct fetch *fetch;
	uint64_t number;
};

static void
fetch_end(struct fetch *fetch, int result)
{
	fetch->result = result;
	(void)event_base_loopbreak(fetch->net.base);
}

static void
on_got(void *arg, const struct wire_fetched *fetched, int fd)
{
	struct link *link = arg;
	struct pollfd writable = {ENGINES_FD, POLLOUT, 0};
	struct wire_fetched out = *fetched;
	int r;

	out.number = link->number;
	if (fd >= 0 && memfd_seal(fd) < 0) { /* cannot be: nobody maps it */
		out.got = 0;
		fd = -1;
	}
	do
		r = ipc_send(
		    ENGINES_FD, WIRE_FETCHED, &out, sizeof(out), &fd, fd >= 0);
	while (r == -EAGAIN && poll(&writable, 1, PATIENCE_MSEC) > 0);
	if (r < 0)
		fetch_end(link->fetch, r == -EPIPE ? 0 : r);
	free(link);
}

static void
on_heard(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *fetch = arg;
	const struct wire_fetch *ask;
	struct link *link;
	int r = ipc_recv(fd, &fetch->msg);

	(void)what;
	if (r == -EAGAIN)
		return;
	if (r == 0)
		r = wire_fetch(&fetch->msg, &ask);
	if (r == 0) {
		link = xcalloc(1, sizeof(*link));
		link->fetch = fetch;
		link->number = ask->number;
		(void)fetch_get_new(&fetch->net, ask->url, on_got, link);
	}
	ipc_drop_fds(&fetch->msg);
	if (r < 0)
		fetch_end(fetch, r == -EPIPE ? 0 : r);
}

static int
start(struct fetch *fetch, const struct conf *conf)
{
	struct event_base *base = event_base_new();
	char err[256] = "";
	struct event *heard;
	int r;

	/* A server may close its end while we write. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (!base)
		return -ENOMEM;
	r = fetch_net_open(&fetch->net, base, conf, err, sizeof(err));
	if (r < 0) {
		log_error("start failed: %s", err);
		return r;
	}
	r = sandbox_enter(ROLE_FETCH, conf, err, sizeof(err));
	if (r < 0) {
		log_error("start failed: sandbox: %s", err);
		return r;
	}
	heard =
	    event_new(base, ENGINES_FD, EV_READ | EV_PERSIST, on_heard, fetch);
	return heard && event_add(heard, NULL) == 0 ? 0 : -ENOMEM;
}

int
main(int argc, char **argv)
{
	struct proc_args args;
	struct conf *conf = NULL;
	struct fetch *fetch;
	char err[512];
	int r;

	if (proc_parse(argc, argv, &args) < 0)
		return 100;
	log_init("sluice-fetch", LOG_LEVEL_INFO);
	if (conf_load(args.conf_path, &conf, err, sizeof(err)) < 0) {
		log_error("configuration: %s", err);
		return 100;
	}
	log_init("sluice-fetch",
	    (enum log_level)log_level_parse(conf->site.log_level));
	/* Its message buffer is too large for the stack; lives to the end. */
	fetch = xcalloc(1, sizeof(*fetch));
	if (args.extra && strcmp(args.extra, "update") == 0) {
		fetch->net.is_own = true;
		conf->links.file_bytes = MEF_UPDATE_MAX;
		conf->links.timeout_usec = UPDATE_TIMEOUT_USEC;
	}
	r = start(fetch, conf);
	if (r == 0) {
		(void)event_base_dispatch(fetch->net.base);
		r = fetch->result;
	}
	if (r < 0)
		log_error("fetch role ends: %s", strerror(-r));
	return r < 0 ? 111 : 0;
}
