#include "vmm/guest/watch_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>

#include "common/cleanup.h"
#include "vmm/guest/calls_priv.h"
#include "vmm/guest/tracee.h"

static const struct row {
	const char *name;
	int numbers[2]; /* 64 bits, 32 bits */
	int (*handler)(struct scene *scene, const struct call *call);
	int dir, path;
} rows[] = {
#define CALL(name, n64, n32, handler, when, dir, path) \
	{name, {n64, n32}, handler, dir, path},
#define NETWORK_CALL CALL
#include "vmm/guest/calls.def"
#undef NETWORK_CALL
#undef CALL
};

static const struct row *
row_of(int number, bool is_wide)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].numbers[is_wide ? 0 : 1] == number)
			return &rows[i];
	return NULL;
}

bool
call_path(const struct call *call, char *ret)
{
	const int dir = call->dir < 0 ? AT_FDCWD : (int)call->args[call->dir];

	return tracee_path(call->pid, dir, call->args[call->path], ret);
}

static int
handle(struct scene *scene, struct sleepers *sleepers,
    const struct seccomp_notif *ask)
{
	struct call call = {
	    .id = ask->id,
	    .pid = (pid_t)ask->pid,
	    .is_wide = ask->data.arch == AUDIT_ARCH_X86_64,
	    .sleepers = sleepers,
	};
	const struct row *row = row_of(ask->data.nr, call.is_wide);

	if (!row)
		return CALL_GO;
	call.name = row->name;
	call.dir = row->dir;
	call.path = row->path;
	for (size_t i = 0; i < ARRAY_SIZE(call.args); i++)
		call.args[i] = ask->data.args[i];
	return row->handler(scene, &call);
}

static void
let_go(int fd, uint64_t id)
{
	struct seccomp_notif_resp answer = {
	    .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

bool
watch_seccomp_pass(int fd)
{
	struct seccomp_notif ask = {.id = 0};

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0)
		return false;
	let_go(fd, ask.id);
	return true;
}

bool
watch_seccomp(struct scene *scene, struct sleepers *sleepers, int fd)
{
	struct seccomp_notif ask = {.id = 0};
	struct seccomp_notif_resp answer = {.id = 0};
	int what;

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0)
		return false;
	what = handle(scene, sleepers, &ask);
	/* If this call is what ends us, the host has heard of it. */
	scene_publish(scene);
	if (what == CALL_HELD)
		return true;
	if (what == CALL_GO) {
		let_go(fd, ask.id);
		return true;
	}
	answer.id = ask.id;
	answer.error = what;
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return true;
}
