/*
 * worker/family.h - the processes of one worker: started together, ended
 * together.
 *
 * Crash-only: when one role dies the whole family ends and is started again
 * by its supervisor; claims are locks, so nothing has to be undone.  Cells
 * are not family: they are meant to die.
 */
#ifndef SLUICE_WORKER_FAMILY_H
#define SLUICE_WORKER_FAMILY_H

#include <sys/types.h>

enum family_role {
	FAMILY_SCAN,
	FAMILY_VMM,
	FAMILY_FETCH,   /* only where links are fetched */
	FAMILY_ARCHIVE, /* only where copies of files are kept */
	FAMILY_ENGINES,
	FAMILY_DELIVER,
	FAMILY_ROLES
};

/* Roles that not every family has. */
#define FAMILY_WITH_FETCH   1u
#define FAMILY_WITH_ARCHIVE 2u

struct conf;
/* Which of these a worker with that configuration has. */
unsigned int family_extras(const struct conf *conf);

struct family {
	pid_t pids[FAMILY_ROLES]; /* 0: not started, or gone */
};

/*
 * Start the judging roles (scan, vmm, engines and the extras) for worker
 * k (0: for a command), configured from conf_path.  *ret_fd is the socket that
 * deliver would have: WIRE_JOB in, WIRE_JUDGEMENT out; the caller's to close,
 * which ends the roles.  0 or -errno; what was started is then ended.
 */
int family_start_judges(struct family *family, const char *conf_path,
    unsigned int k, unsigned int extras, int *ret_fd);

/* The same and deliver on top: a whole worker. */
int family_start(struct family *family, const char *conf_path, unsigned int k,
    unsigned int extras);

/* End what still runs: SIGTERM, after 2 s SIGKILL; reaps.  Blocks so long. */
void family_end(struct family *family);

/* Which role has that pid, or -1.  Forgets the pid: call it once it died. */
int family_gone(struct family *family, pid_t pid);

/* "scan", "vmm", "fetch", "archive", "engines", "deliver". */
const char *family_role_name(enum family_role role);

#endif
