/*
 * sluice-worker - judges the messages of one feed queue.  The parent starts
 * the roles (worker/family.h) and then only waits; `-x ROLE` is how they are
 * re-executed.
 */
#include "common/conf.h"
#include "common/log.h"
#include "common/proc.h"
#include "worker/family.h"
#include "worker/roles.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

/*
 * Take in every death there is; one signal may stand for several.
 * Returns -1: go on; else the exit status of this process.
 */
static int
reap(struct family *family, unsigned int k, bool is_ending)
{
	char text[64];
	int status, role;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		role = family_gone(family, pid);
		if (role == FAMILY_DELIVER && status == 0)
			return 0;
		/* Once deliver has gone the others end too, in any order. */
		if (role < 0 || (is_ending && status == 0))
			continue;
		log_error("worker %u: role %s died: %s", k,
		    family_role_name((enum family_role)role),
		    proc_status_text(status, text, sizeof(text)));
		return 111;
	}
	return -1;
}

/* On SIGTERM deliver drains and exits; the others follow it. */
static int
supervise(struct family *family, unsigned int k)
{
	bool is_ending = false;
	int sig, result = -1;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	while (result < 0) {
		(void)sigwait(&set, &sig);
		if (sig == SIGCHLD) {
			result = reap(family, k, is_ending);
		} else if (family->pids[FAMILY_DELIVER] > 0) {
			is_ending = true;
			(void)kill(family->pids[FAMILY_DELIVER], SIGTERM);
		}
	}
	return result;
}

static int
parent(const char *conf_path, unsigned int k, unsigned int extras)
{
	struct family family;
	sigset_t set;
	int r;

	/* Blocked before the first child: none can die unheard. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	r = family_start(&family, conf_path, k, extras);
	if (r < 0) {
		log_error("worker %u: cannot start: %s", k, strerror(-r));
		return 111;
	}
	r = supervise(&family, k);
	family_end(&family);
	return r;
}

static int
run_role(const struct proc_args *args, const struct conf *conf)
{
	if (strcmp(args->role, "deliver") == 0)
		return deliver_role(conf, args->k);
	if (strcmp(args->role, "engines") == 0)
		return engines_role(conf, args->k);
	if (strcmp(args->role, "vmm") == 0)
		return vmm_role(conf);
	if (strcmp(args->role, "archive") == 0)
		return archive_role(conf);
	log_error("-x %s: no such role", args->role);
	return 100;
}

int
main(int argc, char **argv)
{
	struct proc_args args;
	struct conf *conf = NULL;
	char err[512];
	int r;

	if (proc_parse(argc, argv, &args) < 0)
		return 100;
	log_init("sluice-worker", LOG_LEVEL_INFO);
	if (conf_load(args.conf_path, &conf, err, sizeof(err)) < 0) {
		log_error("configuration: %s", err);
		return 100;
	}
	log_init("sluice-worker",
	    (enum log_level)log_level_parse(conf->site.log_level));
	if (args.role) {
		r = run_role(&args, conf);
	} else if (args.k < 1 || args.k > conf->feed.queues) {
		log_error("-k: write a worker's number, 1 to %llu",
		    (unsigned long long)conf->feed.queues);
		r = 100;
	} else {
		r = parent(args.conf_path, args.k, family_extras(conf));
	}
	(void)conf_free(conf);
	return r;
}
