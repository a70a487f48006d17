#include "tools/sluice/vm_rate.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/vm_host.h"
#include "vmm/asker.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <string.h>

struct load {
	struct event_base *base;
	struct asker *asker;
	struct rate *rate;
	struct ask_run what;
	int fd;
	uint64_t asked;
	int error;
};

static void ask_one(struct load *l);

static void
on_begun(void *arg, unsigned int attempt, const struct ask_begun *begun)
{
	(void)arg;
	(void)attempt;
	(void)begun;
}

static void
on_chunk(void *arg, const void *octets, size_t n)
{
	(void)arg;
	(void)octets;
	(void)n;
}

static void
on_done(void *arg, const struct ask_done *done)
{
	struct load *l = arg;

	l->rate->files++;
	l->rate->failed += done->end != ASK_END_PROGRAM;
	if (l->asked < l->what.run)
		ask_one(l);
	else if (l->rate->files == l->asked)
		(void)event_base_loopbreak(l->base);
}

static void
ask_one(struct load *l)
{
	static const struct asker_run_ops ops = {on_begun, on_chunk, on_done};
	struct asker_run *run;

	l->error = asker_run(l->asker, &l->what, l->fd, &ops, l, &run);
	if (l->error < 0)
		(void)event_base_loopbreak(l->base);
	else
		l->asked++;
}

/* The first `cores` of those that we may use. */
static int
restrict_to(uint32_t cores, cpu_set_t *ret_before)
{
	cpu_set_t few;
	uint32_t n = 0;

	if (sched_getaffinity(0, sizeof(*ret_before), ret_before) < 0)
		return -errno;
	CPU_ZERO(&few);
	for (int i = 0; i < CPU_SETSIZE && n < cores; i++)
		if (CPU_ISSET(i, ret_before)) {
			CPU_SET(i, &few);
			n++;
		}
	return sched_setaffinity(0, sizeof(few), &few) < 0 ? -errno : 0;
}

/* Twice as many in the line as can run: nobody waits for a question. */
static int
work(struct load *l, const char *sock)
{
	uint64_t files = l->rate->files;
	struct mono start;

	l->asker = asker_open(l->base, sock, NULL, NULL);
	l->rate->files = 0;
	l->what.run = files; /* its own meaning is the asker's */
	start = mono_now();
	for (uint64_t i = 0;
	     i < 2 * l->rate->clones && l->asked < files && l->error == 0; i++)
		ask_one(l);
	if (l->error == 0)
		(void)event_base_dispatch(l->base);
	l->rate->usec = mono_span(start, mono_now());
	l->asker = asker_close(l->asker);
	return l->error;
}

int
rate_measure(struct conf *conf, const struct vmm_ops *ops,
    const char *reference, int fd, uint64_t bytes, struct rate *rate, char *err,
    size_t err_size)
{
	struct load l = {.rate = rate, .fd = fd, .what = {.bytes = bytes}};
	struct vm_host *host;
	cpu_set_t before;
	int r;

	(void)snprintf(
	    l.what.reference, sizeof(l.what.reference), "%s", reference);
	strcpy(l.what.name, "sample");
	conf->vm.running_max = rate->clones;
	conf->vm.ready = rate->clones < 8 ? rate->clones : 8;
	conf->vm.clones_max = rate->clones + conf->vm.ready;
	if (conf->vm.clones_max > ASK_CLONES_MAX)
		conf->vm.clones_max = ASK_CLONES_MAX;
	r = restrict_to(rate->cores, &before);
	if (r < 0) {
		(void)snprintf(err, err_size, "affinity: %s", strerror(-r));
		return r;
	}
	l.base = event_base_new();
	assert(l.base);
	host = vm_host_start(l.base, conf, ops, err, err_size);
	r = host ? work(&l, vm_host_socket(host)) : -EIO;
	if (host && r < 0)
		(void)snprintf(err, err_size, "run: %s", strerror(-r));
	(void)vm_host_stop(host);
	event_base_free(l.base);
	(void)sched_setaffinity(0, sizeof(before), &before);
	rate->per_second = rate->usec ? (double)(rate->files - rate->failed) *
					    USEC_PER_SEC / (double)rate->usec
				      : 0;
	return r;
}
