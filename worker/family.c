#include "worker/family.h"

#include "common/cleanup.h"
#include "common/ipc.h"
#include "common/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static const struct {
	const char *name;
	const char *program;
} rows[FAMILY_ROLES] = {
    [FAMILY_SCAN] = {"scan", "sluice-cell"},
    [FAMILY_VMM] = {"vmm", "sluice-worker"},
    [FAMILY_FETCH] = {"fetch", "sluice-fetch"},
    [FAMILY_ENGINES] = {"engines", "sluice-worker"},
    [FAMILY_DELIVER] = {"deliver", "sluice-worker"},
};

const char *
family_role_name(enum family_role role)
{
	return rows[role].name;
}

static int
start(struct family *family, enum family_role role, const char *conf_path,
    unsigned int k, const int *fds, int n_fds)
{
	struct proc_spec spec = {.program = rows[role].program,
	    .role = rows[role].name,
	    .k = k,
	    .conf_path = conf_path,
	    .n_fds = n_fds};
	pid_t pid;

	memcpy(spec.fds, fds, sizeof(*fds) * (size_t)n_fds);
	pid = proc_spawn(&spec);
	if (pid < 0)
		return pid;
	family->pids[role] = pid;
	return 0;
}

struct pair {
	int a, b;
};

static void
pair_close(struct pair *pair)
{
	close_fd(&pair->a);
	close_fd(&pair->b);
}

static int
pair_open(struct pair *pair)
{
	int fds[2], r = ipc_pair(fds);

	if (r == 0)
		*pair = (struct pair){fds[0], fds[1]};
	return r;
}

static int
start_judges(struct family *family, const char *conf_path, unsigned int k,
    bool links, int *ret_fd)
{
	CLEANUP(pair_close)
	struct pair jobs = {-1, -1}, scan = {-1, -1}, vmm = {-1, -1},
		    fetch = {-1, -1};
	int r;

	if ((r = pair_open(&jobs)) < 0 || (r = pair_open(&scan)) < 0 ||
	    (r = pair_open(&vmm)) < 0 || (links && (r = pair_open(&fetch)) < 0))
		return r;
	r = start(family, FAMILY_SCAN, conf_path, k, &scan.b, 1);
	if (r == 0)
		r = start(family, FAMILY_VMM, conf_path, k, &vmm.b, 1);
	if (r == 0 && links)
		r = start(family, FAMILY_FETCH, conf_path, k, &fetch.b, 1);
	if (r == 0)
		r = start(family, FAMILY_ENGINES, conf_path, k,
		    (int[]){jobs.b, scan.a, vmm.a, fetch.a}, links ? 4 : 3);
	if (r == 0)
		*ret_fd = TAKE_FD(jobs.a);
	return r;
}

int
family_start_judges(struct family *family, const char *conf_path,
    unsigned int k, bool links, int *ret_fd)
{
	int r;

	*family = (struct family){{0}};
	r = start_judges(family, conf_path, k, links, ret_fd);
	if (r < 0)
		family_end(family);
	return r;
}

int
family_start(
    struct family *family, const char *conf_path, unsigned int k, bool links)
{
	CLEANUP(close_fd) int fd = -1;
	int r = family_start_judges(family, conf_path, k, links, &fd);

	if (r < 0)
		return r;
	r = start(family, FAMILY_DELIVER, conf_path, k, &fd, 1);
	if (r < 0)
		family_end(family);
	return r;
}

static void
signal_one(const struct family *family, int role, int sig)
{
	if (family->pids[role] > 0)
		(void)kill(family->pids[role], sig);
}

static bool
reap_all(struct family *family)
{
	bool any = false;

	for (int i = 0; i < FAMILY_ROLES; i++) {
		if (family->pids[i] <= 0)
			continue;
		if (waitpid(family->pids[i], NULL, WNOHANG) != 0)
			family->pids[i] = 0;
		else
			any = true;
	}
	return any;
}

void
family_end(struct family *family)
{
	static const struct timespec tick = {0, 5 * 1000 * 1000};

	/* Deliver is to see its engines go, by which it knows that a message
	 * may be behind it; of a signal alone it would only stop. */
	for (int role = 0; role < FAMILY_DELIVER; role++)
		signal_one(family, role, SIGTERM);
	for (int i = 0; reap_all(family); i++) {
		if (i == 20) /* 100 ms */
			signal_one(family, FAMILY_DELIVER, SIGTERM);
		for (int role = 0; i == 400 && role < FAMILY_ROLES; role++)
			signal_one(family, role, SIGKILL); /* 2 s */
		(void)nanosleep(&tick, NULL);
	}
}

int
family_gone(struct family *family, pid_t pid)
{
	for (int i = 0; i < FAMILY_ROLES; i++) {
		if (family->pids[i] != pid)
			continue;
		family->pids[i] = 0;
		return i;
	}
	return -1;
}
