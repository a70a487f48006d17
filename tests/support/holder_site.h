/*
 * tests/support/holder_site.h - a holder over the fake and an asker in one
 * loop, and runs that write down what they were told.
 */
#ifndef SLUICE_TESTS_HOLDER_SITE_H
#define SLUICE_TESTS_HOLDER_SITE_H

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "tests/support/open_files.h"
#include "tests/support/tmpspool.h"
#include "vmm/asker.h"
#include "vmm/fake.h"
#include "vmm/holder.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

struct site {
	char *dir, *sock;
	struct conf *conf;
	struct event_base *base;
	struct fake *fake;
	struct holder *holder;
	struct asker *asker;
	int states;
};

struct seen {
	struct asker_run *run;
	unsigned int attempt;
	int begins, waits, dones;
	char digest[ASK_DIGEST_MAX];
	struct ask_done done;
	size_t n_report;
	uint64_t sum; /* of the octets */
	bool stop_at_once;
};

static const struct fake_plan plan_usual = {
    .clone_usec = 2000,
    .take_usec = 1000,
    .run_usec = 5000,
    .destroy_usec = 1000,
    .report = "one\ntwo\n",
    .report_bytes = 8,
    .private_bytes = 1 << 20,
};

static inline void
on_state(void *arg)
{
	struct site *s = arg;

	s->states++;
}

static inline void
on_begun(void *arg, unsigned int attempt, const struct ask_begun *begun)
{
	struct seen *seen = arg;

	if (attempt != seen->attempt) {
		seen->attempt = attempt;
		seen->n_report = 0;
		seen->sum = 0;
	}
	seen->waits += begun->is_waiting != 0;
	seen->begins += begun->is_waiting == 0;
	memcpy(seen->digest, begun->digest, sizeof(seen->digest));
}

/* An octet at its place. */
static inline uint64_t
weigh(unsigned char octet, size_t at)
{
	return octet * (uint64_t)(at % 977 + 1);
}

static inline void
on_chunk(void *arg, const void *octets, size_t n)
{
	struct seen *seen = arg;

	for (size_t i = 0; i < n; i++)
		seen->sum += weigh(
		    ((const unsigned char *)octets)[i], seen->n_report + i);
	seen->n_report += n;
	if (seen->stop_at_once)
		asker_stop(seen->run);
}

static inline void
on_done(void *arg, const struct ask_done *done)
{
	struct seen *seen = arg;

	seen->dones++;
	seen->done = *done;
}

static const struct asker_run_ops seen_ops = {on_begun, on_chunk, on_done};

static inline void
set_text(char **setting, const char *text)
{
	free(*setting);
	*setting = xstrdup(text);
}

static inline void
build_reference(const struct site *s, const char *name, const char *text)
{
	CLEANUP(free_ptr) char *dir = xasprintf("%s/%s", s->dir, name);
	CLEANUP(free_ptr) char *tmp = xasprintf("%s/new", dir);
	CLEANUP(free_ptr) char *path = xasprintf("%s/manifest.json", dir);
	FILE *f;

	assert_true(mkdir(dir, 0755) == 0 || errno == EEXIST);
	f = fopen(tmp, "we");
	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(tmp, path), 0);
}

static inline void
start_holder(struct site *s)
{
	struct holder_parts parts = {.meminfo = -1,
	    .conf = s->conf,
	    .ops = &fake_ops,
	    .why = "as tests have it",
	    .uid = geteuid()};

	parts.listen_fd = ipc_listen(s->sock);
	assert_true(parts.listen_fd >= 0);
	s->holder = holder_new(s->base, &parts);
}

static inline int
set_up(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	char err[256];

	s->dir = tmp_new();
	s->sock = xasprintf("%s/vmm.sock", s->dir);
	assert_int_equal(conf_load(NULL, &s->conf, err, sizeof(err)), 0);
	set_text(&s->conf->vm.directory, s->dir);
	s->base = event_base_new();
	s->fake = fake_new(NULL);
	fake_plan(s->fake, &plan_usual);
	build_reference(s, "linux", "{}");
	start_holder(s);
	s->asker = asker_open(s->base, s->sock, on_state, s);
	*state = s;
	return 0;
}

static inline void
turn(struct site *s)
{
	assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
	(void)usleep(200);
}

static inline void
until(struct site *s, const int *what, int n)
{
	struct mono start = mono_now();

	while (*what < n && mono_span(start, mono_now()) < 5 * USEC_PER_SEC)
		turn(s);
	assert_true(*what >= n);
}

static inline void
stop_holder(struct site *s)
{
	if (!s->holder)
		return;
	holder_end(s->holder);
	assert_true(event_base_dispatch(s->base) >= 0); /* it ends the loop */
	s->holder = holder_free(s->holder);
}

static inline int
tear_down(void **state)
{
	struct site *s = *state;

	s->asker = asker_close(s->asker);
	stop_holder(s);
	s->fake = fake_free(s->fake);
	event_base_free(s->base);
	s->conf = conf_free(s->conf);
	tmp_remove(s->dir);
	free(s->sock);
	free(s);
	return 0;
}

/* A new holder, none of whose clones was made by another plan. */
static inline void
restart(struct site *s, const struct fake_plan *plan)
{
	s->asker = asker_close(s->asker);
	stop_holder(s);
	fake_plan(s->fake, plan);
	s->conf->vm.ready = 0;
	start_holder(s);
	s->asker = asker_open(s->base, s->sock, on_state, s);
}

static inline int
ask_on(struct asker *asker, struct seen *seen, const char *reference)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	struct ask_run what = {.bytes = 3};

	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(memfd_seal(fd), 0);
	strcpy(what.reference, reference);
	strcpy(what.name, "a.sh");
	return asker_run(asker, &what, fd, &seen_ops, seen, &seen->run);
}

static inline void
ask(struct site *s, struct seen *seen)
{
	assert_int_equal(ask_on(s->asker, seen, "linux"), 0);
}

#endif
