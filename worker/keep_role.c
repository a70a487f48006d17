/*
 * The archive role: puts copies of files into the archive, one after the
 * other, and lets what is too old go.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "worker/mef/archive.h"
#include "worker/roles.h"
#include "worker/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define ENGINES_FD PROC_FIRST_FD

/* How often it looks for what is too old. */
#define TRIM_USEC (3600 * USEC_PER_SEC)

struct keeper {
	const struct conf *conf;
	struct mef_archive *archive;
	struct mef_archive_limits limits;
	bool is_failing; /* which was said */
	struct mono trimmed;
	struct ipc_msg msg;
};

/* Once, until it goes well again: a full disk stays full for long. */
static void
note(struct keeper *role, int r)
{
	if (r == 0 && role->is_failing)
		log_info("archive %s: going on", role->conf->mef.archive);
	else if (r < 0 && !role->is_failing)
		log_error("archive %s: %s; no files are archived until that "
			  "is put right",
		    role->conf->mef.archive, strerror(-r));
	role->is_failing = r < 0;
}

/* -ENOENT: the directory isn't there yet, or not any more. */
static int
open_archive(struct keeper *role)
{
	return role->archive
		   ? 0
		   : mef_archive_open(role->conf->mef.archive, &role->archive);
}

static int
put(struct keeper *role, const struct wire_keep *keep, const char *meta)
{
	int r = open_archive(role);

	if (r == 0)
		r = mef_archive_put(role->archive, &role->limits, &keep->digest,
		    role->msg.fds[0], keep->bytes, meta, keep->meta_bytes);
	if (r == -EEXIST || r == -EFBIG)
		return r; /* an answer */
	note(role, r);
	return r;
}

static int
hear(struct keeper *role)
{
	struct wire_kept kept = {.error = 0};
	const struct wire_keep *keep;
	const char *meta;
	int r = ipc_recv(ENGINES_FD, &role->msg);

	if (r < 0)
		return r;
	r = wire_keep(&role->msg, &keep, &meta);
	if (r == 0) {
		kept.error = (uint32_t)-put(role, keep, meta);
		r = ipc_send(
		    ENGINES_FD, WIRE_KEPT, &kept, sizeof(kept), NULL, 0);
	}
	ipc_drop_fds(&role->msg);
	return r;
}

static void
trim(struct keeper *role)
{
	if (role->trimmed.usec &&
	    mono_span(role->trimmed, mono_now()) < TRIM_USEC)
		return;
	role->trimmed = mono_now();
	if (open_archive(role) == 0)
		note(role, mef_archive_trim(role->archive, &role->limits));
}

/* Until engines go: 0; or -errno. */
static int
serve(struct keeper *role)
{
	struct pollfd p = {ENGINES_FD, POLLIN, 0};
	int r = 0;

	while (r == 0 || r == -EAGAIN) {
		if (poll(&p, 1, (int)(TRIM_USEC / USEC_PER_MSEC)) < 0 &&
		    errno != EINTR)
			return -errno;
		trim(role);
		r = hear(role);
	}
	return r == -EPIPE ? 0 : r;
}

int
archive_role(const struct conf *conf)
{
	/* Its message buffer is too large for the stack; lives to the end. */
	struct keeper *role = xcalloc(1, sizeof(*role));
	char err[512] = "";
	int r;

	role->conf = conf;
	role->limits = (struct mef_archive_limits){
	    conf->mef.archive_size_bytes, conf->mef.archive_age_usec};
	r = sandbox_enter(ROLE_ARCHIVE, conf, err, sizeof(err));
	if (r == 0)
		r = serve(role);
	if (r < 0)
		log_error("archive role ends: %s", *err ? err : strerror(-r));
	return r < 0 ? 111 : 0;
}
