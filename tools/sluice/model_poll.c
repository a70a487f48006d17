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
#include <strings.h>
#include <sys/wait.h>

/* Above the role's own limit, 10 minutes: later it hangs. */
#define PATIENCE_MSEC (11 * 60 * 1000)

#define NOT_FOUND 404u

/* Releases of one run: who lags behind for years takes a whole model. */
#define STEPS_MAX 1000

static const struct argp argp = {
    .options = (const struct argp_option[]){OPTION_CONF, OPTION_JSON, {0}},
    .parser = update_option,
    .doc = "Ask mef.url for an update of the model, check and install it.\v"
	   "To be run by a timer, as root.  It goes on until there is nothing "
	   "newer, which is fine (exit status 0).  Exit status 1: an update "
	   "came and is refused."};

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

/* One question and what came of it. */
struct polling {
	const char *command;
	const struct update_options *options;
	const struct update_site *site;
	/* 0: a release was installed; -ENOENT: there is nothing newer;
	 * -EALREADY or -ECANCELED: an answer of mef_install(). */
	int outcome;
};

static int
install(struct polling *p, const char *url, int fd)
{
	CLEANUP(mef_update_freep) struct mef_update *update = NULL;
	char err[500] = "";
	int r = mef_update_read(fd, &update, err, sizeof(err));

	if (r == 0)
		r = mef_install(
		    &p->site->site, update, MEF_BY_ITSELF, err, sizeof(err));
	p->outcome = r;
	if (r == -EALREADY || r == -ECANCELED) { /* answers, not faults */
		(void)printf("%s: %s\n", url, err);
		return STATUS_FINE;
	}
	if (r < 0)
		return util_fail(STATUS_BAD, p->command, "%s: %s", url, err);
	update_print(url, update, p->options->common.json);
	return STATUS_FINE;
}

static int
take(struct polling *p, const char *url, const struct ipc_msg *msg)
{
	const struct wire_fetched *f;

	if (wire_fetched(msg, &f) < 0 ||
	    (f->got && !memfd_is_sealed(msg->fds[0])))
		return util_fail(STATUS_SYSTEM, p->command,
		    "%s: sluice-fetch gave an answer that is none", url);
	if (!f->got && f->status == NOT_FOUND) {
		(void)printf("%s: nothing newer\n", url);
		p->outcome = -ENOENT;
		return STATUS_FINE;
	}
	if (!f->got)
		return util_fail(
		    STATUS_SYSTEM, p->command, "%s: %s", url, f->text);
	return install(p, url, msg->fds[0]);
}

static int
poll_once(struct polling *p, uint64_t release)
{
	const struct common_options *common = &p->options->common;
	const char *conf_path =
	    common->conf_path ? common->conf_path : UTIL_CONF_DEFAULT;
	CLEANUP(free_ptr) char *url = address(p->site->url, release);
	CLEANUP(free_ptr)
	struct ipc_msg *msg = xcalloc(1, sizeof(*msg)); /* 64 KiB */
	int r, status;

	if (!url)
		return util_fail(STATUS_USAGE, p->command,
		    "mef.url: longer than an address");
	r = fetch(conf_path, url, msg);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, p->command,
		    "%s: sluice-fetch does not answer (%s); its own words are "
		    "above",
		    url, strerror(-r));
	status = take(p, url, msg);
	ipc_drop_fds(msg);
	return status;
}

/* One release after the other.  Where the next one was taken back here, the
 * newest as a whole may be a later one. */
static int
poll_all(struct polling *p)
{
	char err[300] = "";
	uint64_t release;
	int status;

	for (int i = 0; i < STEPS_MAX; i++) {
		if (mef_here(&p->site->site, &release, err, sizeof(err)) < 0)
			return util_fail(STATUS_SYSTEM, p->command, "%s", err);
		status = poll_once(p, release);
		if (status != STATUS_FINE)
			return status;
		if (p->outcome == -ECANCELED && release != 0) {
			status = poll_once(p, 0);
			if (status != STATUS_FINE)
				return status;
		}
		if (p->outcome != 0)
			return STATUS_FINE;
	}
	return STATUS_FINE;
}

/* Said here and not by the fetch role, which would take it for a fault that
 * goes away. */
static int
check_url(const char *command, const char *url)
{
	if (!url)
		return util_fail(STATUS_USAGE, command,
		    "where? set mef.url, as https://HOST/from-%%r");
	if (strncasecmp(url, "http://", 7) != 0 &&
	    strncasecmp(url, "https://", 8) != 0)
		return util_fail(STATUS_USAGE, command,
		    "mef.url: %s: only http and https are asked; a file is "
		    "installed by sluice model apply",
		    url);
	return STATUS_FINE;
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
	if (status == STATUS_FINE)
		status = check_url(argv[0], site.url);
	if (status == STATUS_FINE)
		status = poll_all(&(struct polling){
		    .command = argv[0], .options = &o, .site = &site});
	update_site_done(&site);
	free(o.keys);
	return status;
}
