#include "vmm/holder.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "vmm/backends.h"
#include "vmm/holder_priv.h"
#include "vmm/vmm.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>

#define MAX_CONNECTIONS 256
#define TICK_USEC       (500 * USEC_PER_MSEC)
#define REFS_USEC       (2 * USEC_PER_SEC)
#define END_USEC        (10 * USEC_PER_MSEC) /* how often to look */
/* Runs of all askers that may wait; each has a descriptor here. */
#define WAITING_MAX 1024
/* Of a clone that was never measured: 18 MB parked, and what it runs. */
#define GUESS_BYTES (UINT64_C(48) << 20)

void
holder_limits(const struct conf *conf, struct pool_limits *ret)
{
	int cores = get_nprocs();
	uint32_t n = cores > 0 ? (uint32_t)cores : 1;

	*ret = (struct pool_limits){
	    .slots = (uint32_t)conf->vm.clones_max,
	    .running =
		conf->vm.running_max ? (uint32_t)conf->vm.running_max : 2 * n,
	    .cloning = n,
	    .reserve_bytes = conf->vm.memory_reserve_bytes,
	    .guess_bytes = GUESS_BYTES,
	    .clone_usec = conf->vm.clone_timeout_usec,
	    .take_usec = conf->vm.take_timeout_usec,
	    .run_usec = conf->vm.deadline_usec,
	    .run_max_usec = conf->vm.deadline_usec,
	    .grace_usec = conf->vm.grace_usec,
	    .drain_usec = conf->vm.drain_timeout_usec,
	    .destroy_usec = conf->vm.destroy_timeout_usec,
	    .waiting = WAITING_MAX,
	    .file_bytes = conf->vm.max_file_bytes,
	};
}

static void
reap(const struct vmm_ops *ops, const struct vmm_options *options)
{
	int r = ops->reap ? ops->reap(options) : 0;

	if (r > 0)
		log_warn("reap backend=%s: %d clones of a former process were "
			 "ended",
		    ops->name, r);
	else if (r < 0)
		log_error("reap backend=%s: %s", ops->name, strerror(-r));
}

const struct vmm_ops *
holder_choose(const struct conf *conf, char *why, size_t why_size)
{
	const struct vmm_options options = {.state = conf->vm.directory};
	const struct vmm_ops *ops =
	    backends_choose(conf->vm.backend, &options, why, why_size);

	if (!ops) {
		log_warn("backend none: vm.backend: %s", why);
		return NULL;
	}
	reap(ops, &options);
	log_info("backend name=%s: %s", ops->name, why);
	return ops;
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct holder *h = arg;
	struct conn *c, *next;

	(void)fd;
	(void)what;
	for (c = TAILQ_FIRST(&h->conns); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->is_dead)
			conn_free(c);
	}
	pool_loop_poke(h->loop);
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	CLEANUP(close_fd) int fd = -1;
	struct holder *h = arg;
	struct ucred peer;

	(void)what;
	fd = ipc_accept(listen_fd, h->parts.uid, &peer);
	if (fd == -EPERM)
		log_warn("asker peer=%d uid=%u: not of ours, closing",
		    (int)peer.pid, peer.uid);
	if (fd >= 0 && h->n_conns < MAX_CONNECTIONS)
		conn_new(h, TAKE_FD(fd), &peer);
}

static void
said(void *arg, uint32_t slot, const char *reference, const char *text)
{
	(void)arg;
	log_warn("clone slot=%u reference=%s: %s", slot, reference, text);
}

static void
count(const struct holder *h)
{
	struct metrics *m = h->parts.metrics;
	struct pool_counts c;

	pool_counts(h->pool, &c);
	metrics_set(m, METRIC_vm_clones, c.cloned);
	metrics_set(m, METRIC_vm_clone_failures, c.failed);
	metrics_set(m, METRIC_vm_died, c.died);
	metrics_set(m, METRIC_vm_silent, c.silent);
	metrics_set(m, METRIC_vm_odd, c.odd);
	metrics_set(m, METRIC_vm_runs, c.runs);
	metrics_set(m, METRIC_vm_refused, c.refused);
	metrics_set(m, METRIC_vm_stopped, c.stopped);
	metrics_set(m, METRIC_vm_written_off, c.lost);
	metrics_set(m, METRIC_vm_waiting, c.waiting);
	metrics_set(m, METRIC_vm_live, c.live);
	metrics_set(m, METRIC_vm_ready, c.parked);
	metrics_set(m, METRIC_vm_busy, c.busy);
	metrics_set(m, METRIC_vm_used_bytes, c.used_bytes);
	metrics_set(m, METRIC_vm_budget_bytes, c.budget_bytes);
	metrics_set(m, METRIC_vm_clone_usec, c.clone_usec);
	metrics_set(m, METRIC_vm_serve_usec, c.serve_usec);
	metrics_set(m, METRIC_vm_connections, h->n_conns);
}

static void
look(struct holder *h)
{
	struct mono now = mono_now();
	struct conn *c;

	if (h->is_ending ||
	    (h->refs_at.usec && mono_span(h->refs_at, now) < REFS_USEC))
		return;
	h->refs_at = now;
	if (!holder_look(h, now))
		return;
	TAILQ_FOREACH (c, &h->conns, link)
		conn_list(c, false);
	pool_loop_poke(h->loop);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct holder *h = arg;

	(void)fd;
	(void)what;
	look(h);
	count(h);
}

static void
on_ender(evutil_socket_t fd, short what, void *arg)
{
	struct holder *h = arg;

	(void)fd;
	(void)what;
	if (!pool_is_idle(h->pool) && mono_now().usec < h->end_at.usec)
		return;
	count(h);
	(void)event_base_loopbreak(h->base);
}

struct holder *
holder_new(struct event_base *base, const struct holder_parts *parts)
{
	struct holder *h = xcalloc(1, sizeof(*h));
	struct timeval tick = span_timeval(TICK_USEC);
	struct pool_limits limits;

	h->base = base;
	h->parts = *parts;
	holder_limits(parts->conf, &limits);
	h->loop = pool_loop_new(base, &limits, parts->meminfo, said, h);
	h->pool = pool_loop_pool(h->loop);
	TAILQ_INIT(&h->conns);
	holder_name_refs(h);
	h->reaper = event_new(base, -1, 0, on_reap, h);
	h->ticker = event_new(base, -1, EV_PERSIST, on_tick, h);
	h->ender = event_new(base, -1, EV_PERSIST, on_ender, h);
	h->acceptor = event_new(
	    base, parts->listen_fd, EV_READ | EV_PERSIST, on_accept, h);
	assert(h->reaper && h->ticker && h->ender && h->acceptor);
	(void)event_add(h->acceptor, NULL);
	(void)event_add(h->ticker, &tick);
	look(h);
	count(h);
	return h;
}

void
holder_end(struct holder *holder)
{
	struct timeval tv = span_timeval(END_USEC);

	if (holder->is_ending)
		return;
	holder->is_ending = true;
	(void)event_del(holder->acceptor);
	holder->end_at.usec = mono_now().usec +
			      holder->parts.conf->vm.destroy_timeout_usec +
			      END_USEC;
	pool_end(holder->pool, "sluice-vmm is ending", mono_now());
	pool_loop_poke(holder->loop);
	(void)event_add(holder->ender, &tv);
}

struct holder *
holder_free(struct holder *holder)
{
	if (!holder)
		return NULL;
	while (!TAILQ_EMPTY(&holder->conns))
		conn_free(TAILQ_FIRST(&holder->conns));
	(void)pool_loop_free(holder->loop);
	event_free(holder->acceptor);
	event_free(holder->reaper);
	event_free(holder->ticker);
	event_free(holder->ender);
	(void)close(holder->parts.listen_fd);
	free(holder);
	return NULL;
}
