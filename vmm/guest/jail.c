#include "vmm/guest/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/tracee.h"

#define GROUPS     "/sys/fs/cgroup"
#define GROUP      GROUPS "/sample"
#define PROCESSES  "192"
#define OPEN_FILES 512
/* Of the guest's memory, which what is in its file systems counts towards. */
#define MEMORY_PART(total) ((total) / 5 * 3)
#define TEXT_BYTES         8192

/* What programs may do that act as root and install, change owners, listen,
 * kill.  Not: devices, modules, mounts, the clock, the network's set-up, other
 * processes' memory beyond their own user's. */
#define KEPT \
	(1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | \
	    1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_FOWNER | \
	    1ull << CAP_FSETID | 1ull << CAP_KILL | 1ull << CAP_SETGID | \
	    1ull << CAP_SETUID | 1ull << CAP_SETPCAP | \
	    1ull << CAP_NET_BIND_SERVICE | 1ull << CAP_IPC_OWNER | \
	    1ull << CAP_SETFCAP)

static void
group_write(int group, const char *file, const char *text)
{
	CLEANUP(close_fd) int fd = openat(group, file, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

static void
group_read(int group, const char *file, char text[TEXT_BYTES])
{
	CLEANUP(close_fd) int fd = openat(group, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, TEXT_BYTES - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
}

static uint64_t
group_number(int group, const char *file, const char *key)
{
	char text[TEXT_BYTES];
	const char *at;

	group_read(group, file, text);
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

int
jail_prepare(struct jail *jail)
{
	const uint64_t total =
	    (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	char most[32];

	jail->group = -1;
	if (mount("cgroup2", GROUPS, "cgroup2", 0, NULL) < 0)
		return -errno;
	group_write(
	    AT_FDCWD, GROUPS "/cgroup.subtree_control", "+pids +memory");
	if (mkdir(GROUP, 0700) < 0)
		return -errno;
	jail->group = open(GROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)umount2(GROUPS, MNT_DETACH);
	if (jail->group < 0)
		return -errno;
	group_write(jail->group, "pids.max", PROCESSES);
	(void)snprintf(
	    most, sizeof(most), "%llu", (unsigned long long)MEMORY_PART(total));
	group_write(jail->group, "memory.max", most);
	return 0;
}

static int
set_capabilities(uint64_t set)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].permitted = (uint32_t)(set >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static uint64_t
all_capabilities(void)
{
	uint64_t all = 0;

	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		all |= 1ull << i;
	return all;
}

int
jail_become_agent(void)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    setresuid(JAIL_AGENT_UID, JAIL_AGENT_UID, JAIL_AGENT_UID) < 0)
		return -errno;
	return set_capabilities(all_capabilities());
}

pid_t
jail_fork(const struct jail *jail)
{
	/* Born there: to move into a group takes ticks of the clock. */
	struct clone_args how = {.flags = CLONE_INTO_CGROUP,
	    .exit_signal = SIGCHLD,
	    .cgroup = (uint64_t)jail->group};

	if (jail->group < 0)
		return fork();
	return (pid_t)syscall(SYS_clone3, &how, sizeof(how));
}

void
jail_enter(void)
{
	const struct rlimit files = {OPEN_FILES, OPEN_FILES}, none = {0, 0};

	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setgroups(0, NULL);
	(void)setresuid(0, 0, 0);
	(void)setpriority(PRIO_PROCESS, 0, 0);
}

void
jail_drop(void)
{
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(KEPT >> i & 1))
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	/* Nor by a file that is another user's and runs as it: ours. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)set_capabilities(KEPT);
}

bool
jail_is_running(const struct jail *jail)
{
	char text[TEXT_BYTES], *at, *end;

	if (jail->group < 0)
		return true;
	group_read(jail->group, "cgroup.threads", text);
	for (at = text; *at; at = end + 1) {
		const pid_t pid = (pid_t)strtol(at, &end, 10);
		const char state = pid > 0 ? tracee_state(pid) : '\0';

		if (state == 'R' || state == 'D')
			return true;
		if (*end != '\n')
			break;
	}
	return false;
}

size_t
jail_list(const struct jail *jail, pid_t ret[JAIL_LIST_MAX])
{
	char text[TEXT_BYTES], *at, *end;
	size_t n = 0;

	if (jail->group < 0)
		return 0;
	group_read(jail->group, "cgroup.procs", text);
	for (at = text; *at && n < JAIL_LIST_MAX; at = end + 1) {
		ret[n] = (pid_t)strtol(at, &end, 10);
		if (end == at || *end != '\n')
			break;
		n++;
	}
	return n;
}

void
jail_kill(const struct jail *jail)
{
	group_write(jail->group, "cgroup.kill", "1");
}

uint64_t
jail_refused(const struct jail *jail)
{
	return group_number(jail->group, "pids.events", "max ");
}

uint64_t
jail_starved(const struct jail *jail)
{
	return group_number(jail->group, "memory.events", "oom_kill ");
}
