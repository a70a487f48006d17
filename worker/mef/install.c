#include "worker/mef/install.h"

#include "common/io.h"
#include "worker/mef/update_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* A number of 64 bits and a line end. */
#define HELD_BYTES 32

/* Where everything is, and what is there; under the lock. */
struct place {
	const struct mef_site *site;
	char *former, *fresh, *held, *lock;
	int lock_fd, model_fd; /* model_fd -1: there is none */
	uint64_t release;      /* of the model; 0: none, or not published */
	uint64_t held_release; /* 0: none */
	char *err;
	size_t err_size;
};

static int
fault(struct place *p, const char *path, int r)
{
	(void)snprintf(p->err, p->err_size, "%s: %s", path, strerror(-r));
	return r;
}

static void
place_close(struct place *p)
{
	if (p->model_fd >= 0)
		(void)close(p->model_fd);
	if (p->lock_fd >= 0)
		(void)close(p->lock_fd); /* and so gives the lock up */
	free(p->former);
	free(p->fresh);
	free(p->held);
	free(p->lock);
}

static int
read_held(struct place *p)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t n;
	int r = read_file(AT_FDCWD, p->held, HELD_BYTES, &text, &n);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fault(p, p->held, r);
	p->held_release = strtoull(text, NULL, 10);
	return 0;
}

static int
open_model(struct place *p)
{
	const char *path = p->site->model;
	struct mef_file file;
	char why[200];
	int r;

	p->model_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (p->model_fd < 0)
		return errno == ENOENT ? 0 : fault(p, path, -errno);
	r = mef_file_open(p->model_fd, &file, why, sizeof(why));
	if (r < 0) {
		(void)snprintf(p->err, p->err_size, "%s: %s", path, why);
		return r;
	}
	p->release = file.side.release;
	mef_file_close(&file);
	return 0;
}

static int
place_open(struct place *p)
{
	const char *model = p->site->model;
	int r;

	p->former = xasprintf("%s.former", model);
	p->fresh = xasprintf("%s.new", model);
	p->held = xasprintf("%s.held", model);
	p->lock = xasprintf("%s.lock", model);
	p->lock_fd = open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (p->lock_fd < 0)
		return fault(p, p->lock, -errno);
	do
		r = flock(p->lock_fd, LOCK_EX) < 0 ? -errno : 0;
	while (r == -EINTR);
	if (r < 0)
		return fault(p, p->lock, r);
	r = read_held(p);
	return r < 0 ? r : open_model(p);
}

static int
sync_directory(struct place *p)
{
	const char *model = p->site->model, *slash = strrchr(model, '/');
	CLEANUP(free_ptr)
	char *name = slash ? xasprintf("%.*s/", (int)(slash - model), model)
			   : xstrdup(".");
	CLEANUP(close_fd)
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? fault(p, name, -errno) : 0;
}

/* Whole, or what there was. */
static int
write_held(struct place *p, uint64_t release)
{
	CLEANUP(free_ptr) char *fresh = xasprintf("%s.new", p->held);
	CLEANUP(close_fd)
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char text[HELD_BYTES];
	const int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", release);
	int r = fd < 0 ? -errno : write_all(fd, text, (size_t)n);

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(fresh, p->held) < 0)
		r = -errno;
	return r < 0 ? fault(p, p->held, r) : 0;
}

/* What was there goes on to be M.former, beside M. */
static int
keep_former(struct place *p)
{
	CLEANUP(free_ptr) char *link_name = xasprintf("%s.new", p->former);

	if (p->model_fd < 0)
		return 0;
	(void)unlink(link_name);
	if (link(p->site->model, link_name) < 0)
		return fault(p, link_name, -errno);
	return rename(link_name, p->former) < 0 ? fault(p, p->former, -errno)
						: 0;
}

typedef int changer(const struct mef_update *update, int model_fd, int out_fd,
    const struct mef_listener *listener, char *err, size_t err_size);

/* The other model, synced, under the name of fresh. */
static int
write_fresh(struct place *p, changer *change, const struct mef_update *update)
{
	CLEANUP(close_fd)
	int fd = open(p->fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return fault(p, p->fresh, -errno);
	r = change(
	    update, p->model_fd, fd, &p->site->listener, p->err, p->err_size);
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = fault(p, p->fresh, -errno);
	return r;
}

static int
replace(struct place *p, const char *by)
{
	if (rename(by, p->site->model) < 0)
		return fault(p, p->site->model, -errno);
	return sync_directory(p);
}

static int
install_fresh(struct place *p, const struct mef_update *update)
{
	int r = write_fresh(p, mef_update_apply, update);

	if (r == 0)
		r = keep_former(p);
	if (r == 0)
		r = replace(p, p->fresh);
	if (r < 0)
		(void)unlink(p->fresh);
	else
		(void)unlink(p->held);
	return r;
}

/* May the model go where the update leads? */
static int
check_release(
    struct place *p, const struct mef_update *update, enum mef_install_by by)
{
	const uint64_t to = mef_update_head(update)->to.release;

	/* By hand, who has a model that was never published may change it. */
	if ((p->release > 0 || by == MEF_BY_ITSELF) && to <= p->release) {
		(void)snprintf(p->err, p->err_size,
		    "it leads to release %" PRIu64 ", and %s is release "
		    "%" PRIu64 " already; to go back, use `sluice model "
		    "revert`",
		    to, p->site->model, p->release);
		return -EALREADY;
	}
	if (by == MEF_BY_ITSELF && to <= p->held_release) {
		(void)snprintf(p->err, p->err_size,
		    "release %" PRIu64 " was taken back (%s); to have it "
		    "again, use `sluice model apply`",
		    to, p->held);
		return -ECANCELED;
	}
	return 0;
}

int
mef_install(const struct mef_site *site, const struct mef_update *update,
    enum mef_install_by by, char *err, size_t err_size)
{
	struct place p = {.site = site,
	    .lock_fd = -1,
	    .model_fd = -1,
	    .err = err,
	    .err_size = err_size};
	int r =
	    mef_update_verify(update, site->keys, site->n_keys, err, err_size);

	if (r < 0)
		return r;
	r = place_open(&p);
	if (r == 0)
		r = check_release(&p, update, by);
	if (r == 0)
		r = install_fresh(&p, update);
	place_close(&p);
	return r;
}

static int
take_former(struct place *p)
{
	CLEANUP(close_fd) int fd = open(p->former, O_RDONLY | O_CLOEXEC);
	struct mef_file file;
	char why[200];
	int r;

	if (fd < 0 && errno == ENOENT) {
		(void)snprintf(p->err, p->err_size,
		    "there is no %s; name the update that is to be taken back",
		    p->former);
		return -ENODATA;
	}
	if (fd < 0)
		return fault(p, p->former, -errno);
	r = mef_file_open(fd, &file, why, sizeof(why));
	if (r < 0) {
		(void)snprintf(p->err, p->err_size, "%s: %s", p->former, why);
		return r;
	}
	mef_file_close(&file);
	r = write_held(p, p->release);
	return r < 0 ? r : replace(p, p->former);
}

static int
take_by_update(struct place *p, const struct mef_update *update)
{
	int r = mef_update_verify(
	    update, p->site->keys, p->site->n_keys, p->err, p->err_size);

	if (r == 0)
		r = write_fresh(p, mef_update_revert, update);
	if (r == 0)
		r = write_held(p, p->release);
	if (r == 0)
		r = replace(p, p->fresh);
	/* Else the next one would go back to what is here now. */
	(void)unlink(r < 0 ? p->fresh : p->former);
	return r;
}

int
mef_take_back(const struct mef_site *site, const struct mef_update *update,
    char *err, size_t err_size)
{
	struct place p = {.site = site,
	    .lock_fd = -1,
	    .model_fd = -1,
	    .err = err,
	    .err_size = err_size};
	int r = place_open(&p);

	if (r == 0 && update)
		r = take_by_update(&p, update);
	else if (r == 0)
		r = take_former(&p);
	place_close(&p);
	return r;
}

int
mef_here(const struct mef_site *site, uint64_t *ret_release, char *err,
    size_t err_size)
{
	struct place p = {.site = site,
	    .lock_fd = -1,
	    .model_fd = -1,
	    .err = err,
	    .err_size = err_size};
	int r = open_model(&p);

	if (r == 0)
		*ret_release = p.release;
	place_close(&p);
	return r;
}
