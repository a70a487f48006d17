/*
 * tools/sluice/model_install.c - `sluice model apply` and `revert`: put the
 * model of an update in place, and take it back.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "tools/sluice/mail_find.h"
#include "tools/sluice/model_update.h"

#include <errno.h>
#include <string.h>

static const struct argp apply_argp = {
    .options = (const struct argp_option[]){OPTION_CONF, OPTION_JSON,
	OPTION_MODEL, OPTION_PINNED,
	{"mail", 'M', NULL, 0,
	    "UPDATE is a mail that has it enclosed; - is standard input", 0},
	{0}},
    .parser = update_option,
    .args_doc = "UPDATE",
    .doc = "Check an update and put its model in place.\v"
	   "The former one is kept beside it, as MODEL.former.  Exit status "
	   "1: the update is refused, and nothing has changed.\n"
	   "--mail is for the end of an alias: what comes so comes by itself, "
	   "so a release that was taken back is left alone, and one that is "
	   "here already is fine."};

static const struct argp revert_argp = {
    .options = (const struct argp_option[]){OPTION_CONF, OPTION_MODEL,
	OPTION_PINNED, {0}},
    .parser = update_option,
    .args_doc = "[UPDATE]",
    .doc = "Take the last update back: by MODEL.former, or by the update "
	   "itself.\vReleases up to the one that was left come no more by "
	   "themselves, until `sluice model apply`."};

/* The update is wrong, or the system is. */
static int
status_of(int r)
{
	switch (r) {
	case -EKEYREJECTED:
	case -ESTALE:
	case -EALREADY:
	case -ECANCELED:
	case -EBADMSG:
	case -EINVAL:
	case -ENODATA:
	case -EFBIG:
		return STATUS_BAD;
	default:
		return STATUS_SYSTEM;
	}
}

/* The update that a mail brings; NULL after saying why, *ret_status set. */
static struct mef_update *
read_mail(const char *command, const char *path, int *ret_status)
{
	CLEANUP(close_fd) int fd = -1;
	struct mef_update *update = NULL;
	char err[400] = "";
	int r = mail_or_file(
	    path, MEF_UPDATE_MAGIC, MEF_UPDATE_MAX, &fd, err, sizeof(err));

	if (r == 0)
		r = mef_update_read(fd, &update, err, sizeof(err));
	if (r < 0)
		*ret_status =
		    util_fail(status_of(r), command, "%s: %s", path, err);
	return update;
}

static int
apply(const char *command, const struct update_options *o,
    const struct update_site *site)
{
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	char err[500] = "";
	int r, status = STATUS_FINE;

	update = o->is_mail ? read_mail(command, o->files[0], &status)
			    : update_read(command, o->files[0], &status);
	if (!update)
		return status;
	r = mef_install(&site->site, update,
	    o->is_mail ? MEF_BY_ITSELF : MEF_BY_HAND, err, sizeof(err));
	if (o->is_mail && (r == -EALREADY || r == -ECANCELED)) {
		/* Answers, not faults: the sender need not hear of them. */
		(void)printf("%s: %s\n", o->files[0], err);
		return STATUS_FINE;
	}
	if (r < 0)
		return util_fail(
		    status_of(r), command, "%s: %s", o->files[0], err);
	update_print(o->files[0], update, o->common.json);
	return STATUS_FINE;
}

static int
revert(const char *command, const struct update_options *o,
    const struct update_site *site)
{
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	const char *name = o->n_files > 0 ? o->files[0] : site->model;
	char err[500] = "";
	int r, status = STATUS_FINE;

	if (o->n_files > 0) {
		update = update_read(command, o->files[0], &status);
		if (!update)
			return status;
	}
	r = mef_take_back(&site->site, update, err, sizeof(err));
	if (r < 0)
		return util_fail(status_of(r), command, "%s: %s", name, err);
	return STATUS_FINE;
}

int
model_apply(int argc, char **argv)
{
	struct update_options o = {.model = NULL};
	struct update_site site;
	int status;

	util_parse(&apply_argp, argc, argv, &o);
	if (o.n_files != 1)
		return util_fail(STATUS_USAGE, argv[0], "which update?");
	status = update_site_open(&o, argv[0], &site);
	if (status == STATUS_FINE)
		status = apply(argv[0], &o, &site);
	update_site_done(&site);
	free(o.keys);
	return status;
}

int
model_revert(int argc, char **argv)
{
	struct update_options o = {.model = NULL};
	struct update_site site;
	int status;

	util_parse(&revert_argp, argc, argv, &o);
	if (o.n_files > 1)
		return util_fail(
		    STATUS_USAGE, argv[0], "one update at a time, last first");
	status = update_site_open(&o, argv[0], &site);
	if (status == STATUS_FINE)
		status = revert(argv[0], &o, &site);
	update_site_done(&site);
	free(o.keys);
	return status;
}
