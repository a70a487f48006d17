#include "vmm/guest/watch_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/tracee.h"

#define EVENTS_A_TURN 64
#define ARGS_BYTES    1024

/* linux/connector.h ends in an array of no length, which can't be nested. */
#define ASK_BYTES (sizeof(struct cn_msg) + sizeof(uint32_t))

int
watch_proc_open(void)
{
	CLEANUP(close_fd)
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    NETLINK_CONNECTOR);
	const struct sockaddr_nl us = {
	    .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
	const uint32_t listen = PROC_CN_MCAST_LISTEN;
	union {
		struct nlmsghdr head;
		char octets[NLMSG_SPACE(ASK_BYTES)];
	} ask = {.head = {.nlmsg_len = NLMSG_LENGTH(ASK_BYTES),
		     .nlmsg_type = NLMSG_DONE}};
	const struct cn_msg message = {
	    .id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof(listen)};

	memcpy(NLMSG_DATA(&ask.head), &message, sizeof(message));
	memcpy((char *)NLMSG_DATA(&ask.head) + sizeof(message), &listen,
	    sizeof(listen));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&us, sizeof(us)) < 0 ||
	    send(fd, &ask, ask.head.nlmsg_len, 0) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The command line of a process, if it is still there. */
static void
command_line(pid_t pid, char args[ARGS_BYTES])
{
	CLEANUP(close_fd) int fd = -1;
	char path[64];
	ssize_t n;

	args[0] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, args, ARGS_BYTES - 1);
	for (ssize_t i = 0; i < n; i++)
		if (args[i] == '\0')
			args[i] = ' ';
	while (n > 0 && args[n - 1] == ' ')
		n--;
	args[n > 0 ? n : 0] = '\0';
}

/* Whoever was asked about when it began needn't be told of again. */
static bool
was_told(struct scene *scene, pid_t pid)
{
	for (size_t i = 0; i < SCENE_STARTS; i++)
		if (scene->starts[i] == pid) {
			scene->starts[i] = 0;
			return true;
		}
	return false;
}

static void
on_start(struct scene *scene, pid_t pid)
{
	char path[PATH_MAX], args[ARGS_BYTES];

	if (was_told(scene, pid))
		return;
	tracee_name(pid, path);
	command_line(pid, args);
	scene_add(scene, BY_PROC, pid, REPORT_PROCESS_START,
	    FIELD("path", path), FIELD("args", args),
	    FIELD_NUMBER("parent", tracee_parent(pid)));
}

/* Code as a shell would tell it: 128 and the signal, or what it returned. */
static int
exit_code(uint32_t status)
{
	return (status & 0x7f) ? 128 + (int)(status & 0x7f)
			       : (int)(status >> 8 & 0xff);
}

static void
on_event(struct scene *scene, const struct proc_event *event)
{
	if (event->what == PROC_EVENT_EXEC)
		on_start(scene, event->event_data.exec.process_tgid);
	else if (event->what == PROC_EVENT_EXIT &&
		 event->event_data.exit.process_pid ==
		     event->event_data.exit.process_tgid)
		scene_add(scene, BY_PROC, event->event_data.exit.process_pid,
		    REPORT_PROCESS_EXIT,
		    FIELD_NUMBER(
			"code", exit_code(event->event_data.exit.exit_code)));
}

static ssize_t
receive(int fd, void *buf, size_t size)
{
	return recv(fd, buf, size, MSG_DONTWAIT);
}

void
watch_proc_flush(int fd)
{
	char dropped[256];

	while (fd >= 0 && receive(fd, dropped, sizeof(dropped)) > 0)
		;
}

void
watch_proc(struct scene *scene, int fd)
{
	union {
		struct nlmsghdr head;
		char octets[512];
	} got;
	struct proc_event event;
	ssize_t n;

	for (int i = 0; i < EVENTS_A_TURN; i++) {
		n = receive(fd, &got, sizeof(got));
		if (n < 0 && errno == ENOBUFS)
			scene_note(scene, "process events were lost");
		if (n < (ssize_t)NLMSG_LENGTH(
			    sizeof(struct cn_msg) + sizeof(event)))
			return;
		memcpy(&event,
		    (char *)NLMSG_DATA(&got.head) + sizeof(struct cn_msg),
		    sizeof(event));
		on_event(scene, &event);
	}
}
