#include "worker/runs.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "worker/job_priv.h"
#include "worker/reading.h"
#include "worker/suspect.h"
#include "worker/table.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define DETONATE_FILES_MAX 64 /* of conf detonate.files */

/* One file of one message on its way through table and clone. */
struct run {
	UT_hash_handle hh; /* by number */
	uint64_t number;   /* for the table and the vmm role */
	struct runs *runs;
	struct job_part *part;
	struct suspect suspect;
	char context[TABLE_CONTEXT_MAX];
	bool is_claimed;        /* the table waits for our answer */
	bool is_sent;           /* the vmm role has it */
	struct event *patience; /* for what another worker runs */
};

struct runs {
	struct judge *judge;
	int vmm_fd;
	struct event *readable;
	struct table *table;
	struct run *by_number;
	uint64_t last_number;
	size_t n_long;       /* jobs that wait */
	uint64_t long_bytes; /* of their readings */
	struct wire_vm_state state;
	struct ipc_msg msg;
};

static const struct reading_part *
seen_of(const struct job_part *part)
{
	return &part->job->reading->parts[part - part->job->parts];
}

static struct run *
find_run(struct runs *runs, uint64_t number)
{
	struct run *run;

	HASH_FIND(hh, runs->by_number, &number, sizeof(number), run);
	return run;
}

static void
run_free(struct run *run)
{
	HASH_DEL(run->runs->by_number, run);
	if (run->patience)
		event_free(run->patience);
	free(run);
}

/* The rule for the end of its class's hold is not to wait any longer. */
static void
weigh_unknown(const struct run *run, struct engine_answer *answer)
{
	const struct conf *conf = run->runs->judge->conf;
	const struct job *job = run->part->job;
	const bool is_program = run->suspect.class == SUSPECT_PROGRAM;
	const char *then = is_program ? conf->detonate.program_then
				      : conf->detonate.script_then;
	const uint64_t hold = is_program ? conf->detonate.program_hold_usec
					 : conf->detonate.script_hold_usec;
	char reason[ANSWER_REASON_MAX];

	answer->wait = ANSWER_WAIT_ON;
	if (job->info.held_usec < hold || strcmp(then, "hold") == 0)
		return;
	if (strcmp(then, "error") == 0) {
		answer->wait = ANSWER_WAIT_NO_MORE;
		return;
	}
	(void)snprintf(reason, sizeof(reason), "%s", answer->reason);
	answer_set(answer, "vm", ANSWER_CLEAN,
	    "not run (detonate.%s_then = deliver): %s",
	    suspect_class_name(run->suspect.class), reason);
	log_warn("mid=%s passes without its %s having been run: %s",
	    job->info.id, suspect_class_name(run->suspect.class), reason);
}

/* The run is over, and gone after this; its job perhaps too. */
static void
run_answered(struct run *run, struct engine_answer *answer)
{
	struct job_part *part = run->part;
	struct job *job = part->job;

	if (answer->answer == ANSWER_UNKNOWN_SYSTEM)
		weigh_unknown(run, answer);
	if (!part->is_run ||
	    answer_worse((enum answer)answer->answer,
		(enum answer)part->vm.answer) == (enum answer)answer->answer)
		part->vm = *answer;
	part->is_run = true;
	run_free(run);
	job_merge(job, JOB_VM, answer);
	job_answered(job);
}

static void
run_unknown(struct run *run, const char *reason)
{
	struct engine_answer answer;

	if (run->is_claimed)
		table_result(run->runs->table, &run->part->digest, "vm",
		    run->context, TABLE_UNKNOWN, "", 0);
	answer_set(&answer, "vm", ANSWER_UNKNOWN_SYSTEM, "%s", reason);
	run_answered(run, &answer);
}

/* Its content as a file of its own, which nobody can change any more. */
static int
content_of(const struct job_part *part)
{
	const struct reading_part *seen = seen_of(part);
	CLEANUP(close_fd) int fd = memfd_new("sample");
	int r;

	if (fd < 0)
		return fd;
	r = write_all(fd, part->job->reading->map + seen->off, seen->bytes);
	if (r == 0)
		r = memfd_seal(fd);
	return r < 0 ? r : TAKE_FD(fd);
}

static void
run_send(struct run *run)
{
	const struct reading_part *seen = seen_of(run->part);
	struct wire_vm_run ask = {.run = run->number, .bytes = seen->bytes};
	CLEANUP(close_fd) int fd = content_of(run->part);
	int r = fd;

	(void)snprintf(
	    ask.reference, sizeof(ask.reference), "%s", run->suspect.reference);
	(void)snprintf(ask.name, sizeof(ask.name), "%s", run->suspect.name);
	(void)snprintf(ask.type, sizeof(ask.type), "%s", seen->type);
	if (fd >= 0)
		r = ipc_send(
		    run->runs->vmm_fd, WIRE_VM_RUN, &ask, sizeof(ask), &fd, 1);
	if (r < 0) {
		run_unknown(run, "the vmm role takes no more files now");
		return;
	}
	run->is_sent = true;
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	table_drop(run->runs->table, run->number);
	run_unknown(run, "another worker runs the same file for too long");
}

static void
wait_for_other(struct run *run)
{
	const struct conf *conf = run->runs->judge->conf;
	struct timeval tv = span_timeval(conf->detonate.patience_usec);

	if (run->patience)
		return;
	run->patience = evtimer_new(run->runs->judge->base, on_patience, run);
	if (!run->patience || event_add(run->patience, &tv) < 0)
		run_unknown(run, "no memory to wait for another worker");
}

static void
run_known(struct run *run, const struct table_entry *entry)
{
	const bool is_hit = entry->verdict == TABLE_HIT;
	struct engine_answer answer;

	run->part->is_run_known = true;
	answer_set(&answer, "vm", is_hit ? ANSWER_HIT : ANSWER_CLEAN, "%s",
	    entry->name);
	run_answered(run, &answer);
}

static void
on_table(
    void *arg, uint64_t number, const struct table_entry *entries, size_t n)
{
	struct runs *runs = arg;
	struct run *run = find_run(runs, number);

	if (!run || n == 0)
		return;
	switch ((enum table_state)entries->state) {
	case TABLE_KNOWN:
		run_known(run, entries);
		return;
	case TABLE_YOURS:
		run->is_claimed = true;
		run_send(run);
		return;
	case TABLE_LATER:
		wait_for_other(run);
		return;
	case TABLE_STATES:
	default:
		return;
	}
}

/* What others wait for, unless the rules or the reference changed. */
static void
publish(const struct run *run, const struct engine_answer *answer)
{
	enum table_verdict verdict = TABLE_UNKNOWN;

	if (answer->answer == ANSWER_CLEAN)
		verdict = TABLE_CLEAN;
	else if (answer->answer == ANSWER_HIT)
		verdict = TABLE_HIT;
	table_result(run->runs->table, &run->part->digest, "vm", run->context,
	    verdict, answer->reason, seen_of(run->part)->bytes);
}

static void
take_answer(struct runs *runs)
{
	const struct wire_vm_answer *answer;
	struct engine_answer kept;
	const char *evidence;
	struct run *run;

	if (wire_vm_answer(&runs->msg, &answer, &evidence) < 0)
		return;
	run = find_run(runs, answer->run);
	if (!run || !run->is_sent)
		return; /* it was given up */
	if (run->is_claimed)
		publish(run, &answer->answer);
	if (answer->evidence_bytes > 0 &&
	    (!run->part->behaviours || answer->answer.answer == ANSWER_HIT)) {
		free(run->part->behaviours);
		run->part->behaviours =
		    xasprintf("%.*s", (int)answer->evidence_bytes, evidence);
	}
	kept = answer->answer;
	run_answered(run, &kept);
}

static void
take_state(struct runs *runs)
{
	const struct wire_vm_state *state;

	if (wire_vm_state(&runs->msg, &state) < 0)
		return;
	runs->state = *state;
	log_info("engine vm %s: %s", state->n ? "on" : "off", state->text);
}

static void
on_vmm(evutil_socket_t fd, short what, void *arg)
{
	struct runs *runs = arg;
	int r = ipc_recv(fd, &runs->msg);

	(void)what;
	if (r == -EPIPE) {
		(void)event_del(runs->readable);
		runs->judge->lost(runs->judge->arg);
	}
	if (r < 0)
		return;
	if (runs->msg.type == WIRE_VM_STATE)
		take_state(runs);
	else
		take_answer(runs);
	ipc_drop_fds(&runs->msg);
}

static const struct wire_reference *
find_reference(const struct runs *runs, const char *name)
{
	for (uint32_t i = 0; i < runs->state.n; i++)
		if (strcmp(runs->state.references[i].name, name) == 0)
			return &runs->state.references[i];
	return NULL;
}

static void
run_begin(struct run *run)
{
	struct runs *runs = run->runs;
	struct job *job = run->part->job;
	const struct wire_reference *reference =
	    find_reference(runs, run->suspect.reference);

	if (!reference) {
		run_unknown(run,
		    *runs->state.text ? runs->state.text : "no clones so far");
		return;
	}
	(void)snprintf(run->context, sizeof(run->context), "%.*s:%s",
	    (int)(sizeof(run->context) - 16), reference->context,
	    run->suspect.kind);
	if (job->info.afresh)
		run_send(run);
	else
		table_lookup(runs->table, run->number, "vm", run->context,
		    &run->part->digest, 1);
}

static struct run *
run_new(struct runs *runs, struct job_part *part, struct suspect suspect)
{
	struct run *run = xcalloc(1, sizeof(*run));

	run->runs = runs;
	run->number = ++runs->last_number;
	run->part = part;
	run->suspect = suspect;
	HASH_ADD(hh, runs->by_number, number, sizeof(run->number), run);
	return run;
}

/* Has another engine decided, or must it be asked again first? */
static bool
is_decided(const struct job *job)
{
	for (int e = 0; e < JOB_VM; e++) {
		const enum answer a = (enum answer)job->answers[e].answer;

		if (job->is_asked[e] &&
		    (a == ANSWER_UNKNOWN_SYSTEM || a == ANSWER_UNKNOWN_MESSAGE))
			return true;
	}
	return job->is_asked[JOB_CLAMD] &&
	       job->answers[JOB_CLAMD].answer == ANSWER_HIT;
}

/* What is to be run: each content once for each kind of thing it may be. */
struct plan {
	struct planned {
		struct job_part *part;
		struct suspect suspect;
	} files[DETONATE_FILES_MAX];
	size_t n;
	bool is_full; /* there are more */
};

static void
plan_add(struct plan *plan, struct job_part *part, struct suspect s, size_t max)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->files[i].part == part &&
		    strcmp(plan->files[i].suspect.kind, s.kind) == 0)
			return;
	if (plan->n == max)
		plan->is_full = true;
	else
		plan->files[plan->n++] = (struct planned){part, s};
}

/* What no configured reference can run is not in it: of that this engine has
 * no opinion. */
static void
plan_make(const struct runs *runs, struct job *job, struct plan *ret)
{
	const struct conf *conf = runs->judge->conf;

	*ret = (struct plan){.n = 0};
	for (size_t i = 0; job->reading && i < job->reading->n_parts; i++) {
		struct job_part *part = &job->parts[i];
		struct suspect s = suspect_of(&job->reading->parts[i]);

		if (s.class != SUSPECT_NOT &&
		    conf_has_word(conf->vm.references, s.reference))
			plan_add(ret, part->same ? part->same : part, s,
			    conf->detonate.files);
	}
}

/* From now on the message has no place among those that are judged. */
static void
become_long(struct runs *runs, struct job *job)
{
	struct judge *judge = runs->judge;

	job->is_long = true;
	judge->open_bytes -= job->reading->map_bytes;
	runs->n_long++;
	runs->long_bytes += job->reading->map_bytes;
	if (judge->is_long)
		judge->is_long(judge->arg, job->info.job);
}

/* Too many files, or too many messages that wait: said for the whole. */
static bool
is_refused(const struct runs *runs, struct job *job, const struct plan *plan)
{
	const struct conf *conf = runs->judge->conf;
	struct engine_answer *answer = &job->answers[JOB_VM];

	if (plan->is_full) {
		answer_set(answer, "vm", ANSWER_UNKNOWN_MESSAGE,
		    "budget exceeded: more than %zu files to run "
		    "(detonate.files)",
		    plan->n);
		return true;
	}
	if (runs->n_long < conf->detonate.waiting &&
	    runs->long_bytes < conf->budget.output_bytes)
		return false;
	answer_set(answer, "vm", ANSWER_UNKNOWN_SYSTEM,
	    "too many messages wait for clones (detonate.waiting)");
	answer->wait = ANSWER_WAIT_ON;
	return true;
}

bool
runs_begin(struct job *job)
{
	struct runs *runs = job->judge->runs;
	struct plan plan;

	if (!runs || job->is_running || is_decided(job))
		return false;
	job->is_running = true;
	job->is_asked[JOB_VM] = true;
	plan_make(runs, job, &plan);
	if (plan.n == 0 || is_refused(runs, job, &plan))
		return false;
	become_long(runs, job);
	job->pending += (unsigned int)plan.n + 1; /* it must not go meanwhile */
	for (size_t i = 0; i < plan.n; i++)
		run_begin(
		    run_new(runs, plan.files[i].part, plan.files[i].suspect));
	job_answered(job);
	return true;
}

void
runs_forget(struct job *job)
{
	struct runs *runs = job->judge->runs;
	struct run *run, *next;

	if (!runs || !job->is_long)
		return;
	runs->n_long--;
	runs->long_bytes -= job->reading->map_bytes;
	if (job->pending == 0)
		return;
	HASH_ITER (hh, runs->by_number, run, next) {
		struct wire_vm_drop drop = {.run = run->number};

		if (run->part->job != job)
			continue;
		table_drop(runs->table, run->number);
		if (run->is_sent)
			(void)ipc_send(runs->vmm_fd, WIRE_VM_DROP, &drop,
			    sizeof(drop), NULL, 0);
		run_free(run);
	}
}

struct runs *
runs_new(struct judge *judge, int vmm_fd)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/book/book.sock", judge->conf->site.runtime);
	struct runs *runs = xcalloc(1, sizeof(*runs));

	runs->judge = judge;
	runs->vmm_fd = vmm_fd;
	runs->table = table_open(judge->base, path, on_table, runs);
	runs->readable =
	    event_new(judge->base, vmm_fd, EV_READ | EV_PERSIST, on_vmm, runs);
	if (!runs->readable || event_add(runs->readable, NULL) < 0)
		abort(); /* as xcalloc() */
	return runs;
}

struct runs *
runs_free(struct runs *runs)
{
	if (!runs)
		return NULL;
	event_free(runs->readable);
	(void)table_close(runs->table);
	free(runs);
	return NULL;
}
