/*
 * tools/sluice/repository_publish.c - `sluice model repository publish`: the
 * next release.
 *
 * A release is out once the update that leads to it has its name in public/,
 * and that one is never changed again.  So the view that it makes is on disk
 * before, and a run that finds such an update finishes that release instead of
 * making another:
 *
 *   view.next           the new view, synced
 *   public/release-R+1  all of it
 *   public/from-R       what is added: now it is out (the first release has
 *                       none, and is out with the next step)
 *   public/from-0       a second name of release-R+1
 *   notices/R+1.eml
 *   view.next -> view
 */
#include "tools/sluice/repository.h"

#include "common/clock.h"
#include "common/io.h"
#include "tools/sluice/model.h"
#include "tools/sluice/model_update.h"
#include "tools/sluice/put.h"
#include "tools/sluice/repository_notice.h"
#include "worker/mef/model.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_ENCLOSE = 256, KEY_SEND, KEY_URL, KEY_FROM };

#define TO_MAX 64

struct publish_options {
	struct repository_options repository; /* first */
	const char *secret, *url, *from;
	const char *to[TO_MAX];
	size_t n_to;
	uint32_t floor;
	bool is_enclosing, is_sending;
};

struct publication {
	const struct repository *repository;
	const struct publish_options *options;
	uint64_t release; /* the new one */
	char *secret, *view, *next, *step, *whole, *any, *notice;
	struct mef_update *step_update, *whole_update;
};

static error_t
parse_end(const struct publish_options *o, struct argp_state *state)
{
	if (o->n_to > 0 && (!o->url || !o->from))
		argp_error(state, "a notice needs --from and --url, too");
	if (o->n_to == 0 && (o->is_sending || o->is_enclosing || o->from))
		argp_error(state, "to whom? give --to");
	return 0;
}

static void
parse_address(struct argp_state *state, const char *arg)
{
	if (!notice_is_address(arg))
		argp_error(state, "%s: write an address, user@host", arg);
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct publish_options *o = state->input;

	switch (key) {
	case 's':
		o->secret = arg;
		return 0;
	case 'f':
		o->floor = model_floor(state, arg);
		return 0;
	case 't':
		parse_address(state, arg);
		if (o->n_to == TO_MAX)
			argp_error(state, "%d are enough: use a list", TO_MAX);
		o->to[o->n_to++] = arg;
		return 0;
	case KEY_FROM:
		parse_address(state, arg);
		o->from = arg;
		return 0;
	case KEY_URL:
		o->url = arg;
		return 0;
	case KEY_ENCLOSE:
		o->is_enclosing = true;
		return 0;
	case KEY_SEND:
		o->is_sending = true;
		return 0;
	case ARGP_KEY_END:
		return parse_end(o, state);
	default:
		return repository_option(key, arg, &o->repository);
	}
}

static const struct argp_option rows[] = {OPTION_DIRECTORY, OPTION_JSON,
    {"floor", 'f', "N", 0, "publish features of at least N documents (2)", 0},
    {"secret", 's', "PRIVATE", 0, "sign with this key (keys/sign)", 0},
    {"to", 't', "ADDRESS", 0, "write a notice to it (again: and to it)", 0},
    {"from", KEY_FROM, "ADDRESS", 0, "from this address", 0},
    {"url", KEY_URL, "URL", 0, "where sites find the directory public/", 0},
    {"enclose", KEY_ENCLOSE, NULL, 0, "enclose the update in the notice", 0},
    {"send", KEY_SEND, NULL, 0, "give the notice to the local sendmail", 0},
    {0}};

static const struct argp argp = {.options = rows,
    .parser = parse,
    .doc = "Make a release of what the master has learned: a pruned view of it "
	   "and updates that lead there, signed, in public/.\v"
	   "public/from-N leads from release N to the next one, from-0 is the "
	   "newest as a whole, release-N are all of them.  There being nothing "
	   "new is fine, and makes no release."};

static void
name_all(struct publication *p)
{
	const char *path = p->repository->path;

	p->secret = p->options->secret ? xstrdup(p->options->secret)
				       : xasprintf("%s/keys/sign", path);
	p->view = xasprintf("%s/view", path);
	p->next = xasprintf("%s/view.next", path);
	p->step = xasprintf("%s/public/from-%" PRIu64, path, p->release - 1);
	p->whole = xasprintf("%s/public/release-%" PRIu64, path, p->release);
	p->any = xasprintf("%s/public/from-0", path);
	p->notice = xasprintf("%s/notices/%" PRIu64 ".eml", path, p->release);
}

static void
publication_done(struct publication *p)
{
	free(p->secret);
	free(p->view);
	free(p->next);
	free(p->step);
	free(p->whole);
	free(p->any);
	free(p->notice);
	(void)mef_update_free(p->step_update);
	(void)mef_update_free(p->whole_update);
}

static int
fail(const struct publication *p, const char *path, int r)
{
	return util_fail(STATUS_SYSTEM, p->repository->command, "%s: %s", path,
	    strerror(-r));
}

/* Head of the view that was published last; release 0: there is none. */
static int
read_view(const struct publication *p, struct mef_head *ret_head)
{
	CLEANUP(free_ptr) char *path = repository_path(p->repository, "view");
	CLEANUP(mef_model_freep) struct mef_model *view = NULL;
	char err[400] = "";
	int r;

	*ret_head = (struct mef_head){.release = 0};
	r = mef_model_open(path, &view, err, sizeof(err));
	if (r == -ENOENT)
		return STATUS_FINE;
	if (r < 0)
		return util_fail(
		    STATUS_SYSTEM, p->repository->command, "%s", err);
	*ret_head = *mef_model_head(view);
	return STATUS_FINE;
}

/* *ret_is_new: it says something else than the view before. */
static int
make_view(const struct publication *p, const struct mef_head *before,
    bool *ret_is_new)
{
	CLEANUP(free_ptr) char *path = repository_path(p->repository, "master");
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	const struct mef_head *head;
	char err[400] = "";
	int r;

	if (mef_model_open(path, &model, err, sizeof(err)) < 0)
		return util_fail(
		    STATUS_SYSTEM, p->repository->command, "%s", err);
	r = mef_model_prune(model, p->options->floor);
	if (r == 0) {
		mef_model_set_release(model, p->release, &before->counts);
		r = mef_model_save(model, p->next);
	}
	if (r < 0)
		return fail(p, p->next, r);
	head = mef_model_head(model);
	*ret_is_new =
	    before->release == 0 ||
	    memcmp(&head->counts, &before->counts, sizeof(head->counts)) != 0 ||
	    memcmp(&head->point, &before->point, sizeof(head->point)) != 0;
	return STATUS_FINE;
}

/* From old_path (NULL: nothing) to the new view, signed, in place. */
static int
make_update(const struct publication *p, const char *old_path, const char *path,
    struct mef_update **ret)
{
	const struct mef_listener listener = update_progress("chunks");
	CLEANUP(close_fd)
	int old = old_path ? open(old_path, O_RDONLY | O_CLOEXEC) : -1;
	CLEANUP(close_fd) int new = open(p->next, O_RDONLY | O_CLOEXEC);
	char err[500] = "";

	if (new < 0 || (old_path && old < 0))
		return fail(p, new < 0 ? p->next : old_path, -errno);
	if (mef_update_make(old, new, &listener, ret, err, sizeof(err)) < 0 ||
	    mef_update_sign(*ret, p->secret, err, sizeof(err)) < 0)
		return util_fail(
		    STATUS_SYSTEM, p->repository->command, "%s", err);
	return update_save(p->repository->command, path, *ret);
}

static int
sync_directory(const struct publication *p, const char *name)
{
	CLEANUP(close_fd)
	int fd = openat(
	    p->repository->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? fail(p, name, -errno) : STATUS_FINE;
}

/* release-N's second name. */
static int
link_any(const struct publication *p)
{
	CLEANUP(free_ptr) char *fresh = xasprintf("%s.new", p->any);

	(void)unlink(fresh);
	if (link(p->whole, fresh) < 0 || rename(fresh, p->any) < 0)
		return fail(p, p->any, -errno);
	(void)unlink(fresh); /* they were the same already */
	return sync_directory(p, "public");
}

static struct notice
notice_of(const struct publication *p)
{
	const struct publish_options *o = p->options;

	return (struct notice){.from = o->from,
	    .to = o->to,
	    .n_to = o->n_to,
	    .url = o->url,
	    .step = p->step_update,
	    .whole = p->whole_update,
	    .step_path = p->step,
	    .whole_path = p->whole,
	    .is_enclosing = o->is_enclosing};
}

static int
write_notice(const struct publication *p)
{
	CLEANUP(close_fd)
	int dir = openat(
	    p->repository->dir, "notices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct notice notice = notice_of(p);
	char *text = NULL;
	size_t n = 0;
	FILE *out;
	int r;

	if (notice.n_to == 0)
		return STATUS_FINE;
	if (dir < 0)
		return fail(p, "notices", -errno);
	out = open_memstream(&text, &n);
	if (!out)
		abort();
	r = notice_write(&notice, wall_now().usec / USEC_PER_SEC, out);
	if (fclose(out) != 0)
		abort();
	if (r == 0)
		r = put_file(dir, strrchr(p->notice, '/') + 1, 0644, text, n);
	free(text);
	return r == 0 ? STATUS_FINE : fail(p, p->notice, r);
}

/* Before it is out. */
static int
make(struct publication *p, const struct mef_head *before, bool *ret_is_new)
{
	int status = make_view(p, before, ret_is_new);

	if (status != STATUS_FINE || !*ret_is_new) {
		(void)unlink(p->next);
		return status;
	}
	status = sync_directory(p, ".");
	if (status == STATUS_FINE)
		status = make_update(p, NULL, p->whole, &p->whole_update);
	if (status == STATUS_FINE && before->release > 0)
		status = make_update(p, p->view, p->step, &p->step_update);
	return status == STATUS_FINE ? sync_directory(p, "public") : status;
}

/* It is out, and was not finished: read what was made then. */
static int
find(struct publication *p, const struct mef_head *before)
{
	const char *command = p->repository->command;
	CLEANUP(close_fd) int fd = open(p->next, O_RDONLY | O_CLOEXEC);
	struct digest digest;
	int r, status = STATUS_FINE;
	struct stat st;

	p->whole_update = update_read(command, p->whole, &status);
	if (p->whole_update && before->release > 0)
		p->step_update = update_read(command, p->step, &status);
	if (status != STATUS_FINE)
		return status;
	r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0)
		r = digest_file(fd, 0, (uint64_t)st.st_size, &digest);
	if (r < 0)
		return fail(p, p->next, r);
	if (memcmp(&digest, &mef_update_head(p->whole_update)->to.file,
		sizeof(digest)) == 0)
		return STATUS_FINE;
	return util_fail(STATUS_SYSTEM, command,
	    "%s is not the release %ju that is out already; make it by "
	    "`sluice model apply -m %s -k keys/sign.pub %s`",
	    p->next, (uintmax_t)p->release, p->next, p->whole);
}

/* Sites may have it from now on; what is missing can be done again. */
static int
finish(const struct publication *p)
{
	int status = link_any(p);

	if (status == STATUS_FINE)
		status = write_notice(p);
	if (status == STATUS_FINE && rename(p->next, p->view) < 0)
		status = fail(p, p->view, -errno);
	return status == STATUS_FINE ? sync_directory(p, ".") : status;
}

static void
tell(const struct publication *p)
{
	const struct mef_update_head *h = mef_update_head(p->whole_update);
	const uint64_t step =
	    p->step_update
		? sizeof(*h) + mef_update_head(p->step_update)->payload_bytes
		: 0;
	const uint64_t whole = sizeof(*h) + h->payload_bytes;
	const bool has_notice = p->options->n_to > 0;

	if (p->options->repository.common.json)
		util_json_line(stdout,
		    json_pack("{sI sI sI sI sI ss*}", "release",
			(json_int_t)p->release, "malicious",
			(json_int_t)h->to.n_documents[MEF_MALICIOUS], "benign",
			(json_int_t)h->to.n_documents[MEF_BENIGN],
			"whole_bytes", (json_int_t)whole, "step_bytes",
			(json_int_t)step, "notice",
			has_notice ? p->notice : NULL));
	else
		(void)printf("release %ju: %ju octets from the one before, "
			     "%ju as a whole%s%s\n",
		    (uintmax_t)p->release, (uintmax_t)step, (uintmax_t)whole,
		    has_notice ? "; notice " : "", has_notice ? p->notice : "");
}

static int
publish(struct publication *p)
{
	struct mef_head before;
	bool is_new = true;
	int status = read_view(p, &before);

	if (status != STATUS_FINE)
		return status;
	p->release = before.release + 1;
	name_all(p);
	if (access(before.release > 0 ? p->step : p->any, F_OK) == 0)
		status = find(p, &before);
	else
		status = make(p, &before, &is_new);
	if (status != STATUS_FINE)
		return status;
	if (!is_new) {
		(void)printf(p->options->repository.common.json
				 ? "{\"release\":%ju,\"new\":false}\n"
				 : "nothing new since release %ju\n",
		    (uintmax_t)before.release);
		return STATUS_FINE;
	}
	status = finish(p);
	if (status != STATUS_FINE)
		return status;
	tell(p);
	if (p->options->is_sending) {
		const struct notice notice = notice_of(p);

		status = notice_send(p->repository, &notice, p->notice);
	}
	return status;
}

int
repository_publish(int argc, char **argv)
{
	struct publish_options o = {.floor = 2};
	struct repository repository;
	struct publication p = {.repository = &repository, .options = &o};
	int status;

	util_parse(&argp, argc, argv, &o);
	status = repository_open(&o.repository, true, argv[0], &repository);
	if (status == STATUS_FINE)
		status = publish(&p);
	publication_done(&p);
	repository_done(&repository);
	return status;
}
