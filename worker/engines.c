/*
 * The engines role: jobs come in from deliver, judgements go back.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "worker/family.h"
#include "worker/judge.h"
#include "worker/proof.h"
#include "worker/roles.h"
#include "worker/wire.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define DELIVER_FD PROC_FIRST_FD
#define SCAN_FD    (PROC_FIRST_FD + 1)
#define VMM_FD     (PROC_FIRST_FD + 2)
#define FETCH_FD   (PROC_FIRST_FD + 3)

/* Deliver reads at once but for its fsyncs; longer than this it hangs. */
#define DELIVER_PATIENCE_MSEC 60000

struct engines {
	struct event_base *base;
	struct event *jobs; /* heard from when the self-test has passed */
	struct judge *judge;
	struct ipc_msg msg;
	int result;
};

static void
engines_end(struct engines *engines, int result)
{
	engines->result = result;
	(void)event_base_loopbreak(engines->base);
}

static void
on_proof(struct engines *engines, const struct wire_judgement *judgement,
    const char *evidence)
{
	char err[512];
	enum proof proof = proof_of(judgement, evidence, err, sizeof(err));

	if (proof != PROOF_HOLDS)
		log_error("%s", err);
	if (proof == PROOF_CELL_IS_BLIND)
		engines_end(engines, -EIO);
	else if (event_add(engines->jobs, NULL) < 0)
		engines_end(engines, -ENOMEM);
}

/* Must be heard, so it waits, within reason. */
static void
tell_deliver(
    struct engines *engines, uint32_t type, const void *body, size_t len)
{
	struct pollfd writable = {DELIVER_FD, POLLOUT, 0};
	int r;

	do
		r = ipc_send(DELIVER_FD, type, body, len, NULL, 0);
	while (r == -EAGAIN && poll(&writable, 1, DELIVER_PATIENCE_MSEC) > 0);
	if (r < 0)
		engines_end(engines, r == -EPIPE ? 0 : r);
}

static void
on_judged(
    void *arg, const struct wire_judgement *judgement, const char *evidence)
{
	struct engines *engines = arg;

	if (proof_is_mine(judgement)) {
		on_proof(engines, judgement, evidence);
		return;
	}
	/* The evidence stands behind the struct. */
	tell_deliver(engines, WIRE_JUDGEMENT, judgement,
	    sizeof(*judgement) + judgement->evidence_bytes);
}

static void
on_scan_lost(void *arg)
{
	engines_end(arg, -EPIPE);
}

static void
on_job(evutil_socket_t fd, short what, void *arg)
{
	struct engines *engines = arg;
	const struct wire_job *job;
	int r;

	(void)what;
	/* A few at a time, so that answers are heard in between. */
	for (int i = 0; i < 8; i++) {
		r = ipc_recv(fd, &engines->msg);
		if (r == -EAGAIN)
			return;
		if (r == 0)
			r = wire_job(&engines->msg, &job);
		if (r < 0) {
			ipc_drop_fds(&engines->msg);
			engines_end(engines, r == -EPIPE ? 0 : r);
			return;
		}
		judge_submit(engines->judge, job, TAKE_FD(engines->msg.fds[0]));
	}
}

/* Deliver gives its place to another; untold it would take us to hang. */
static void
on_long(void *arg, uint64_t job)
{
	struct wire_long msg = {.job = job};

	tell_deliver(arg, WIRE_LONG, &msg, sizeof(msg));
}

/* A command (k is 0) counts nothing. */
static void
count(struct judge *judge, const struct conf *conf, unsigned int k)
{
	struct metrics *metrics = NULL;
	char name[32];

	(void)snprintf(name, sizeof(name), "engines-%u", k);
	if (k > 0 && metrics_open(conf->site.runtime, name, &metrics) < 0)
		log_warn(
		    "%s/metrics/%s: cannot count", conf->site.runtime, name);
	judge_count(judge, metrics);
}

static int
engines_start(struct engines *engines, const struct conf *conf, unsigned int k)
{
	char err[512] = "";
	struct wire_job proof;
	int r, fd;

	/* A command archives nothing. */
	const unsigned int extras =
	    family_extras(conf) & (k > 0 ? ~0u : FAMILY_WITH_FETCH);
	const int archive_fd =
	    extras & FAMILY_WITH_FETCH ? FETCH_FD + 1 : FETCH_FD;

	/* Whoever started us may have read another configuration. */
	if (extras &&
	    fcntl(extras & FAMILY_WITH_ARCHIVE ? archive_fd : FETCH_FD,
		F_GETFD) < 0)
		return -EBADF;
	engines->base = event_base_new();
	if (!engines->base)
		return -ENOMEM;
	r = judge_new(engines->base, conf, SCAN_FD, on_judged, on_scan_lost,
	    engines, &engines->judge, err, sizeof(err));
	if (r == 0) {
		count(engines->judge, conf, k);
		judge_run(engines->judge, VMM_FD, on_long);
		if (extras & FAMILY_WITH_FETCH)
			judge_fetch(engines->judge, FETCH_FD, on_long);
		if (extras & FAMILY_WITH_ARCHIVE)
			judge_keep(engines->judge, archive_fd);
		r = sandbox_enter(ROLE_ENGINES, conf, err, sizeof(err));
	}
	if (r < 0) {
		log_error("start failed: %s", *err ? err : strerror(-r));
		return r;
	}
	engines->jobs = event_new(
	    engines->base, DELIVER_FD, EV_READ | EV_PERSIST, on_job, engines);
	if (!engines->jobs)
		return -ENOMEM;
	fd = proof_message(&proof);
	if (fd < 0)
		return fd;
	judge_submit(engines->judge, &proof, fd);
	return 0;
}

int
engines_role(const struct conf *conf, unsigned int k)
{
	/* Its message buffer is too large for the stack; lives to the end. */
	struct engines *engines = xcalloc(1, sizeof(*engines));
	int r = engines_start(engines, conf, k);

	if (r == 0) {
		(void)event_base_dispatch(engines->base);
		r = engines->result;
	}
	if (r < 0)
		log_error(
		    "engines role of worker %u ends: %s", k, strerror(-r));
	return r < 0 ? 111 : 0;
}
