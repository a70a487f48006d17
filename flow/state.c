#include "flow/state.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "flow/state_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLES  "samples.jsonl"
#define MODEL    "model.json"
#define KEEPER   "keeper"
#define FILE_MAX ((size_t)64 << 20)

/* What root makes here belongs to whom the directory does: sluice-learn, which
 * isn't root, is to read it. */
static int
give_to_owner(int dirfd, int fd)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstat(dirfd, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	return 0;
}

int
flow_state_open(const char *path, bool is_shared)
{
	CLEANUP(close_fd) int fd = -1;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	while (flock(fd, is_shared ? LOCK_SH : LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return TAKE_FD(fd);
}

int
flow_state_keep(int dirfd)
{
	CLEANUP(close_fd)
	int fd = openat(dirfd, KEEPER, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return give_to_owner(dirfd, fd) < 0 ? -errno : TAKE_FD(fd);
}

/* A file that isn't there is an empty text. */
static int
read_text(int dirfd, const char *name, char **ret, size_t *ret_n, char *err,
    size_t err_size)
{
	const int r = read_file(dirfd, name, FILE_MAX, ret, ret_n);

	if (r == 0 || r == -ENOENT)
		return 0;
	(void)snprintf(err, err_size, "%s: %s", name,
	    r == -EFBIG ? "more than 64 MiB; remove it, and learning begins "
			  "anew"
			: strerror(-r));
	return r;
}

int
flow_state_load(int dirfd, const struct flow_rules *rules, uint64_t seed,
    struct flow_learner **ret, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *samples = NULL;
	CLEANUP(free_ptr) char *model = NULL;
	size_t n_samples = 0, n_model = 0;
	int r = read_text(dirfd, SAMPLES, &samples, &n_samples, err, err_size);

	if (r == 0)
		r = read_text(dirfd, MODEL, &model, &n_model, err, err_size);
	if (r < 0)
		return r;
	if (samples)
		return flow_state_of(rules, samples, n_samples, model, n_model,
		    ret, err, err_size);
	*ret = flow_learner_new(rules, seed);
	return 0;
}

/* The lock of the directory makes sure that nobody else has the same name. */
static int
put(int dirfd, const char *name, const char *text, size_t n)
{
	CLEANUP(free_ptr) char *fresh = xasprintf("%s.new", name);
	CLEANUP(close_fd)
	int fd = openat(
	    dirfd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = give_to_owner(dirfd, fd);
	if (r == 0)
		r = write_all(fd, text, n);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, fresh, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, fresh, 0);
	else if (fsync(dirfd) < 0)
		r = -errno;
	return r;
}

int
flow_state_save(int dirfd, const struct flow_learner *l)
{
	size_t n;
	CLEANUP(free_ptr) char *samples = flow_state_samples_text(l, &n);
	CLEANUP(free_ptr) char *model = flow_state_model_text(l);
	int r = put(dirfd, SAMPLES, samples, n);

	if (r == 0 && model)
		r = put(dirfd, MODEL, model, strlen(model));
	else if (r == 0 && unlinkat(dirfd, MODEL, 0) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

char *
flow_state_model_text(const struct flow_learner *l)
{
	const struct flow_model *model = flow_learner_model(l);
	json_t *object;
	char *text;

	if (!model)
		return NULL;
	object = flow_model_json(model);
	text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(object);
	return text;
}

static int
model_of(const char *text, size_t n, struct flow_model **ret, char *err,
    size_t err_size)
{
	json_error_t error;
	json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	int r;

	if (!object) {
		(void)snprintf(err, err_size,
		    MODEL ":%d: %s; remove the file, and a model is learned "
			  "again",
		    error.line, error.text);
		return -EBADMSG;
	}
	r = flow_model_of(MODEL, object, ret, err, err_size);
	json_decref(object);
	return r;
}

int
flow_state_model(int dirfd, struct flow_model **ret, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t n = 0;
	int r = read_text(dirfd, MODEL, &text, &n, err, err_size);

	if (r == 0 && !text)
		(void)snprintf(err, err_size, MODEL ": isn't there");
	if (r == 0)
		r = text ? model_of(text, n, ret, err, err_size) : -ENOENT;
	return r;
}

int
flow_state_of(const struct flow_rules *rules, const char *samples,
    size_t n_samples, const char *model, size_t n_model,
    struct flow_learner **ret, char *err, size_t err_size)
{
	struct flow_learner *l = flow_learner_new(rules, 0);
	int r = flow_state_read(l, SAMPLES, samples, n_samples, err, err_size);

	if (r == 0 && model)
		r = model_of(model, n_model, &l->model, err, err_size);
	if (r < 0) {
		(void)flow_learner_free(l);
		return r;
	}
	flow_learner_refresh(l);
	*ret = l;
	return 0;
}
