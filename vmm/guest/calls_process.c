/* Calls that start, end and enter processes, and those that no program needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/calls_priv.h"
#include "vmm/guest/jail.h"
#include "vmm/guest/path.h"
#include "vmm/guest/tracee.h"

#define ARGS_BYTES    1024
#define VARIABLES_MAX 64

/* What will be executed; a file without a name by what its descriptor is. */
static bool
exec_path(const struct call *call, char *ret)
{
	char given[PATH_MAX], link[PATH_MAX];
	ssize_t n;

	if (call->dir >= 0 &&
	    tracee_string(call->pid, call->args[1], given, sizeof(given)) &&
	    !*given)
		return tracee_fd_path(call->pid, (int)call->args[0], ret);
	if (!call_path(call, ret))
		return false;
	if (strncmp(ret, "/dev/fd/", 8) == 0)
		return tracee_fd_path(
		    call->pid, atoi(strrchr(ret, '/') + 1), ret);
	if (path_proc_pid(ret, call->pid) > 0 &&
	    (n = readlink(ret, link, sizeof(link) - 1)) > 0) {
		link[n] = '\0';
		(void)strcpy(ret, link);
		return true;
	}
	/* A search along $PATH tries more.  By our rights, not by the user's
	 * that we are: what lies in root's home is executed, too. */
	return faccessat(AT_FDCWD, ret, X_OK, AT_EACCESS) == 0;
}

/* A library that the environment puts into the program. */
static void
find_preload(struct scene *scene, const struct call *call, uint64_t envp)
{
	static const char *const names[] = {"LD_PRELOAD=", "LD_AUDIT="};
	const size_t bytes = call->is_wide ? 8 : 4;
	char text[ARGS_BYTES];

	for (uint64_t i = 0; i < VARIABLES_MAX; i++) {
		uint64_t at = 0;

		if (!tracee_read(call->pid, envp + i * bytes, &at, bytes) ||
		    at == 0)
			return;
		if (!tracee_string(call->pid, at, text, sizeof(text)))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (strncmp(text, names[k], strlen(names[k])) == 0)
				scene_add(scene, BY_SECCOMP, call->pid,
				    REPORT_PROCESS_INJECT,
				    FIELD_NUMBER("target", call->pid),
				    FIELD("how", "preload"),
				    FIELD("path", text + strlen(names[k])));
	}
}

CALL_HANDLER(on_exec)
{
	char path[PATH_MAX], args[ARGS_BYTES];
	/* path, argv, envp; a directory before them */
	const uint64_t argv = call->args[call->dir < 0 ? 1 : 2];

	if (!exec_path(call, path))
		return CALL_GO;
	tracee_args(call->pid, argv, call->is_wide ? 8 : 4, args, sizeof(args));
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_PROCESS_START,
	    FIELD("path", path), FIELD("args", args),
	    FIELD_NUMBER("parent", tracee_parent(call->pid)));
	scene->starts[scene->next_start++ % SCENE_STARTS] = call->pid;
	find_preload(scene, call, call->args[call->dir < 0 ? 2 : 3]);
	return CALL_GO;
}

static void
inject(
    struct scene *scene, const struct call *call, pid_t target, const char *how)
{
	char path[PATH_MAX];

	if (target == call->pid)
		return;
	tracee_name(target, path);
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_PROCESS_INJECT,
	    FIELD_NUMBER("target", target), FIELD("how", how),
	    FIELD("path", path));
}

CALL_HANDLER(on_ptrace)
{
	const int request = (int)call->args[0];

	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE ||
	    request == PTRACE_POKETEXT || request == PTRACE_POKEDATA)
		inject(scene, call, (pid_t)call->args[1], "ptrace");
	else if (request == PTRACE_TRACEME)
		scene_add(scene, BY_SECCOMP, call->pid, REPORT_SYSTEM_CALL,
		    FIELD("name", "ptrace"), FIELD("args", "traceme"));
	return CALL_GO;
}

CALL_HANDLER(on_inject)
{
	inject(scene, call, (pid_t)call->args[0], "write-memory");
	return CALL_GO;
}

static int
told_to_end(
    struct scene *scene, const struct call *call, pid_t target, int signal)
{
	char path[PATH_MAX] = "";

	if (target == call->pid ||
	    (signal != SIGKILL && signal != SIGTERM && signal != SIGSTOP &&
		signal != SIGINT && signal != SIGHUP && signal != SIGQUIT))
		return CALL_GO;
	if (target > 0)
		tracee_name(target, path);
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_PROCESS_KILL,
	    FIELD_NUMBER("target", target), FIELD("path", path));
	return CALL_GO;
}

CALL_HANDLER(on_kill)
{
	return told_to_end(
	    scene, call, (pid_t)call->args[0], (int)call->args[1]);
}

CALL_HANDLER(on_tgkill)
{
	return told_to_end(
	    scene, call, (pid_t)call->args[1], (int)call->args[2]);
}

CALL_HANDLER(on_system)
{
	char args[64];

	(void)snprintf(args, sizeof(args), "%" PRId64 ", %" PRId64,
	    (int64_t)call->args[0], (int64_t)call->args[1]);
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_SYSTEM_CALL,
	    FIELD("name", call->name), FIELD("args", args));
	return CALL_GO;
}

CALL_HANDLER(on_system_text)
{
	char text[PATH_MAX];

	(void)tracee_string(
	    call->pid, call->args[call->path], text, sizeof(text));
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_SYSTEM_CALL,
	    FIELD("name", call->name), FIELD("args", text));
	return CALL_GO;
}

/* Its registers can't change while we look, so this one can be refused. */
CALL_HANDLER(on_setuid)
{
	bool is_ours = false;

	for (int i = 0; i < 3; i++)
		if ((uid_t)call->args[i] == JAIL_AGENT_UID)
			is_ours = true;
	if (is_ours || (uid_t)call->args[0] != 0)
		(void)on_system(scene, call);
	return is_ours ? -EPERM : CALL_GO;
}

CALL_HANDLER(on_refused)
{
	(void)on_system(scene, call);
	return -ENOSYS;
}
