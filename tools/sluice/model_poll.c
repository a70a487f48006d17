/*
 * tools/sluice/model_poll.c - `sluice model poll`: ask the repository for an
 * update, and install it.
 *
 * The fetch role asks, in its sandbox and as its own user; here is no parser
 * of HTTP.  What it brings is a sealed file, and believed as little as any.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/proc.h"
#include "tools/sluice/model_update.h"
#include "worker/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

/* Above the role's own limit, 10 minutes: later it hangs. */
#define PATIENCE_MSEC (11 * 60 * 1000)

#define NOT_FOUND 404u

static const struct argp argp = {
    .options = (const struct argp_option[]){OPTION_CONF, OPTION_JSON, {0}},
    .parser = update_option,
    .doc = "Ask mef.url for an update of the model, check and install it.\v"
	   "To be run by a timer, as root.  There being nothing newer is fine "
	   "(exit status 0).  Exit status 1: an update came and is refused."};

/* The address for who has that release; NULL: it is too long. */
static char *
address(const char *pattern, uint64_t release)
{
	const char *mark = strstr(pattern, "%r");
	char *url = mark ? xasprintf("%.*s%" PRIu64 "%s", (int)(mark - pattern),
			       pattern, release, mark + 2)
			 : xstrdup(pattern);

	if (strlen(url) < sizeof(((struct wire_fetch *)0)->url))
		return url;
	free(url);
	return NULL;
}

/* Its answer into msg, or -ETIMEDOUT, or -errno: -EPIPE where it has ended. */
static int
ask(int fd, const char *url, struct ipc_msg *msg)
{
	struct wire_fetch out = {.number = 1};
	struct pollfd readable = {fd, POLLIN, 0};
	int r;

	(void)snprintf(out.url, sizeof(out.url), "%s", url);
	r = ipc_send(fd, WIRE_FETCH, &out, sizeof(out), NULL, 0);
	if (r < 0)
		return r;
	do
		r = poll(&readable, 1, PATIENCE_MSEC);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return ipc_recv(fd, msg);
}

/* The role for one question; it ends with its socket. */
static int
fetch(const char *conf_path, const char *url, struct ipc_msg *msg)
{
	int pair[2], r = ipc_pair(pair);
	pid_t pid;

	if (r < 0)
		return r;
	pid = proc_spawn(&(const struct proc_spec){.program = "sluice-fetch",
	    .role = "fetch",
	    .conf_path = conf_path,
	    .extra = "update",
	    .fds = {pair[1]},
	    .n_fds = 1});
	(void)close(pair[1]);
	r = pid < 0 ? (int)pid : ask(pair[0], url, msg);
	(void)close(pair[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return r;
}

static int
install(const char *command, const struct update_options *o,
    const struct update_site *site, const char *url, int fd)
{
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	char err[500] = "";
	int r = mef_update_read(fd, &update, err, sizeof(err));

	if (r == 0)
		r = mef_install(
		    &site->site, update, MEF_BY_ITSELF, err, sizeof(err));
	if (r == -EALREADY || r == -ECANCELED) { /* answers, not faults */
		(void)printf("%s: %s\n", url, err);
		return STATUS_FINE;
	}
	if (r < 0)
		return util_fail(STATUS_BAD, command, "%s: %s", url, err);
	update_print(url, update, o->common.json);
	return STATUS_FINE;
}

static int
take(const char *command, const struct update_options *o,
    const struct update_site *site, const char *url, const struct ipc_msg *msg)
{
	const struct wire_fetched *f;

	if (wire_fetched(msg, &f) < 0 ||
	    (f->got && !memfd_is_sealed(msg->fds[0])))
		return util_fail(STATUS_SYSTEM, command,
		    "%s: sluice-fetch gave an answer that is none", url);
	if (!f->got && f->status == NOT_FOUND) {
		(void)printf("%s: nothing newer\n", url);
		return STATUS_FINE;
	}
	if (!f->got)
		return util_fail(
		    STATUS_SYSTEM, command, "%s: %s", url, f->text);
	return install(command, o, site, url, msg->fds[0]);
}

static int
poll_once(const char *command, const struct update_options *o,
    const struct update_site *site)
{
	const char *conf_path =
	    o->common.conf_path ? o->common.conf_path : UTIL_CONF_DEFAULT;
	CLEANUP(free_ptr) char *url = NULL;
	CLEANUP(free_ptr)
	struct ipc_msg *msg = xcalloc(1, sizeof(*msg)); /* 64 KiB */
	uint64_t release = 0;
	char err[300] = "";
	int r, status;

	if (mef_here(&site->site, &release, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, command, "%s", err);
	url = address(site->url, release);
	if (!url)
		return util_fail(
		    STATUS_USAGE, command, "mef.url: longer than an address");
	r = fetch(conf_path, url, msg);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, command,
		    "%s: sluice-fetch does not answer (%s); its own words are "
		    "above",
		    url, strerror(-r));
	status = take(command, o, site, url, msg);
	ipc_drop_fds(msg);
	return status;
}

int
model_poll(int argc, char **argv)
{
	struct update_options o = {.model = NULL};
	struct update_site site;
	int status;

	util_parse(&argp, argc, argv, &o);
	if (o.n_files > 0)
		return util_fail(STATUS_USAGE, argv[0],
		    "%s: what is asked is said by mef.url", o.files[0]);
	status = update_site_open(&o, argv[0], &site);
	if (status == STATUS_FINE && !site.url)
		status = util_fail(STATUS_USAGE, argv[0],
		    "where? set mef.url, as https://HOST/from-%%r");
	if (status == STATUS_FINE)
		status = poll_once(argv[0], &o, &site);
	update_site_done(&site);
	free(o.keys);
	return status;
}
