/*
 * tools/sluice/model_diff.c - `sluice model diff`, `sign` and `verify`: make
 * updates, and say whose they are.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sluice/model_update.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const struct argp diff_argp = {
    .options = (const struct argp_option[]){OPTION_JSON,
	{"output", 'o', "UPDATE", 0, "write the update to this file", 0},
	{"whole", 'w', NULL, 0, "carry all of NEW: it fits any model, or none",
	    0},
	{0}},
    .parser = update_option,
    .args_doc = "-o UPDATE OLD NEW\n-o UPDATE --whole NEW",
    .doc = "Make an update: what changed between two models."};

static const struct argp sign_argp = {
    .options =
	(const struct argp_option[]){
	    {"secret", 's', "PRIVATE", 0, "sign with this key", 0}, {0}},
    .parser = update_option,
    .args_doc = "-s PRIVATE UPDATE",
    .doc = "Sign an update, in its file.\v"
	   "Keys are made by `openssl genpkey -algorithm ed25519 -out PRIVATE` "
	   "and `openssl pkey -in PRIVATE -pubout -out PUBLIC`."};

static const struct argp verify_argp = {
    .options = (const struct argp_option[]){OPTION_CONF, OPTION_JSON,
	OPTION_PINNED, {0}},
    .parser = update_option,
    .args_doc = "UPDATE",
    .doc = "Is an update whole, and signed by a key that is trusted?\v"
	   "Exit status 1: it is not."};

/* The checksums of a whole model, which the update's own maker trusts. */
static int
open_checked(const char *command, const char *path, int *ret_fd)
{
	CLEANUP(mef_model_freep) struct mef_model *model = NULL;
	char err[500] = "";

	if (mef_model_open(path, &model, err, sizeof(err)) < 0)
		return util_fail(STATUS_BAD, command, "%s", err);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return util_fail(
		    STATUS_SYSTEM, command, "%s: %s", path, strerror(errno));
	return STATUS_FINE;
}

static int
diff(const char *command, const struct update_options *o)
{
	const struct mef_listener listener = update_progress("chunks");
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	CLEANUP(close_fd) int old = -1, new = -1;
	char err[400] = "";
	int status = STATUS_FINE;

	if (!o->is_whole)
		status = open_checked(command, o->files[0], &old);
	if (status == STATUS_FINE)
		status = open_checked(command, o->files[!o->is_whole], &new);
	if (status != STATUS_FINE)
		return status;
	if (mef_update_make(old, new, &listener, &update, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, command, "%s", err);
	status = update_save(command, o->output, update);
	if (status == STATUS_FINE)
		update_print(o->output, update, o->common.json);
	return status;
}

int
model_diff(int argc, char **argv)
{
	struct update_options o = {.output = NULL};

	util_parse(&diff_argp, argc, argv, &o);
	if (!o.output)
		return util_fail(
		    STATUS_USAGE, argv[0], "where to? give -o UPDATE");
	if (o.n_files != (o.is_whole ? 1 : 2))
		return util_fail(STATUS_USAGE, argv[0],
		    o.is_whole ? "give the model, and no other"
			       : "give the old model and the new one");
	return diff(argv[0], &o);
}

int
model_sign(int argc, char **argv)
{
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	struct update_options o = {.private = NULL};
	char err[500] = "";
	int status = STATUS_FINE;

	util_parse(&sign_argp, argc, argv, &o);
	if (!o.private || o.n_files != 1)
		return util_fail(STATUS_USAGE, argv[0],
		    "give -s PRIVATE and the update to sign");
	update = update_read(argv[0], o.files[0], &status);
	if (!update)
		return status;
	if (mef_update_sign(update, o.private, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, argv[0], "%s", err);
	return update_save(argv[0], o.files[0], update);
}

static int
verify(const char *command, const struct update_options *o,
    const struct update_site *site)
{
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	char err[400] = "";
	int status = STATUS_FINE;

	update = update_read(command, o->files[0], &status);
	if (!update)
		return status;
	if (mef_update_verify(update, site->site.keys, site->site.n_keys, err,
		sizeof(err)) < 0)
		return util_fail(
		    STATUS_BAD, command, "%s: %s", o->files[0], err);
	update_print(o->files[0], update, o->common.json);
	return STATUS_FINE;
}

int
model_verify(int argc, char **argv)
{
	struct update_options o = {.model = ""}; /* none is looked at */
	struct update_site site;
	int status;

	util_parse(&verify_argp, argc, argv, &o);
	if (o.n_files != 1)
		return util_fail(STATUS_USAGE, argv[0], "which update?");
	status = update_site_open(&o, argv[0], &site);
	if (status == STATUS_FINE)
		status = verify(argv[0], &o, &site);
	update_site_done(&site);
	free(o.keys);
	return status;
}
