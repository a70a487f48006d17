/*
 * The way of one file: the scanned table, the vmm role, its answer.
 */
#include "worker/runs_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "worker/reading.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

/* The kind stands behind the reference's own words. */
static_assert(
    sizeof(((struct wire_reference *)NULL)->context) + SUSPECT_KIND_MAX <=
	TABLE_CONTEXT_MAX,
    "nothing of a context may be cut off: old verdicts would be found again");

/* The table keeps one verdict of a content for each engine: what a file does
 * as one kind must not be in the place of what it does as another. */
#define ENGINE_PREFIX "vm:"
static_assert(sizeof(ENGINE_PREFIX) - 1 + SUSPECT_KIND_MAX <= TABLE_ENGINE_MAX,
    "nothing of an engine may be cut off");

static const struct reading_part *
seen_of(const struct job_part *part)
{
	return &part->job->reading->parts[part - part->job->parts];
}

/* What the table knows the engine by. */
static void
engine_of(const struct run *run, char ret[TABLE_ENGINE_MAX])
{
	(void)snprintf(
	    ret, TABLE_ENGINE_MAX, ENGINE_PREFIX "%s", run->suspect.kind);
}

static void
tell_table(const struct run *run, enum table_verdict verdict, const char *name)
{
	char engine[TABLE_ENGINE_MAX];

	engine_of(run, engine);
	table_result(run->runs->table, &run->part->digest, engine, run->context,
	    verdict, name, seen_of(run->part)->bytes);
}

struct run *
run_new(struct runs *runs, const struct planned *file)
{
	struct run *run = xcalloc(1, sizeof(*run));

	run->runs = runs;
	run->number = ++runs->last_number;
	run->part = file->part;
	run->suspect = file->suspect;
	run->begun = mono_now();
	HASH_ADD(hh, runs->by_number, number, sizeof(run->number), run);
	return run;
}

void
run_free(struct run *run)
{
	struct runs *runs = run->runs;

	HASH_DEL(runs->by_number, run);
	if (run->is_sent) {
		runs->n_sent--;
		runs->sent_bytes -= seen_of(run->part)->bytes;
	}
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
	char reason[ANSWER_REASON_MAX], text[2 * ANSWER_REASON_MAX];

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
	run->part->is_unrun = true;
	log_warn("mid=%s is judged without its %s having been run: %s",
	    job->info.id, suspect_class_name(run->suspect.class),
	    log_text(text, sizeof(text), reason));
}

/* The run is over, and gone after this; its job perhaps too. */
static void
run_answered(struct run *run, struct engine_answer *answer)
{
	struct job_part *part = run->part;
	struct job *job = part->job;

	if (answer->answer == ANSWER_UNKNOWN_SYSTEM)
		weigh_unknown(run, answer);
	answer->usec = mono_span(run->begun, mono_now());
	if (!part->is_run ||
	    answer_worse((enum answer)answer->answer,
		(enum answer)part->vm.answer) == (enum answer)answer->answer)
		part->vm = *answer;
	part->is_run = true;
	run_free(run);
	job_merge(job, JOB_VM, answer);
	job_answered(job);
}

void
run_unknown(struct run *run, const char *reason)
{
	struct engine_answer answer;

	if (run->is_claimed)
		tell_table(run, TABLE_UNKNOWN, "");
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

/* The vmm role has a descriptor for each, and memory is behind it. */
static bool
is_much(const struct runs *runs, uint64_t bytes)
{
	return runs->n_sent >= WIRE_VM_RUNS_MAX ||
	       (runs->n_sent > 0 && runs->sent_bytes + bytes >
					runs->judge->conf->budget.output_bytes);
}

static int
run_hand_over(const struct run *run)
{
	const struct reading_part *seen = seen_of(run->part);
	struct wire_vm_run ask = {.run = run->number, .bytes = seen->bytes};
	CLEANUP(close_fd) int fd = -1;

	if (is_much(run->runs, seen->bytes))
		return -EAGAIN;
	fd = content_of(run->part);
	if (fd < 0)
		return fd;
	(void)snprintf(
	    ask.reference, sizeof(ask.reference), "%s", run->suspect.reference);
	suspect_file_name(&run->suspect, ask.name);
	/* Where it is the name that says what it is, the type would only
	 * have it opened as something else. */
	(void)snprintf(ask.type, sizeof(ask.type), "%s", run->suspect.type);
	(void)snprintf(
	    ask.mail, sizeof(ask.mail), "%s", run->part->job->info.id);
	return ipc_send(
	    run->runs->vmm_fd, WIRE_VM_RUN, &ask, sizeof(ask), &fd, 1);
}

static void
run_send(struct run *run)
{
	if (run_hand_over(run) < 0) {
		run_unknown(run, "the vmm role takes no more files now");
		return;
	}
	run->is_sent = true;
	run->runs->n_sent++;
	run->runs->sent_bytes += seen_of(run->part)->bytes;
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
stop_waiting(struct run *run)
{
	if (run->patience)
		event_free(run->patience);
	run->patience = NULL;
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

void
run_told(struct run *run, const struct table_entry *entry)
{
	switch ((enum table_state)entry->state) {
	case TABLE_KNOWN:
		run_known(run, entry);
		return;
	case TABLE_YOURS:
		run->is_claimed = true;
		stop_waiting(run); /* its own run has deadlines of its own */
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

static const struct wire_reference *
find_reference(const struct runs *runs, const char *name)
{
	for (uint32_t i = 0; i < runs->state.n; i++)
		if (strcmp(runs->state.references[i].name, name) == 0)
			return &runs->state.references[i];
	return NULL;
}

/* What the run's verdict depends on now; false: its reference isn't there. */
static bool
context_of(const struct run *run, char ret[TABLE_CONTEXT_MAX])
{
	const struct wire_reference *reference =
	    find_reference(run->runs, run->suspect.reference);

	if (reference)
		(void)snprintf(ret, TABLE_CONTEXT_MAX, "%s:%s",
		    reference->context, run->suspect.kind);
	return reference != NULL;
}

/* What others wait for, unless the rules or the reference changed meanwhile,
 * when it is of neither the old ones nor the new. */
static void
publish(const struct run *run, const struct engine_answer *answer)
{
	enum table_verdict verdict = TABLE_UNKNOWN;
	char context[TABLE_CONTEXT_MAX];

	if (context_of(run, context) && strcmp(context, run->context) == 0) {
		if (answer->answer == ANSWER_CLEAN)
			verdict = TABLE_CLEAN;
		else if (answer->answer == ANSWER_HIT)
			verdict = TABLE_HIT;
	}
	tell_table(run, verdict, answer->reason);
}

static void
keep_evidence(struct job_part *part, const struct wire_vm_answer *answer,
    const char *evidence)
{
	char *did;

	if (answer->evidence_bytes == 0 ||
	    (part->behaviours && answer->answer.answer != ANSWER_HIT))
		return;
	did = evidence_did(evidence, answer->evidence_bytes);
	if (!did)
		return;
	free(part->behaviours);
	part->behaviours = did;
}

/* It has no other answers than these, and no say in how long mail waits. */
static struct engine_answer
answer_of(const struct wire_vm_answer *answer)
{
	struct engine_answer a = answer->answer;

	if (a.answer == ANSWER_AMBIGUOUS || a.answer == ANSWER_WARN)
		a.answer = ANSWER_UNKNOWN_SYSTEM;
	a.wait = ANSWER_WAIT_USUAL;
	return a;
}

void
run_over(
    struct run *run, const struct wire_vm_answer *msg, const char *evidence)
{
	struct engine_answer answer = answer_of(msg);

	if (run->is_claimed)
		publish(run, &answer);
	keep_evidence(run->part, msg, evidence);
	run_answered(run, &answer);
}

void
run_begin(struct run *run)
{
	struct runs *runs = run->runs;
	char engine[TABLE_ENGINE_MAX];

	engine_of(run, engine);
	if (!context_of(run, run->context))
		run_unknown(run,
		    *runs->state.text ? runs->state.text : "no clones so far");
	else if (run->part->job->info.afresh)
		run_send(run);
	else
		table_lookup(runs->table, run->number, engine, run->context,
		    &run->part->digest, 1);
}
