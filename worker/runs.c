#include "worker/runs_priv.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "worker/reading.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

static struct run *
find_run(struct runs *runs, uint64_t number)
{
	struct run *run;

	HASH_FIND(hh, runs->by_number, &number, sizeof(number), run);
	return run;
}

static void
on_table(
    void *arg, uint64_t number, const struct table_entry *entries, size_t n)
{
	struct run *run = find_run(arg, number);

	if (run && n > 0) /* one key was asked for */
		run_told(run, entries);
}

static void
take_answer(struct runs *runs)
{
	const struct wire_vm_answer *msg;
	const char *evidence;
	struct run *run;

	if (wire_vm_answer(&runs->msg, &msg, &evidence) < 0)
		return;
	run = find_run(runs, msg->run);
	if (run && run->is_sent) /* else it was given up */
		run_over(run, msg, evidence);
}

static void
take_state(struct runs *runs)
{
	const struct wire_vm_state *state;
	char text[4 * sizeof(state->text)];

	if (wire_vm_state(&runs->msg, &state) < 0)
		return;
	runs->state = *state;
	log_info("engine vm %s: %s", state->n ? "on" : "off",
	    log_text(text, sizeof(text), state->text));
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

static bool
is_over_budget(const struct plan *plan, struct engine_answer *answer)
{
	if (plan->is_too_many)
		answer_set(answer, "vm", ANSWER_UNKNOWN_MESSAGE,
		    "budget exceeded: more than %zu files to run "
		    "(detonate.files)",
		    plan->n);
	else if (plan->is_too_large)
		answer_set(answer, "vm", ANSWER_UNKNOWN_MESSAGE,
		    "budget exceeded: its files to run are too large together "
		    "(budget.output)");
	return plan->is_too_many || plan->is_too_large;
}

bool
runs_begin(struct job *job)
{
	struct runs *runs = job->judge->runs;
	const struct conf *conf = job->judge->conf;
	struct plan plan; /* large: only what is used of it is touched */
	bool has_room;

	if (!runs || job->is_running || is_decided(job))
		return false;
	job->is_running = true;
	job->is_asked[JOB_VM] = true;
	plan_make(job, conf, &plan);
	if (is_over_budget(&plan, &job->answers[JOB_VM]) || plan.n == 0)
		return false;
	job->pending += (unsigned int)plan.n + 1; /* it must not go meanwhile */
	has_room = judge_become_long(job);
	for (size_t i = 0; i < plan.n; i++) {
		struct run *run = run_new(runs, &plan.files[i]);

		if (has_room)
			run_begin(run);
		else
			run_unknown(run, "too many messages wait for clones "
					 "(detonate.waiting)");
	}
	job_answered(job);
	return true;
}

void
runs_forget(struct job *job)
{
	struct runs *runs = job->judge->runs;
	struct run *run, *next;

	if (!runs || !job->is_running || job->pending == 0)
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
