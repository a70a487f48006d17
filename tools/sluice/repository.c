/*
 * tools/sluice/repository.c - `sluice model repository SUB-COMMAND`: finds it
 * and calls it; and the directory that all of them work on.
 */
#include "tools/sluice/repository.h"

#include "common/io.h"
#include "common/pem.h"
#include "tools/sluice/subs.h"
#include "worker/mef/model.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static const struct sub_command subs[] = {
    {"init", repository_init, "make a repository, and its keys"},
    {"receive", repository_receive, "take parcels of sites"},
    {"list", repository_list, "what came in, and what is to be labelled"},
    {"show", repository_show, "all that helps to label a file"},
    {"label", repository_label, "say what a file is"},
    {"train", repository_train, "let the master learn what is labelled"},
    {"publish", repository_publish, "make a release, sign and announce it"},
};

int
model_repository(int argc, char **argv)
{
	return subs_call("model repository",
	    "The central side of a model: sites send what it is unsure of, "
	    "experts label that,\nand the next release goes back.\n",
	    subs, ARRAY_SIZE(subs), argc, argv);
}

error_t
repository_option(int key, char *arg, struct repository_options *options)
{
	if (key != 'd')
		return util_common_option(key, arg, &options->common);
	options->directory = arg;
	return 0;
}

char *
repository_path(const struct repository *repository, const char *name)
{
	return xasprintf("%s/%s", repository->path, name);
}

int
repository_open(const struct repository_options *options, bool is_changing,
    const char *command, struct repository *ret)
{
	*ret = (struct repository){
	    .dir = -1, .samples = -1, .lock = -1, .command = command};
	ret->path = xstrdup(options->directory ? options->directory : ".");
	ret->dir = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir >= 0)
		ret->samples = openat(
		    ret->dir, "samples", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->samples < 0 || faccessat(ret->dir, "master", F_OK, 0) < 0)
		return util_fail(STATUS_USAGE, command,
		    "%s: no repository (%s); make one by `sluice model "
		    "repository init DIR`",
		    ret->path, strerror(errno));
	if (!is_changing)
		return STATUS_FINE;
	ret->lock =
	    openat(ret->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ret->lock < 0 || flock(ret->lock, LOCK_EX) < 0)
		return util_fail(STATUS_SYSTEM, command, "%s/lock: %s",
		    ret->path, strerror(errno));
	return STATUS_FINE;
}

void
repository_done(struct repository *repository)
{
	if (repository->dir >= 0)
		(void)close(repository->dir);
	if (repository->samples >= 0)
		(void)close(repository->samples);
	if (repository->lock >= 0)
		(void)close(repository->lock);
	free(repository->path);
}

struct init_options {
	struct common_options common;
	const char *directory, *master;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct init_options *o = state->input;

	switch (key) {
	case 'm':
		o->master = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (o->directory)
			argp_error(state, "%s: one directory", arg);
		o->directory = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->directory)
			argp_error(state, "which directory?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp init_argp = {
    .options = (const struct argp_option[]){{"master", 'm', "MODEL", 0,
						"begin with what this model "
						"has learned (default: "
						"nothing)",
						0},
	{0}},
    .parser = parse,
    .args_doc = "DIR",
    .doc = "Make a repository in a new directory, and its two pairs of keys."
	   "\vGive keys/open.pub and keys/sign.pub to the sites, and put a "
	   "site's public key into senders/NAME.pub."};

/* The first master: a copy of the model, or an empty one. */
static int
make_master(const struct init_options *o, const char *command)
{
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/master", o->directory);
	char err[400] = "";
	int r;

	if (!o->master)
		model = mef_model_new(MEF_SET_FULL, 0);
	else if (mef_model_open(o->master, &model, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, command, "%s", err);
	if (mef_model_head(model)->flags & MEF_PRUNED)
		return util_fail(STATUS_USAGE, command,
		    "%s: a pruned view can't learn: give its master",
		    o->master);
	r = mef_model_save(model, path);
	return r == 0 ? STATUS_FINE
		      : util_fail(STATUS_SYSTEM, command, "%s: %s", path,
			    strerror(-r));
}

static int
make_keys(const struct init_options *o, const char *command, const char *name,
    enum pem_kind kind)
{
	CLEANUP(free_ptr)
	char *private = xasprintf("%s/keys/%s", o->directory, name);
	CLEANUP(free_ptr) char *public = xasprintf("%s.pub", private);
	char err[400] = "";

	if (pem_make(private, public, kind, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, command, "%s", err);
	return STATUS_FINE;
}

static int
make_directories(const struct init_options *o, const char *command)
{
	static const struct {
		const char *name;
		mode_t mode;
	} all[] = {{"", 0755}, {"keys", 0700}, {"senders", 0700},
	    {"samples", 0700}, {"public", 0755}, {"notices", 0755}};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		CLEANUP(free_ptr)
		char *path = xasprintf("%s/%s", o->directory, all[i].name);

		if (mkdir(path, all[i].mode) < 0)
			return util_fail(STATUS_SYSTEM, command, "%s: %s", path,
			    strerror(errno));
	}
	return STATUS_FINE;
}

int
repository_init(int argc, char **argv)
{
	struct init_options o = {.directory = NULL};
	int status;

	util_parse(&init_argp, argc, argv, &o);
	status = make_directories(&o, argv[0]);
	if (status == STATUS_FINE)
		status = make_keys(&o, argv[0], "open", PEM_X25519);
	if (status == STATUS_FINE)
		status = make_keys(&o, argv[0], "sign", PEM_ED25519);
	if (status == STATUS_FINE)
		status = make_master(&o, argv[0]); /* last: now it is one */
	return status;
}
