#include "flow/pupil.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "common/metrics.h"
#include "flow/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HERE      "."
#define SAVE_USEC (60 * USEC_PER_SEC)
/* A child needs a second or two; a disk that hangs has no end. */
#define PATIENCE_USEC (300 * USEC_PER_SEC)

struct pupil {
	char *name; /* of the directory */
	struct flow_learner *learner;
	struct metrics *metrics;
	int keeper_fd;
	pid_t child; /* 0: none */
	bool is_training;
	bool is_dirty;       /* since the last child began */
	struct mono begun;   /* the last child, or the start */
	uint64_t pause_usec; /* until another may begin, after a failure */
};

static int
load(
    struct pupil *p, const struct flow_rules *rules, char *err, size_t err_size)
{
	CLEANUP(close_fd) int dir = flow_state_open(HERE, true);

	if (dir < 0) {
		(void)snprintf(err, err_size, "%s", strerror(-dir));
		return dir;
	}
	p->keeper_fd = flow_state_keep(dir);
	if (p->keeper_fd < 0) {
		(void)snprintf(err, err_size, "%s",
		    p->keeper_fd == -EBUSY ? "another learns there"
					   : strerror(-p->keeper_fd));
		return p->keeper_fd;
	}
	return flow_state_load(
	    dir, rules, wall_now().usec, &p->learner, err, err_size);
}

int
pupil_new(const char *name, const struct flow_rules *rules,
    struct metrics *metrics, struct flow_learner **ret_learner,
    struct pupil **ret, char *err, size_t err_size)
{
	struct pupil *p = xcalloc(1, sizeof(*p));
	int r;

	p->name = xstrdup(name);
	p->metrics = metrics;
	p->keeper_fd = -1;
	p->begun = mono_now();
	r = load(p, rules, err, err_size);
	if (r < 0) {
		(void)pupil_free(p);
		return r;
	}
	*ret_learner = p->learner;
	*ret = p;
	return 0;
}

static void
end_child(struct pupil *p)
{
	if (p->child == 0)
		return;
	(void)kill(p->child, SIGKILL);
	while (waitpid(p->child, NULL, 0) < 0 && errno == EINTR)
		;
	p->child = 0;
}

struct pupil *
pupil_free(struct pupil *p)
{
	if (!p)
		return NULL;
	end_child(p);
	close_fd(&p->keeper_fd);
	free(p->name);
	free(p);
	return NULL;
}

void
pupil_note(struct pupil *p)
{
	p->is_dirty = true;
}

static int
save(const struct pupil *p)
{
	CLEANUP(close_fd) int dir = flow_state_open(HERE, false);

	return dir < 0 ? dir : flow_state_save(dir, p->learner);
}

/* Its exit status is an errno.  Of the parent's descriptors it keeps none:
 * should that die, the next one gets its lock and its socket at once. */
static void __attribute__((noreturn)) study(const struct pupil *p)
{
	int r;

	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	if (p->is_training)
		flow_learner_retrain(p->learner);
	r = save(p);
	_exit(r < 0 ? -r : 0);
}

static void
begin(struct pupil *p, bool is_training)
{
	if (is_training)
		flow_learner_begin(p->learner);
	p->is_training = is_training;
	p->is_dirty = false;
	p->begun = mono_now();
	p->child = fork();
	if (p->child == 0)
		study(p);
	if (p->child > 0)
		return;
	log_error("learn fork: %s", strerror(errno));
	p->child = 0;
	p->is_dirty = true;
	p->pause_usec = SAVE_USEC;
	if (is_training)
		flow_learner_adopt(p->learner, NULL);
}

static void
adopt(struct pupil *p)
{
	CLEANUP(close_fd) int dir = flow_state_open(HERE, true);
	struct flow_model *model = NULL;
	char err[300];
	int r = dir < 0 ? dir : flow_state_model(dir, &model, err, sizeof(err));

	if (dir < 0)
		(void)snprintf(err, sizeof(err), "%s", strerror(-dir));
	if (r < 0)
		log_error("learn %s/%s", p->name, err);
	else
		metrics_add(p->metrics, METRIC_learn_models, 1);
	flow_learner_adopt(p->learner, model);
}

static void
failed(struct pupil *p, const char *why)
{
	log_error("learn %s: not saved: %s", p->name, why);
	metrics_add(p->metrics, METRIC_learn_failures, 1);
	p->is_dirty = true;
	p->pause_usec = SAVE_USEC;
	if (p->is_training)
		flow_learner_adopt(p->learner, NULL);
}

static void
take(struct pupil *p)
{
	char text[64];
	int status;

	if (waitpid(p->child, &status, WNOHANG) != p->child) {
		if (mono_span(p->begun, mono_now()) > PATIENCE_USEC)
			(void)kill(p->child, SIGKILL);
		return;
	}
	p->child = 0;
	p->pause_usec = 0;
	if (WIFSIGNALED(status)) {
		(void)snprintf(
		    text, sizeof(text), "signal %d", WTERMSIG(status));
		failed(p, text);
	} else if (WEXITSTATUS(status) != 0) {
		failed(p, strerror(WEXITSTATUS(status)));
	} else if (p->is_training) {
		adopt(p);
	}
}

void
pupil_look(struct pupil *p)
{
	uint64_t past;

	if (p->child > 0)
		take(p);
	if (p->child > 0)
		return;
	past = mono_span(p->begun, mono_now());
	if (past < p->pause_usec)
		return;
	if (flow_learner_is_due(p->learner))
		begin(p, true);
	else if (p->is_dirty && past >= SAVE_USEC)
		begin(p, false);
}

bool
pupil_train(struct pupil *p)
{
	uint64_t seen[2];

	if (p->child > 0)
		take(p);
	flow_learner_seen(p->learner, seen);
	if (p->child > 0 || seen[0] < FLOW_BEGIN || seen[1] < FLOW_BEGIN)
		return false;
	begin(p, true);
	return p->child > 0;
}

int
pupil_end(struct pupil *p)
{
	int r = 0;

	/* What it was about to write is less than what there is now. */
	if (p->child > 0)
		p->is_dirty = true;
	end_child(p);
	if (p->is_dirty)
		r = save(p);
	if (r < 0)
		log_error("learn %s: not saved: %s", p->name, strerror(-r));
	return r;
}
