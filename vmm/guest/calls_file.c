/* Calls that make, change, move and remove files. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/guest/calls_priv.h"
#include "vmm/guest/ledger.h"
#include "vmm/guest/path.h"
#include "vmm/guest/tracee.h"

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Files that are no files: fanotify doesn't see what is done to them. */
static bool
is_special(const char *path)
{
	return path_is_in(path, "/proc") || path_is_in(path, "/sys") ||
	       path_is_in(path, "/dev");
}

/* The memory of another process is written through its file. */
static bool
is_memory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return path_is_in(path, "/proc") && slash && strcmp(slash, "/mem") == 0;
}

CALL_HANDLER(on_open)
{
	char path[PATH_MAX], target[PATH_MAX];
	int other;

	if (!call_path(call, path))
		return CALL_GO;
	other = is_memory(path) ? path_proc_pid(path, call->pid) : 0;
	if (other > 0 && other != call->pid) {
		tracee_name(other, target);
		scene_add(scene, BY_SECCOMP, call->pid, REPORT_PROCESS_INJECT,
		    FIELD_NUMBER("target", other), FIELD("how", "write-memory"),
		    FIELD("path", target));
		return CALL_GO;
	}
	if (strcmp(path, "/dev/null") == 0 || strcmp(path, "/dev/tty") == 0)
		return CALL_GO;
	/* What is cut without being opened is told by nobody else. */
	if (!is_special(path) && scene->sees_files &&
	    strcmp(call->name, "truncate") != 0)
		return CALL_GO;
	ledger_tell(scene->ledger, path);
	scene_add(scene, BY_SECCOMP, call->pid,
	    exists(path) ? REPORT_FILE_WRITE : REPORT_FILE_CREATE,
	    FIELD("path", path));
	return CALL_GO;
}

CALL_HANDLER(on_unlink)
{
	char path[PATH_MAX];

	if (scene->sees_files || !call_path(call, path) || !exists(path))
		return CALL_GO;
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_FILE_DELETE,
	    FIELD("path", path));
	return CALL_GO;
}

CALL_HANDLER(on_rename)
{
	char path[PATH_MAX], to[PATH_MAX];
	struct call second = *call;

	if (scene->sees_files)
		return CALL_GO;
	second.path = call->dir < 0 ? 1 : 3;
	second.dir = call->dir < 0 ? -1 : 2;
	if (!call_path(call, path) || !call_path(&second, to) || !exists(path))
		return CALL_GO;
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_FILE_RENAME,
	    FIELD("path", path), FIELD("to", to));
	return CALL_GO;
}

CALL_HANDLER(on_link)
{
	char path[PATH_MAX];

	if (scene->sees_files || !call_path(call, path) || exists(path))
		return CALL_GO;
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_FILE_CREATE,
	    FIELD("path", path));
	return CALL_GO;
}

CALL_HANDLER(on_chmod)
{
	char path[PATH_MAX], mode[16];
	/* fchmod(fd, mode); chmod(path, mode); fchmodat(dir, path, mode) */
	const uint64_t bits = call->args[call->dir < 0 ? 1 : 2];

	if (call->path < 0
		? !tracee_fd_path(call->pid, (int)call->args[0], path)
		: !call_path(call, path))
		return CALL_GO;
	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)bits & 07777);
	scene_add(scene, BY_SECCOMP, call->pid, REPORT_FILE_MODE,
	    FIELD("path", path), FIELD("mode", mode));
	return CALL_GO;
}
