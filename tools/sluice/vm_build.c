#include "tools/sluice/vm_build.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tools/sluice/command.h"
#include "tools/sluice/util.h"
#include "vmm/manifest.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define COMMAND "vm reference build"

/* A boot takes 5 s without hardware virtualisation, 30 s on a busy host; Wine,
 * which settles for half a minute, takes 70 s there and more. */
#define BOOT_USEC  (240 * USEC_PER_SEC)
#define CLONE_USEC (20 * USEC_PER_SEC)
/* In the worst boots that were seen one run in five went wrong: then one such
 * build in 10^5 passes. */
#define SHELL_PROOFS 50
/* Each takes seconds, and what boots do wrong at random the others find.  These
 * find what is wrong with Wine, and all clones have the same Wine: of one that
 * fails every other time 31 in 32 are refused. */
#define WINDOWS_PROOFS 5

/* Below the directory of our executable: /usr/bin, or TREE/build/bin. */
static const char *const script_places[] = {
    "../libexec/sluice/vmm/reference/build",
    "../lib/sluice/vmm/reference/build",
    "../../vmm/reference/build",
};
static const char *const agent_places[] = {
    "../libexec/sluice/sluice-agent",
    "../lib/sluice/sluice-agent",
    "sluice-agent",
};

/* The first that is there, fresh; NULL: none. */
static char *
find(const char *const *places, size_t n)
{
	char dir[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

	if (len < 0)
		return NULL;
	dir[len] = '\0';
	*strrchr(dir, '/') = '\0'; /* an absolute path has one */
	for (size_t i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, places[i]);

		if (access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* Run the script; its output goes to out (-1: ours).  0 or -ECHILD. */
static int
run(char *const *argv, int out)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (out >= 0)
			(void)dup2(out, STDOUT_FILENO);
		(void)execv("/bin/sh", argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return status == 0 ? 0 : -ECHILD;
}

static char *
word(const char *text)
{
	char *w;

	memcpy(&w, &text, sizeof(w)); /* execv(3) is older than const */
	return w;
}

/* The digest of all that a reference is made by, into hex[65]. */
static int
recipe_digest(
    const char *script, const char *name, const char *agent, char *hex)
{
	CLEANUP(close_fd) int out = memfd_new("digest");
	char *argv[] = {word("sh"), word(script), word("--digest"), word(name),
	    word(agent), NULL};
	int r = run(argv, out);

	if (r == 0)
		r = pread_all(out, hex, 64, 0);
	hex[64] = '\0';
	return r;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) < 0 ? -errno : 0;
}

static void
remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
make_path(const char *path)
{
	CLEANUP(free_ptr) char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Until it is parked, or dead. */
static int
await_parked(const struct vmm_ops *ops, struct vm *vm)
{
	struct mono end = {mono_now().usec + CLONE_USEC};
	enum vmm_event event;

	while (mono_now().usec < end.usec) {
		struct pollfd p = {.fd = ops->event_fd(vm), .events = POLLIN};

		(void)poll(&p, 1, 100);
		while (ops->next(vm, &event) == 0)
			if (event != VMM_REPORT)
				return event == VMM_PARKED ? 0 : -ECHILD;
	}
	return -ETIMEDOUT;
}

static int
end_clone(const struct vmm_ops *ops, struct vm *vm)
{
	enum vmm_event event;
	int r = ops->destroy(vm);

	while (r == 0) {
		struct pollfd p = {.fd = ops->event_fd(vm), .events = POLLIN};

		(void)poll(&p, 1, 1000);
		if (ops->next(vm, &event) == 0)
			return 0;
	}
	return r;
}

int
vm_try(const struct vmm_ops *ops, const struct vmm_options *options,
    unsigned long *ret_usec, char *err, size_t err_size)
{
	struct vmm_stats stats;
	struct vmm *vmm;
	struct vm *vm;
	int r = ops->open(options, &vmm, err, err_size);

	if (r < 0)
		return r;
	r = ops->clone(vmm, 0, &vm);
	if (r == 0) {
		r = await_parked(ops, vm);
		ops->stats(vm, &stats);
		(void)end_clone(ops, vm);
	}
	ops->close(vmm);
	if (r < 0)
		(void)snprintf(err, err_size, "a clone of it does not come: %s",
		    strerror(-r));
	else
		*ret_usec = (unsigned long)stats.clone_usec;
	return r;
}

static struct vmm_options
options_of(const struct vm_build *b)
{
	return (struct vmm_options){
	    .state = b->state, .reference = b->name, .program = b->program};
}

/* Is what is there of this recipe, and does it work here? */
static bool
fits(const struct vm_build *b, const char *digest)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/%s", b->state, b->name);
	CLEANUP(close_fd)
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct vmm_options options = options_of(b);
	struct manifest m;
	unsigned long usec;
	char err[256];
	bool same;

	if (dirfd < 0 || manifest_read(dirfd, &m, err, sizeof(err)) < 0)
		return false;
	same = strcmp(m.recipe, digest) == 0 &&
	       strcmp(m.backend, b->ops->name) == 0;
	manifest_done(&m);
	return same && vm_try(b->ops, &options, &usec, err, sizeof(err)) == 0;
}

static void
say_step(const char *what)
{
	printf(" 90%% %s\n", what);
	(void)fflush(stdout);
}

/* Does its recipe say that programs of Windows have to run in it? */
static bool
has_windows(int dirfd)
{
	CLEANUP(free_ptr) char *words = NULL;
	size_t n;

	return read_file(dirfd, "proof", 64, &words, &n) == 0 &&
	       strstr(words, "windows");
}

static int
boot(const struct vm_build *b, const char *dir, const char *digest)
{
	CLEANUP(close_fd)
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(free_ptr) char *mem = NULL;
	struct vmm_park park = {.of = options_of(b),
	    .recipe = digest,
	    .dirfd = dirfd,
	    .patience_usec = BOOT_USEC,
	    .proofs = {SHELL_PROOFS, has_windows(dirfd) ? WINDOWS_PROOFS : 0},
	    .step = say_step};
	char err[1024];
	size_t n;
	int r = dirfd < 0 ? -errno : read_file(dirfd, "mem_mib", 16, &mem, &n);

	if (r < 0)
		return r;
	park.mem_mib = (uint32_t)strtoul(mem, NULL, 10);
	printf(" 72%% boot it once (%u MiB)\n", park.mem_mib);
	(void)fflush(stdout);
	r = b->ops->park(&park, err, sizeof(err));
	if (r < 0)
		(void)util_fail(0, COMMAND, "%s: %s", b->name, err);
	return r;
}

/* As a whole: who opens it has the old or the new one. */
static int
replace(const char *fresh, const char *place)
{
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, place, RENAME_EXCHANGE) == 0) {
		remove_tree(fresh); /* now the old one */
		return 0;
	}
	if (errno != ENOENT)
		return -errno;
	return rename(fresh, place) < 0 ? -errno : 0;
}

static int
build_fresh(const struct vm_build *b, const char *script, const char *agent,
    const char *digest)
{
	CLEANUP(free_ptr) char *place = xasprintf("%s/%s", b->state, b->name);
	CLEANUP(free_ptr) char *fresh = xasprintf("%s/.%s", b->state, b->name);
	CLEANUP(free_ptr)
	char *cache =
	    b->cache ? xstrdup(b->cache) : xasprintf("%s/packages", b->state);
	char *argv[] = {word("sh"), word(script),
	    word(b->ops->no_disk ? "--no-disk" : "--disk"), word(b->name),
	    fresh, cache, word(agent), NULL};
	int r;

	remove_tree(fresh); /* of a build that was killed */
	r = make_path(fresh);
	if (r == 0)
		r = run(argv, -1);
	if (r == 0)
		r = boot(b, fresh, digest);
	if (r == 0)
		r = replace(fresh, place);
	if (r < 0)
		remove_tree(fresh);
	return r;
}

/* One build at a time in a directory; released with the descriptor. */
static int
lock(const char *state)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/.lock", state);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

int
vm_build(const struct vm_build *build)
{
	CLEANUP(free_ptr)
	char *script = find(script_places, ARRAY_SIZE(script_places));
	CLEANUP(free_ptr)
	char *agent = build->agent
			  ? xstrdup(build->agent)
			  : find(agent_places, ARRAY_SIZE(agent_places));
	CLEANUP(close_fd) int locked = -1;
	char digest[65];
	int r;

	if (!script || !agent) {
		(void)util_fail(0, COMMAND,
		    "%s is not installed beside this program",
		    script ? "sluice-agent" : "vmm/reference/build");
		return -ENOENT;
	}
	r = recipe_digest(script, build->name, agent, digest);
	if (r < 0)
		return r; /* the script has said why */
	r = make_path(build->state);
	if (r == 0)
		r = locked = lock(build->state);
	if (r < 0) {
		(void)util_fail(
		    0, COMMAND, "%s: %s", build->state, strerror(-r));
		return r;
	}
	if (!build->is_forced && fits(build, digest))
		return 1;
	return build_fresh(build, script, agent, digest);
}
