#include "flow/tutor.h"

#include "flow/lesson.h"
#include "flow/pupil.h"
#include "flow/service.h"
#include "flow/state.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/digest.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/sandbox.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <math.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_SYSTEM 111
#define TICK_USEC   USEC_PER_SEC
/* Connections whose messages are remembered to be of one: it is about those
 * that are open at a time. */
#define CONNECTIONS 1024

_Static_assert(LESSON_MAX <= FLOW_SERVICE_MAX &&
		   LESSON_ANSWER_MAX <= FLOW_SERVICE_ANSWER_MAX,
    "the service has room");

struct tutor {
	const struct conf *conf;
	struct flow_rules rules;
	struct event_base *base;
	struct metrics *metrics;
	struct flow_learner *learner;
	struct pupil *pupil;
	struct flow_service *service;
	int listen_fd;
	uid_t engines_uid;
	uint64_t seen[CONNECTIONS]; /* a ring */
	size_t next_seen;
	int status;
};

static int
fail(const char *what, const char *err)
{
	log_error("learn %s: %s", what, err);
	return EXIT_SYSTEM;
}

static int
open_socket(struct tutor *t)
{
	CLEANUP(free_ptr)
	char *dir = xasprintf("%s/flow", t->conf->site.runtime);
	CLEANUP(free_ptr) char *path = xasprintf("%s/learn.sock", dir);
	const struct passwd *pw = getpwnam(t->conf->site.engines_user);

	t->engines_uid = geteuid() != 0 || !pw ? geteuid() : pw->pw_uid;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return fail(dir, strerror(errno));
	if (chmod(dir, 0755) < 0)
		return fail(dir, strerror(errno));
	t->listen_fd = ipc_listen(path);
	return t->listen_fd < 0 ? fail(path, strerror(-t->listen_fd)) : 0;
}

/* From now on the current one; its user's, with all that an operator's command
 * has made there as root. */
static int
give_directory(const struct tutor *t, const char *path)
{
	static const char *const names[] = {
	    "samples.jsonl", "model.json", "keeper"};
	const struct passwd *pw = getpwnam(t->conf->site.flow_user);
	CLEANUP(close_fd) int dir = -1;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (geteuid() != 0)
		return chdir(path) < 0 ? -errno : 0;
	if (!pw)
		return -ENOENT; /* sandbox_enter() would say which */
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0 || fchown(dir, pw->pw_uid, pw->pw_gid) < 0 ||
	    fchmod(dir, 0700) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (fchownat(dir, names[i], pw->pw_uid, pw->pw_gid,
			AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return -errno;
	/* Its user need not be able to walk there (site.state is the book's),
	 * nor is he to follow a way that somebody changes. */
	return fchdir(dir) < 0 ? -errno : 0;
}

static int
open_outside(struct tutor *t, const char *state)
{
	int r;

	(void)mkdir(t->conf->site.state, 0755);
	r = give_directory(t, state);
	if (r == -ENOENT)
		return fail(state, "site.flow_user doesn't exist: run sluice "
				   "setup, or name one that does");
	if (r < 0)
		return fail(state, strerror(-r));
	/* Before the counters, which else would no longer be another's. */
	r = open_socket(t);
	if (r != 0)
		return r;
	r = metrics_open(t->conf->site.runtime, "learn", &t->metrics);
	return r < 0 ? fail(t->conf->site.runtime, strerror(-r)) : 0;
}

static void
show(const struct tutor *t)
{
	uint64_t seen[2];

	flow_learner_seen(t->learner, seen);
	metrics_set(t->metrics, METRIC_learn_ham, seen[0]);
	metrics_set(t->metrics, METRIC_learn_spam, seen[1]);
	metrics_set(t->metrics, METRIC_learn_standing,
	    flow_learner_standing(t->learner));
}

/* Who comes with several messages is one connection for the NAT guard. */
static void
see(struct tutor *t, const struct lesson *lesson)
{
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (t->seen[i] == lesson->connection)
			return;
	t->seen[t->next_seen] = lesson->connection;
	t->next_seen = (t->next_seen + 1) % CONNECTIONS;
	flow_learner_saw(t->learner, &lesson->sample, lesson->ttl);
	pupil_note(t->pupil);
}

static size_t
judge(struct tutor *t, const struct lesson *lesson, char *answer)
{
	struct flow_opinion opinion;

	see(t, lesson);
	flow_learner_judge(t->learner, &lesson->sample, &opinion);
	if (!isnan(opinion.score))
		metrics_add(t->metrics, METRIC_learn_judged, 1);
	return lesson_opinion(
	    &opinion, flow_learner_threshold(t->learner), answer);
}

static size_t
learn(struct tutor *t, const struct lesson *lesson, char *answer)
{
	struct flow_sample sample = lesson->sample;
	bool is_taken;

	if (!flow_label_of(&t->rules, lesson->content, &sample.is_spam)) {
		metrics_add(t->metrics, METRIC_learn_unsure, 1);
		return lesson_learned(LESSON_UNSURE, NULL, answer);
	}
	is_taken = flow_learner_hear(t->learner, &sample, lesson->content);
	metrics_add(t->metrics,
	    is_taken ? METRIC_learn_taken : METRIC_learn_refused, 1);
	pupil_note(t->pupil);
	pupil_look(t->pupil);
	if (!is_taken)
		return lesson_learned(
		    LESSON_REFUSED, flow_learner_why(t->learner), answer);
	return lesson_learned(
	    sample.is_spam ? LESSON_SPAM : LESSON_HAM, NULL, answer);
}

static size_t
teach(struct tutor *t, const struct lesson *lesson, char *answer)
{
	flow_learner_teach(t->learner, &lesson->sample, lesson->content);
	metrics_add(t->metrics, METRIC_learn_taken, 1);
	pupil_note(t->pupil);
	pupil_look(t->pupil);
	return lesson_learned(
	    lesson->sample.is_spam ? LESSON_SPAM : LESSON_HAM, NULL, answer);
}

/* Of the models that had not seen what they judged. */
static double
accuracy_of(const struct flow_learner *l)
{
	CLEANUP(free_ptr)
	struct flow_heard *records = xcalloc(FLOW_RECORDS, sizeof(*records));
	CLEANUP(free_ptr)
	struct flow_judged *judged = xcalloc(FLOW_RECORDS, sizeof(*judged));
	const size_t n = flow_learner_records(l, records);

	for (size_t i = 0; i < n; i++)
		judged[i] = records[i].judged;
	return n > 0 ? flow_figures_of(judged, n).accuracy : NAN;
}

static size_t
status(const struct tutor *t, char *answer)
{
	CLEANUP(free_ptr) char *model = flow_state_model_text(t->learner);
	char hex[DIGEST_HEX], version[] = "m0123456789abcdef";
	uint64_t seen[2];

	flow_learner_seen(t->learner, seen);
	if (model) {
		const struct digest digest =
		    digest_memory(model, strlen(model));

		(void)digest_hex(&digest, hex);
		memcpy(version + 1, hex, sizeof(version) - 2);
	}
	return lesson_status(seen, model ? version : NULL,
	    accuracy_of(t->learner),
	    flow_standing_text(flow_learner_standing(t->learner)), answer);
}

static size_t
on_question(void *arg, const char *text, size_t n, char *answer)
{
	struct tutor *t = arg;
	struct lesson lesson;

	if (lesson_parse(text, n, &lesson) < 0)
		return lesson_bad(answer);
	switch (lesson.verb) {
	case LESSON_LEARN:
		return learn(t, &lesson, answer);
	case LESSON_TEACH:
		return teach(t, &lesson, answer);
	case LESSON_STATUS:
		return status(t, answer);
	case LESSON_RETRAIN:
		return lesson_retrained(pupil_train(t->pupil), answer);
	case LESSON_JUDGE:
		break;
	}
	return judge(t, &lesson, answer);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct tutor *t = arg;

	(void)fd;
	(void)what;
	pupil_look(t->pupil);
	show(t);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct tutor *t = arg;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(t->base);
}

static void
dispatch(struct tutor *t)
{
	const struct timeval tick = span_timeval(TICK_USEC);
	struct event *events[] = {
	    event_new(t->base, -1, EV_PERSIST, on_tick, t),
	    evsignal_new(t->base, SIGCHLD, on_tick, t),
	    evsignal_new(t->base, SIGTERM, on_end, t),
	    evsignal_new(t->base, SIGINT, on_end, t),
	};
	uint64_t seen[2];

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		(void)event_add(events[i], i == 0 ? &tick : NULL);
	show(t);
	flow_learner_seen(t->learner, seen);
	log_info("learn ham=%llu spam=%llu standing=\"%s\": ready",
	    (unsigned long long)seen[0], (unsigned long long)seen[1],
	    flow_standing_text(flow_learner_standing(t->learner)));
	if (event_base_dispatch(t->base) < 0)
		t->status = EXIT_SYSTEM;
	if (pupil_end(t->pupil) < 0)
		t->status = EXIT_SYSTEM;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		event_free(events[i]);
}

static int
serve(struct tutor *t, const char *state)
{
	char err[512];
	int r;

	t->base = event_base_new();
	if (!t->base)
		return fail("loop", strerror(errno));
	if (sandbox_enter(ROLE_LEARN, t->conf, err, sizeof(err)) < 0)
		return fail("sandbox", err);
	r = pupil_new(state, &t->rules, t->metrics, &t->learner, &t->pupil, err,
	    sizeof(err));
	if (r < 0)
		return fail(state, err);
	t->service = flow_service_new(
	    t->base, t->listen_fd, t->engines_uid, on_question, t);
	dispatch(t);
	(void)flow_service_free(t->service);
	(void)pupil_free(t->pupil);
	(void)flow_learner_free(t->learner);
	return t->status;
}

int
tutor_run(const struct conf *conf)
{
	CLEANUP(free_ptr) char *state = xasprintf("%s/flow", conf->site.state);
	struct tutor *t = xcalloc(1, sizeof(*t));
	int r;

	t->conf = conf;
	t->rules = flow_rules_of(conf);
	t->listen_fd = -1;
	r = open_outside(t, state);
	if (r == 0)
		r = serve(t, state);
	if (t->base)
		event_base_free(t->base);
	close_fd(&t->listen_fd);
	(void)metrics_close(t->metrics);
	free(t);
	return r;
}
