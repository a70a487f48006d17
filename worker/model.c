#include "worker/model.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the digest: no two of a site's models are the same in them. */
#define CONTEXT_HEX 40

/* To be changed with what mef_extract() takes for a feature, so that no answer
 * of before is found. */
#define CONTEXT_FORMAT "mef1:%.*s:%llu"

/* Which file it is, and which state of it. */
struct identity {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
	int error; /* -errno: there was none to be had */
};

/* A file that is being checked and solved; the thread's until it is joined. */
struct opening {
	pthread_t thread;
	const char *path; /* the model's, as is done_fd */
	int done_fd;
	struct mef_model *mef; /* solved */
	int error;             /* as mef_model_open() */
	char err[256];
};

struct model {
	char *path;
	uint64_t band_ppm;
	struct mono looked;
	struct identity seen; /* by the last look */
	struct mef_model *mef;
	struct opening *opening; /* NULL: none */
	int done_fd;             /* an eventfd: opening's thread has ended */
	enum model_state state;
	char why[256];
	char context[TABLE_CONTEXT_MAX];
};

static struct identity
look_at(const char *path)
{
	struct identity id = {.error = 0};
	struct stat st;

	if (stat(path, &st) < 0) {
		id.error = -errno;
		return id;
	}
	id.dev = st.st_dev;
	id.ino = st.st_ino;
	id.size = st.st_size;
	id.mtime = st.st_mtim;
	id.ctime = st.st_ctim;
	return id;
}

static bool
is_unlike(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static bool
is_other(const struct identity *a, const struct identity *b)
{
	return a->error != b->error || a->dev != b->dev || a->ino != b->ino ||
	       a->size != b->size || is_unlike(a->mtime, b->mtime) ||
	       is_unlike(a->ctime, b->ctime);
}

static void
fail(struct model *model, enum model_state state, const char *why)
{
	char text[2 * sizeof(model->why)];

	model->state = state;
	(void)snprintf(model->why, sizeof(model->why), "%s", why);
	if (state == MODEL_NONE)
		log_warn("engine mef has no opinion: %s",
		    log_text(text, sizeof(text), model->why));
	else
		log_error("engine mef %s: %s",
		    state == MODEL_FORMER
			? "goes on with the former model"
			: "knows nothing, mail with programs waits",
		    log_text(text, sizeof(text), model->why));
}

static void
take(struct model *model, struct mef_model *mef)
{
	const struct mef_head *head = mef_model_head(mef);
	char hex[DIGEST_HEX];

	(void)mef_model_free(model->mef);
	model->mef = mef;
	model->state = MODEL_GOOD;
	model->why[0] = '\0';
	(void)snprintf(model->context, sizeof(model->context), CONTEXT_FORMAT,
	    CONTEXT_HEX, digest_hex(&head->head, hex),
	    (unsigned long long)model->band_ppm);
	log_info("engine mef on: %s, release %llu, %llu malicious and %llu "
		 "benign programs",
	    model->path, (unsigned long long)head->release,
	    (unsigned long long)head->n_documents[MEF_MALICIOUS],
	    (unsigned long long)head->n_documents[MEF_BENIGN]);
}

static void
drop(struct model *model)
{
	char why[256];

	model->mef = mef_model_free(model->mef);
	(void)snprintf(why, sizeof(why), "%s: there is no model", model->path);
	fail(model, MODEL_NONE, why);
}

/* What opening has come to; it is gone after this. */
static void
settle(struct model *model, struct opening *opening)
{
	const int r = opening->error;

	if (r == 0) {
		take(model, opening->mef);
	} else if (r == -ENOENT || r == -ENOTDIR) {
		drop(model);
	} else {
		if (!*opening->err)
			(void)snprintf(opening->err, sizeof(opening->err),
			    "%s: %s", model->path, strerror(-r));
		fail(model, model->mef ? MODEL_FORMER : MODEL_BROKEN,
		    opening->err);
	}
	free(opening);
}

/* Of the file that was seen. */
static struct opening *
opening_new(const struct model *model)
{
	struct opening *opening = xcalloc(1, sizeof(*opening));

	opening->path = model->path;
	opening->done_fd = model->done_fd;
	opening->error = model->seen.error;
	return opening;
}

static void
open_and_solve(struct opening *opening)
{
	if (opening->error == 0)
		opening->error = mef_model_open(opening->path, &opening->mef,
		    opening->err, sizeof(opening->err));
	if (opening->error == 0)
		mef_model_solve(opening->mef);
}

static void *
run(void *arg)
{
	static const uint64_t one = 1;
	struct opening *opening = arg;

	open_and_solve(opening);
	(void)write_all(opening->done_fd, &one, sizeof(one));
	return NULL;
}

static void
begin(struct model *model)
{
	struct opening *opening = opening_new(model);

	if (opening->error == 0 &&
	    pthread_create(&opening->thread, NULL, run, opening) == 0) {
		model->opening = opening;
		return;
	}
	open_and_solve(opening); /* late is better than not at all */
	settle(model, opening);
}

/* Its thread, if there is one, is at its end or will be soon. */
static struct opening *
join(struct model *model)
{
	struct opening *opening = model->opening;

	if (opening)
		(void)pthread_join(opening->thread, NULL);
	model->opening = NULL;
	return opening;
}

struct model *
model_new(const char *path, uint64_t band_ppm)
{
	struct model *model = xcalloc(1, sizeof(*model));
	struct opening *opening;

	model->path = xstrdup(path);
	model->band_ppm = band_ppm;
	model->looked = mono_now();
	model->seen = look_at(path);
	model->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (model->done_fd < 0)
		abort(); /* as xcalloc() */
	opening = opening_new(model);
	open_and_solve(opening);
	settle(model, opening);
	return model;
}

struct model *
model_free(struct model *model)
{
	struct opening *opening;

	if (!model)
		return NULL;
	opening = join(model);
	if (opening)
		(void)mef_model_free(opening->mef);
	free(opening);
	close_fd(&model->done_fd);
	(void)mef_model_free(model->mef);
	free(model->path);
	free(model);
	return NULL;
}

void
model_look(struct model *model)
{
	const struct mono now = mono_now();
	struct identity id;
	uint64_t n;

	if (model->opening) {
		if (read(model->done_fd, &n, sizeof(n)) < 0)
			return; /* at work */
		settle(model, join(model));
	}
	if (mono_span(model->looked, now) < USEC_PER_SEC)
		return;
	model->looked = now;
	id = look_at(model->path);
	if (!is_other(&id, &model->seen))
		return;
	model->seen = id;
	begin(model);
}

int
model_fd(const struct model *model)
{
	return model->done_fd;
}

enum model_state
model_state(const struct model *model)
{
	return model->state;
}

const char *
model_why(const struct model *model)
{
	return model->why;
}

const struct mef_model *
model_get(const struct model *model)
{
	return model->mef;
}

const char *
model_context(const struct model *model)
{
	assert(model->mef);
	return model->context;
}
