/*
 * The vmm role: has files run by sluice-vmm, reads what they did, and says
 * which of it is bad.  It parses what a hostile guest has written, so it has
 * nothing but two sockets, and no file's path.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "vmm/asker.h"
#include "vmm/detector.h"
#include "vmm/trial.h"
#include "worker/roles.h"
#include "worker/wire.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#define ENGINES_FD PROC_FIRST_FD

/* The engines role reads at once; longer than this it hangs. */
#define ENGINES_PATIENCE_MSEC 60000

/* Of each digest in a context: 64 bits, so that both and a name fit. */
#define CONTEXT_HEX 16

struct vmm_role {
	const struct conf *conf;
	struct event_base *base;
	struct asker *asker;
	struct rules *rules;
	LIST_HEAD(, file) files;
	struct ipc_msg msg;
	union {
		struct wire_vm_answer answer;
		char room[sizeof(struct wire_vm_answer) + WIRE_VM_EVIDENCE_MAX];
	} out;
	int result;
};

/* A file that is being run. */
struct file {
	LIST_ENTRY(file) link;
	struct vmm_role *role;
	uint64_t number; /* the engines role's */
	struct detector *detector;
	struct asker_run *run;
	struct mono begun;
	bool is_proven; /* and the run was told to stop */
};

static void
role_end(struct vmm_role *role, int result)
{
	role->result = result;
	(void)event_base_loopbreak(role->base);
}

static void
tell(struct vmm_role *role, uint32_t type, const void *body, size_t len)
{
	struct pollfd writable = {ENGINES_FD, POLLOUT, 0};
	int r;

	do
		r = ipc_send(ENGINES_FD, type, body, len, NULL, 0);
	while (r == -EAGAIN && poll(&writable, 1, ENGINES_PATIENCE_MSEC) > 0);
	if (r < 0)
		role_end(role, r == -EPIPE ? 0 : r);
}

static void
file_free(struct file *file)
{
	LIST_REMOVE(file, link);
	(void)detector_free(file->detector);
	free(file);
}

/* Of a kind that nothing here can run: said by the operator what to do. */
static enum answer
answer_of(const struct vmm_role *role, enum trial trial)
{
	switch (trial) {
	case TRIAL_CLEAN:
		return ANSWER_CLEAN;
	case TRIAL_HIT:
		return ANSWER_HIT;
	case TRIAL_NO_OPENER:
		return strcmp(role->conf->detonate.no_opener, "deliver") == 0
			   ? ANSWER_CLEAN
			   : ANSWER_UNKNOWN_MESSAGE;
	case TRIAL_UNKNOWN_FILE:
		return ANSWER_UNKNOWN_MESSAGE;
	case TRIAL_UNKNOWN_HOST:
	default:
		return ANSWER_UNKNOWN_SYSTEM;
	}
}

static void
on_done(void *arg, const struct ask_done *done)
{
	struct file *file = arg;
	struct vmm_role *role = file->role;
	struct wire_vm_answer *out = &role->out.answer;
	CLEANUP(free_ptr) char *evidence = NULL;
	char text[ANSWER_REASON_MAX];
	enum trial trial;

	detector_lost(file->detector, done->lost);
	trial = trial_of(file->detector, done, text, sizeof(text));
	*out = (struct wire_vm_answer){.run = file->number};
	answer_set(&out->answer, "vm", answer_of(role, trial), "%s", text);
	out->answer.usec = mono_span(file->begun, mono_now());
	evidence = detector_evidence(file->detector, WIRE_VM_EVIDENCE_MAX);
	if (evidence) {
		out->evidence_bytes = (uint32_t)strlen(evidence);
		memcpy(out + 1, evidence, out->evidence_bytes);
	}
	tell(role, WIRE_VM_ANSWER, out, sizeof(*out) + out->evidence_bytes);
	file_free(file);
}

static void
on_chunk(void *arg, const void *octets, size_t n)
{
	struct file *file = arg;

	detector_feed(file->detector, octets, n);
	if (file->is_proven || !detector_is_proven(file->detector))
		return;
	file->is_proven = true;
	asker_stop(file->run);
}

/* A second clone: what the first one's report said is half a story. */
static void
on_begun(void *arg, unsigned int attempt, const struct ask_begun *begun)
{
	struct file *file = arg;

	if (attempt == 1 || begun->is_waiting)
		return;
	(void)detector_free(file->detector);
	file->detector = detector_new(file->role->rules);
}

static void
refuse(struct file *file, int error)
{
	struct ask_done done = {.run = file->number, .end = ASK_END_REFUSED};

	(void)snprintf(done.text, sizeof(done.text), "%s",
	    error == -ENOTCONN ? "sluice-vmm does not run" : strerror(-error));
	on_done(file, &done);
}

static void
run(struct vmm_role *role, const struct wire_vm_run *what, int fd)
{
	static const struct asker_run_ops ops = {
	    .begun = on_begun, .chunk = on_chunk, .done = on_done};
	struct ask_run ask = {.bytes = what->bytes,
	    .patience_usec = role->conf->detonate.patience_usec};
	struct file *file = xcalloc(1, sizeof(*file));
	int r;

	(void)snprintf(
	    ask.reference, sizeof(ask.reference), "%s", what->reference);
	(void)snprintf(ask.name, sizeof(ask.name), "%s", what->name);
	(void)snprintf(ask.type, sizeof(ask.type), "%s", what->type);
	(void)snprintf(ask.mail, sizeof(ask.mail), "%s", what->mail);
	file->role = role;
	file->number = what->run;
	file->begun = mono_now();
	file->detector = detector_new(role->rules);
	LIST_INSERT_HEAD(&role->files, file, link);
	r = asker_run(role->asker, &ask, fd, &ops, file, &file->run);
	if (r < 0)
		refuse(file, r);
}

static void
drop(struct vmm_role *role, uint64_t number)
{
	struct file *file;

	LIST_FOREACH (file, &role->files, link)
		if (file->number == number)
			break;
	if (!file)
		return; /* answered meanwhile */
	asker_drop(file->run);
	file_free(file);
}

/* One message of the engines role. */
static int
take(struct vmm_role *role)
{
	const struct wire_vm_run *what;
	const struct wire_vm_drop *less;
	int r;

	if (role->msg.type == WIRE_VM_DROP) {
		r = wire_vm_drop(&role->msg, &less);
		if (r == 0)
			drop(role, less->run);
		return r;
	}
	r = wire_vm_run(&role->msg, &what);
	if (r == 0)
		run(role, what, role->msg.fds[0]);
	return r;
}

static void
on_engines(evutil_socket_t fd, short what, void *arg)
{
	struct vmm_role *role = arg;
	int r = ipc_recv(fd, &role->msg);

	(void)what;
	if (r == 0) {
		r = take(role);
		ipc_drop_fds(&role->msg);
	}
	if (r < 0 && r != -EAGAIN)
		role_end(role, r == -EPIPE ? 0 : r);
}

static void
add_reference(const struct vmm_role *role, const struct ask_reference *has,
    struct wire_vm_state *state)
{
	struct wire_reference *to = &state->references[state->n++];

	(void)snprintf(to->name, sizeof(to->name), "%s", has->name);
	(void)snprintf(to->context, sizeof(to->context), "%s:%.*s:%.*s",
	    has->name, CONTEXT_HEX, has->digest, CONTEXT_HEX,
	    rules_digest(role->rules));
}

static void
on_state(void *arg)
{
	struct vmm_role *role = arg;
	const struct ask_clone *rows;
	const struct ask_clones *now = asker_state(role->asker, &rows);
	struct wire_vm_state state = {.text = "sluice-vmm does not run"};

	if (now)
		(void)snprintf(state.text, sizeof(state.text), "%s",
		    *now->text ? now->text : now->backend);
	for (uint32_t i = 0; now && i < now->n_references; i++)
		if (state.n < WIRE_REFERENCES)
			add_reference(role, &now->references[i], &state);
	tell(role, WIRE_VM_STATE, &state, sizeof(state));
}

static int
open_all(struct vmm_role *role, char *err, size_t err_size)
{
	const struct conf *conf = role->conf;
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/vmm/vmm.sock", conf->site.runtime);
	struct event *readable;
	int r;

	r = rules_load(conf->vm.rules, &role->rules, err, err_size);
	if (r == 0)
		r = sandbox_enter(ROLE_VMM, conf, err, err_size);
	if (r < 0)
		return r;
	role->base = event_base_new();
	if (!role->base)
		return -ENOMEM;
	role->asker = asker_open(role->base, path, on_state, role);
	readable = event_new(
	    role->base, ENGINES_FD, EV_READ | EV_PERSIST, on_engines, role);
	return readable && event_add(readable, NULL) == 0 ? 0 : -ENOMEM;
}

/* Nothing to do but to live and die with the family. */
static int
stay(const struct conf *conf, char *err, size_t err_size)
{
	struct pollfd hangup = {ENGINES_FD, 0, 0};
	int r = sandbox_enter(ROLE_VMM, conf, err, err_size);

	while (r == 0 && poll(&hangup, 1, -1) < 0 && errno == EINTR)
		;
	return r;
}

int
vmm_role(const struct conf *conf)
{
	/* Its message buffer is too large for the stack; lives to the end. */
	struct vmm_role *role = xcalloc(1, sizeof(*role));
	char err[512] = "";
	int r;

	role->conf = conf;
	LIST_INIT(&role->files);
	if (!conf_has_word(conf->worker.engines, "vm")) {
		r = stay(conf, err, sizeof(err));
	} else {
		r = open_all(role, err, sizeof(err));
		if (r == 0) {
			(void)event_base_dispatch(role->base);
			r = role->result;
		}
	}
	if (r < 0)
		log_error("vmm role ends: %s", *err ? err : strerror(-r));
	return r < 0 ? 111 : 0;
}
