#include "tests/vm/actors/actor.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>

#define DEPTH_MAX 6

/* Tries every way to the agent, to the kernel and to the bell that it knows.
 * Its exit code is the number of those that worked: it must be 0. */
static int worked;

static void
try(long result, const char *way)
{
	char path[ACTOR_PATH];

	if (result < 0)
		return;
	worked++;
	(void)snprintf(path, sizeof(path), "/root/worked-%s", way);
	actor_write(path, "", 0, 0600);
}

/* Everything there may be opened for writing, but for these. */
static bool
is_harmless(const char *path)
{
	static const char *const names[] = {"/dev/null", "/dev/zero",
	    "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
	    "/dev/ptmx"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return strncmp(path, "/dev/input/", 11) == 0;
}

static void
open_all(const char *path, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char child[ACTOR_PATH * 2], flat[ACTOR_PATH];

		(void)snprintf(
		    child, sizeof(child), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] == '.' || entry->d_type == DT_LNK ||
		    is_harmless(child))
			continue;
		if (entry->d_type == DT_DIR) {
			if (depth < DEPTH_MAX)
				open_all(child, depth + 1);
			continue;
		}
		(void)snprintf(flat, sizeof(flat), "%.200s", child);
		for (char *at = flat; *at; at++)
			if (*at == '/')
				*at = '_';
		try(open(child, O_WRONLY | O_NONBLOCK | O_NOCTTY), flat);
	}
	if (dir)
		(void)closedir(dir);
}

static void
reach_the_agent(void)
{
	static int word;
	struct iovec mine = {&word, sizeof(word)};
	struct iovec theirs = {(void *)0x400000, sizeof(word)};
	const struct rlimit one = {1, 1};
	const struct sched_param none = {0};

	(void)kill(1, SIGKILL); /* says yes, does nothing */
	(void)kill(1, SIGSTOP);
	try(ptrace(PTRACE_ATTACH, 1, NULL, NULL), "ptrace");
	try(prlimit(1, RLIMIT_CPU, &one, NULL), "prlimit");
	try(setpriority(PRIO_PROCESS, 1, 19), "setpriority");
	try(sched_setscheduler(1, SCHED_IDLE, &none), "setscheduler");
	try(process_vm_readv(1, &mine, 1, &theirs, 1, 0), "vm_readv");
	try(process_vm_writev(1, &mine, 1, &theirs, 1, 0), "vm_writev");
	try(open("/proc/1/mem", O_RDWR), "proc_1_mem");
	try(open("/proc/1/environ", O_RDONLY), "proc_1_environ");
	try(setuid(65533), "agents-user");
	try(setreuid(0, 65533), "agents-user-by-setreuid");
	try(setresuid(0, 0, 65533), "agents-user-by-setresuid");
}

static void
reach_the_kernel(void)
{
	const struct timeval long_ago = {1, 0};
	const struct sched_param fifo = {50};

	try(mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)), "mknod");
	try(ioperm(0x3f8, 8, 1), "ioperm");
	try(iopl(3), "iopl");
	try(unshare(CLONE_NEWUSER), "user-namespace");
	try(unshare(CLONE_NEWNS), "mount-namespace");
	try(mount("x", "/tmp", "tmpfs", 0, NULL), "mount");
	try(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL), "remount");
	try(umount2("/proc", MNT_DETACH), "umount");
	try(chroot("/tmp"), "chroot");
	try(settimeofday(&long_ago, NULL), "settimeofday");
	try(sched_setscheduler(0, SCHED_FIFO, &fifo), "fifo");
	try(setpriority(PRIO_PROCESS, 0, -20), "nice");
	try(prctl(PR_CAPBSET_READ, 21, 0, 0, 0) == 1 ? 0 : -1, "sys_admin");
	try(syscall(SYS_bpf, 0, NULL, 0), "bpf");
	try(syscall(SYS_userfaultfd, 1), "userfaultfd");
	try(syscall(SYS_io_uring_setup, 1, NULL), "io_uring");
	try(syscall(SYS_finit_module, 0, "", 0), "finit_module");
	try(syscall(SYS_kexec_load, 0, 0, NULL, 0), "kexec");
	try(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, NULL),
	    "reboot");
	try(open("/proc/kcore", O_RDONLY), "kcore");
}

int
main(void)
{
	static const char *const trees[] = {"/proc", "/sys", "/dev"};
	static char text[ACTOR_PATH];

	actor_only_in_guest();
	reach_the_agent();
	reach_the_kernel();
	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		open_all(trees[i], 0);
	(void)actor_read("/proc/cmdline", text, sizeof(text));
	try(strstr(text, "mailbox") ? 0 : -1, "cmdline");
	return worked < 100 ? worked : 100;
}
