/*
 * tests/support/fake_vmm.h - the vmm role as the engines role sees it: keeps
 * what it is asked, answers what a test says.
 */
#ifndef SLUICE_TESTS_FAKE_VMM_H
#define SLUICE_TESTS_FAKE_VMM_H

#include "common/io.h"
#include "common/ipc.h"
#include "worker/answer.h"
#include "worker/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAKE_VMM_KEPT    160
#define FAKE_VMM_CONTENT 64

struct fake_vmm {
	int engines_fd; /* for judge_run() */
	int fd;         /* -1: it died */
	struct wire_vm_run runs[FAKE_VMM_KEPT];
	char content[FAKE_VMM_KEPT][FAKE_VMM_CONTENT]; /* its beginning */
	bool is_sealed[FAKE_VMM_KEPT];
	uint64_t drops[FAKE_VMM_KEPT];
	size_t n_runs, n_drops;
	struct ipc_msg msg;
};

static inline void
fake_vmm_init(struct fake_vmm *v)
{
	int fds[2];

	v->n_runs = v->n_drops = 0;
	if (ipc_pair(fds) < 0)
		abort();
	v->engines_fd = fds[0];
	v->fd = fds[1];
}

/* The role dies. */
static inline void
fake_vmm_die(struct fake_vmm *v)
{
	(void)close(v->fd);
	v->fd = -1;
}

static inline void
fake_vmm_done(struct fake_vmm *v)
{
	if (v->fd >= 0)
		(void)close(v->fd);
	(void)close(v->engines_fd);
}

/* These references (a list with blanks) are there, each with that context. */
static inline void
fake_vmm_state(struct fake_vmm *v, const char *names, const char *context,
    const char *text)
{
	struct wire_vm_state state = {.n = 0};
	char list[64], *keep = NULL;

	(void)snprintf(list, sizeof(list), "%s", names);
	for (char *w = strtok_r(list, " ", &keep); w;
	     w = strtok_r(NULL, " ", &keep)) {
		struct wire_reference *r = &state.references[state.n++];

		(void)snprintf(r->name, sizeof(r->name), "%s", w);
		(void)snprintf(r->context, sizeof(r->context), "%s", context);
	}
	(void)snprintf(state.text, sizeof(state.text), "%s", text);
	if (ipc_send(v->fd, WIRE_VM_STATE, &state, sizeof(state), NULL, 0) < 0)
		abort();
}

static inline void
fake_vmm_take(struct fake_vmm *v)
{
	const struct wire_vm_run *run;
	const struct wire_vm_drop *drop;

	if (wire_vm_run(&v->msg, &run) == 0) {
		char *content = v->content[v->n_runs];
		const ssize_t n =
		    pread(v->msg.fds[0], content, FAKE_VMM_CONTENT - 1, 0);

		if (n < 0 ||
		    (uint64_t)lseek(v->msg.fds[0], 0, SEEK_END) != run->bytes)
			abort();
		content[n] = '\0';
		v->is_sealed[v->n_runs] = memfd_is_sealed(v->msg.fds[0]);
		v->runs[v->n_runs++] = *run;
	} else if (wire_vm_drop(&v->msg, &drop) == 0) {
		v->drops[v->n_drops++] = drop->run;
	} else {
		abort();
	}
	ipc_drop_fds(&v->msg);
	if (v->n_runs == FAKE_VMM_KEPT || v->n_drops == FAKE_VMM_KEPT)
		abort();
}

/* Take what has come, without waiting. */
static inline void
fake_vmm_serve(struct fake_vmm *v)
{
	while (v->fd >= 0 && ipc_recv(v->fd, &v->msg) == 0)
		fake_vmm_take(v);
}

static inline void
fake_vmm_answer(struct fake_vmm *v, uint64_t run, enum answer answer,
    const char *reason, const char *evidence)
{
	struct {
		struct wire_vm_answer a;
		char evidence[WIRE_VM_EVIDENCE_MAX];
	} out = {
	    .a = {.run = run, .evidence_bytes = (uint32_t)strlen(evidence)}};

	answer_set(&out.a.answer, "vm", answer, "%s", reason);
	(void)memcpy(out.evidence, evidence, out.a.evidence_bytes);
	if (ipc_send(v->fd, WIRE_VM_ANSWER, &out,
		sizeof(out.a) + out.a.evidence_bytes, NULL, 0) < 0)
		abort();
}

#endif
