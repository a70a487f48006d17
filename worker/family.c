#include "worker/family.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/ipc.h"
#include "common/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* Roles that engines ask, at most. */
#define ASKED 4

static const struct {
	const char *name;
	const char *program;
} rows[FAMILY_ROLES] = {
    [FAMILY_SCAN] = {"scan", "sluice-cell"},
    [FAMILY_VMM] = {"vmm", "sluice-worker"},
    [FAMILY_FETCH] = {"fetch", "sluice-fetch"},
    [FAMILY_ARCHIVE] = {"archive", "sluice-worker"},
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

unsigned int
family_extras(const struct conf *conf)
{
	unsigned int extras = 0;

	if (conf->links.enabled)
		extras |= FAMILY_WITH_FETCH;
	if (conf_has_word(conf->worker.engines, "mef") &&
	    strcmp(conf->mef.archive, "none") != 0)
		extras |= FAMILY_WITH_ARCHIVE;
	return extras;
}

/* The roles that engines ask, each with one end of a pair; those at *others
 * stand in the order of engines' descriptors. */
static int
start_asked(struct family *family, const char *conf_path, unsigned int k,
    unsigned int extras, struct pair others[], int *ret_n)
{
	const struct {
		enum family_role role;
		bool is_wanted;
	} asked[ASKED] = {{FAMILY_SCAN, true}, {FAMILY_VMM, true},
	    {FAMILY_FETCH, extras & FAMILY_WITH_FETCH},
	    {FAMILY_ARCHIVE, extras & FAMILY_WITH_ARCHIVE}};
	int r = 0;

	*ret_n = 0;
	for (int i = 0; r == 0 && i < ASKED; i++) {
		struct pair *pair = &others[*ret_n];

		if (!asked[i].is_wanted)
			continue;
		r = pair_open(pair);
		if (r == 0)
			r = start(
			    family, asked[i].role, conf_path, k, &pair->b, 1);
		(*ret_n)++;
	}
	return r;
}

static int
start_judges(struct family *family, const char *conf_path, unsigned int k,
    unsigned int extras, int *ret_fd)
{
	CLEANUP(pair_close) struct pair jobs = {-1, -1};
	struct pair others[ASKED] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	int fds[1 + ASKED], n = 0;
	int r = pair_open(&jobs);

	if (r == 0)
		r = start_asked(family, conf_path, k, extras, others, &n);
	fds[0] = jobs.b;
	for (int i = 0; i < n; i++)
		fds[1 + i] = others[i].a;
	if (r == 0)
		r = start(family, FAMILY_ENGINES, conf_path, k, fds, 1 + n);
	for (int i = 0; i < ASKED; i++)
		pair_close(&others[i]);
	if (r == 0)
		*ret_fd = TAKE_FD(jobs.a);
	return r;
}

int
family_start_judges(struct family *family, const char *conf_path,
    unsigned int k, unsigned int extras, int *ret_fd)
{
	int r;

	*family = (struct family){{0}};
	r = start_judges(family, conf_path, k, extras, ret_fd);
	if (r < 0)
		family_end(family);
	return r;
}

int
family_start(struct family *family, const char *conf_path, unsigned int k,
    unsigned int extras)
{
	CLEANUP(close_fd) int fd = -1;
	int r = family_start_judges(family, conf_path, k, extras, &fd);

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
