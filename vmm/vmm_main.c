/*
 * sluice-vmm: one a host, holds the references and all clones.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "vmm/holder.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define EXIT_USAGE  100
#define EXIT_SYSTEM 111

struct start {
	struct conf *conf;
	struct metrics *metrics;
	struct holder_parts parts;
	char why[224];
	int lock_fd;
};

static int
fail(const char *what, const char *err)
{
	log_error("vmm %s: %s", what, err);
	return EXIT_SYSTEM;
}

/* The vmm roles of the workers are of this user, too; nobody else comes into
 * its directory. */
static int
give_dir(const char *dir, const struct passwd *pw)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (geteuid() == 0 && pw && chown(dir, pw->pw_uid, pw->pw_gid) < 0)
		return -errno;
	return chmod(dir, 0700) < 0 ? -errno : 0;
}

/* Two holders would each spend the whole budget.  0; -EADDRINUSE; -errno. */
static int
lock_dir(const char *dir, int *ret_fd)
{
	CLEANUP(close_fd)
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* What needs the rights that the sandbox takes away. */
static int
open_outside(struct start *s)
{
	CLEANUP(free_ptr) char *dir = NULL;
	CLEANUP(free_ptr) char *path = NULL;
	const struct conf *c = s->conf;
	const struct passwd *pw = getpwnam(c->site.vmm_user);
	int r = metrics_open(c->site.runtime, "vmm", &s->metrics);

	if (r < 0)
		return fail(c->site.runtime, strerror(-r));
	s->parts.uid = geteuid() != 0 || !pw ? geteuid() : pw->pw_uid;
	s->parts.metrics = s->metrics;
	s->parts.conf = c;
	s->parts.why = s->why;
	s->parts.meminfo = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	dir = xasprintf("%s/vmm", c->site.runtime);
	path = xasprintf("%s/vmm.sock", dir);
	r = give_dir(dir, pw);
	if (r == 0)
		r = lock_dir(dir, &s->lock_fd);
	if (r == 0)
		r = s->parts.listen_fd = ipc_listen(path);
	if (r < 0)
		return fail(path, strerror(-r));
	/* Alone now: what is left behind is nobody's. */
	s->parts.ops = holder_choose(c, s->why, sizeof(s->why));
	return 0;
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_info("ending");
	holder_end(*(struct holder **)arg);
}

static int
serve(struct start *s)
{
	struct event_base *base = event_base_new();
	struct holder *holder = NULL;
	struct event *ends[2];
	char err[256];
	int r;

	if (!base)
		return fail("loop", strerror(errno));
	if (sandbox_enter(ROLE_HOLDER, s->conf, err, sizeof(err)) < 0)
		return fail("sandbox", err);
	holder = holder_new(base, &s->parts);
	ends[0] = evsignal_new(base, SIGTERM, on_end, &holder);
	ends[1] = evsignal_new(base, SIGINT, on_end, &holder);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		(void)event_add(ends[i], NULL);
	log_info("vmm directory=%s: serving", s->conf->vm.directory);
	r = event_base_dispatch(base) < 0 ? EXIT_SYSTEM : 0;
	(void)holder_free(holder);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		event_free(ends[i]);
	event_base_free(base);
	return r;
}

int
main(int argc, char **argv)
{
	struct start s = {.parts.listen_fd = -1, .lock_fd = -1};
	struct proc_args args;
	char err[1024];
	int r;

	log_init("sluice-vmm", LOG_LEVEL_INFO);
	if (proc_parse(argc, argv, &args) < 0)
		return EXIT_USAGE;
	if (conf_load(args.conf_path, &s.conf, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return EXIT_USAGE;
	}
	log_init("sluice-vmm",
	    (enum log_level)log_level_parse(s.conf->site.log_level));
	if (strcmp(s.conf->vm.backend, "none") == 0) {
		log_info("vm.backend is none: nothing to do");
		(void)conf_free(s.conf);
		return 0;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	r = open_outside(&s);
	if (r == 0)
		r = serve(&s);
	close_fd(&s.lock_fd);
	(void)metrics_close(s.metrics);
	(void)conf_free(s.conf);
	return r;
}
