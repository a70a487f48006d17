/*
 * tools/sluice/flow_teach.c - `sluice flow learn --label LABEL ID...`: messages
 * that an operator knows better than the content filter.
 *
 * The journals have each one's connection as it was judged.  sluice-learn is
 * told while it runs; else they are learned here.
 */
#include "tools/sluice/flow.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/words.h"
#include "tools/sluice/view.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_MAX    1024
#define PATIENCE_MSEC 5000

/* A message, and its last judgement that knew its connection. */
struct pupil {
	const char *id;
	uint64_t t_usec;
	json_t *flow; /* NULL: none */
	double content;
};

struct class
{
	struct pupil *pupils;
	size_t n;
	const char *label;
};

static struct pupil *
pupil_of(const struct class *class, const char *id)
{
	for (size_t i = 0; i < class->n; i++)
		if (strcmp(class->pupils[i].id, id) == 0)
			return &class->pupils[i];
	return NULL;
}

static bool
wanted(void *arg, const char *id)
{
	return pupil_of(arg, id) != NULL;
}

/* Of the spam engine, without points of the connection; NAN: none. */
static double
content_of(const json_t *evidence)
{
	const json_t *engine, *score;
	size_t i;

	json_array_foreach (json_object_get(evidence, "engines"), i, engine) {
		score = json_object_get(engine, "score");
		if (strcmp(util_json_get(engine, "engine"), "spam") == 0 &&
		    json_is_number(score))
			return json_number_value(score);
	}
	return NAN;
}

static void
take(void *arg, const char *journal, const struct event *event)
{
	struct pupil *pupil = pupil_of(arg, event->id);
	json_t *evidence, *flow;

	(void)journal;
	if (!pupil || !event->evidence || event->t.usec < pupil->t_usec)
		return;
	evidence = json_loads(event->evidence, 0, NULL);
	flow = json_object_get(json_object_get(evidence, "reading"), "flow");
	if (json_is_object(flow)) {
		json_decref(pupil->flow);
		pupil->flow = json_incref(flow);
		pupil->t_usec = event->t.usec;
		pupil->content = content_of(evidence);
	}
	json_decref(evidence);
}

static int
find(const struct conf *conf, struct class *class)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	struct history *history;
	int r = view_open(conf, &spool);

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "flow learn", "%s: %s",
		    conf->site.spool, strerror(-r));
	history = history_new(spool);
	r = history_read(history, wanted, take, class);
	(void)history_free(history);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, "flow learn", "%s/journal: %s",
		    spool->path, strerror(-r));
	for (size_t i = 0; i < class->n; i++)
		if (!class->pupils[i].flow)
			return util_fail(STATUS_UNKNOWN, "flow learn",
			    "%s: no journal tells of its connection; nothing "
			    "was learned",
			    class->pupils[i].id);
	return STATUS_FINE;
}

/* Text that the daemon takes (flow/lesson.h); the caller frees. */
static char *
question_of(const struct pupil *pupil, const char *label)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	const char *client = util_json_get(pupil->flow, "client");

	if (!f)
		return NULL;
	(void)fprintf(f, "teach label=%s", label);
	if (!isnan(pupil->content))
		(void)fprintf(f, " content=%.17g", pupil->content);
	if (*client)
		(void)fprintf(f, " client=%s", client);
	for (size_t i = 0; i < FLOW_FEATURES; i++) {
		const json_t *value =
		    json_object_get(pupil->flow, flow_feature_name(i));

		if (json_is_number(value))
			(void)fprintf(f, " %s=%.17g", flow_feature_name(i),
			    json_number_value(value));
	}
	return fclose(f) == 0 ? text : NULL;
}

/* Ask, wait, and take the answer apart. */
static int
ask(int fd, const char *text, char answer[ANSWER_MAX], struct words *ret)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return -errno;
	n = poll(&p, 1, PATIENCE_MSEC);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	n = recv(fd, answer, ANSWER_MAX - 1, 0);
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	answer[n] = '\0';
	words_of(answer, ret);
	return 0;
}

static void
print(const struct flow_options *o, const struct class *class, double n_ham,
    double n_spam)
{
	if (o->common.json)
		util_json_line(stdout,
		    json_pack("{sI sI sI}", "learned", (json_int_t) class->n,
			"n_ham", (json_int_t)n_ham, "n_spam",
			(json_int_t)n_spam));
	else
		(void)printf("learned from %zu %s; %.0f ham and %.0f spam so "
			     "far\n",
		    class->n, class->label, n_ham, n_spam);
}

static int
tell(int fd, const struct flow_options *o, const struct class *class)
{
	char answer[ANSWER_MAX];
	struct words words = {.first = ""};
	double n_ham, n_spam;
	int r = 0;

	for (size_t i = 0; r == 0 && i < class->n; i++) {
		CLEANUP(free_ptr)
		char *text = question_of(&class->pupils[i], class->label);

		r = text ? ask(fd, text, answer, &words) : -ENOMEM;
		if (r == 0 && strcmp(words.first, "learned") != 0)
			r = -EPROTO;
	}
	if (r == 0)
		r = ask(fd, "status", answer, &words);
	if (r < 0 || !words_number(&words, "n_ham", &n_ham) ||
	    !words_number(&words, "n_spam", &n_spam))
		return util_fail(STATUS_SYSTEM, "flow learn",
		    "sluice-learn: %s", r < 0 ? strerror(-r) : "no counts");
	print(o, class, n_ham, n_spam);
	return STATUS_FINE;
}

static int
learn_here(struct flow_options *o, const struct class *class)
{
	CLEANUP(close_fd) int dir = -1;
	struct flow_sample sample;
	int status = STATUS_FINE;
	uint64_t seen[2];
	char err[300];
	struct flow_learner *l =
	    flow_open("flow learn", o, false, &dir, &status);
	int r = 0;

	if (!l)
		return status;
	for (size_t i = 0; r == 0 && i < class->n; i++) {
		const struct pupil *pupil = &class->pupils[i];

		r = flow_sample_of(pupil->flow, &sample, err, sizeof(err));
		if (r < 0)
			break;
		sample.is_spam = strcmp(class->label, "spam") == 0;
		flow_learner_teach(l, &sample, pupil->content);
	}
	if (r < 0) {
		status = util_fail(STATUS_SYSTEM, "flow learn", "%s", err);
	} else {
		flow_learner_retrain(l);
		r = flow_state_save(dir, l);
		flow_learner_seen(l, seen);
		if (r < 0)
			status = util_fail(STATUS_SYSTEM, "flow learn",
			    "nothing was learned: %s", strerror(-r));
		else
			print(o, class, (double)seen[0], (double)seen[1]);
	}
	(void)flow_learner_free(l);
	return status;
}

static int
teach(struct flow_options *o, const struct conf *conf, struct class *class)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/flow/learn.sock", conf->site.runtime);
	CLEANUP(close_fd) int fd = -1;
	int status = find(conf, class);

	if (status != STATUS_FINE)
		return status;
	/* What is kept elsewhere is no daemon's. */
	fd = o->state ? -ENOENT : ipc_connect(path);
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return learn_here(o, class);
	if (fd < 0)
		return util_fail(
		    STATUS_SYSTEM, "flow learn", "%s: %s", path, strerror(-fd));
	return tell(fd, o, class);
}

int
flow_teach(
    struct flow_options *o, const char *label, const char *const *ids, size_t n)
{
	CLEANUP(free_ptr) struct pupil *pupils = xcalloc(n, sizeof(*pupils));
	struct class class = {pupils, n, label};
	int status = STATUS_FINE;
	struct conf *conf = util_conf(&o->common, &status);

	if (!conf)
		return status;
	for (size_t i = 0; i < n; i++)
		pupils[i] = (struct pupil){.id = ids[i], .content = NAN};
	status = teach(o, conf, &class);
	for (size_t i = 0; i < n; i++)
		json_decref(pupils[i].flow);
	(void)conf_free(conf);
	return status;
}
