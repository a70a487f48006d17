/*
 * tests/support/jailed.c - what is run in QEMU's place to see what it may do:
 * jailed ACT PID, with the number of another process of the same user.  Exit
 * status: 0 it could, 7 it could not, 8 no such act.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef long act_fn(pid_t other);

static long
read_passwd(pid_t other)
{
	(void)other;
	return open("/etc/passwd", O_RDONLY);
}

static long
write_tmp(pid_t other)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/jailed.%d", other);
	(void)unlink(path);
	return open(path, O_RDWR | O_CREAT, 0600);
}

static long
open_memory(pid_t other)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", other);
	return open(path, O_RDWR);
}

static long
list_proc(pid_t other)
{
	(void)other;
	return open("/proc", O_RDONLY | O_DIRECTORY);
}

static long
inet(pid_t other)
{
	(void)other;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
unix_socket(pid_t other)
{
	(void)other;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
trace(pid_t other)
{
	if (ptrace(PTRACE_ATTACH, other, NULL, NULL) < 0)
		return -1;
	(void)waitpid(other, NULL, 0);
	return ptrace(PTRACE_DETACH, other, NULL, NULL);
}

static long
read_memory(pid_t other)
{
	static char here[8];
	struct iovec to = {here, 8}, from = {here, 8};

	/* EFAULT: allowed, but that address is something else there. */
	return process_vm_readv(other, &to, 1, &from, 1, 0) < 0 &&
		       errno != EFAULT
		   ? -1
		   : 0;
}

static long
signal_other(pid_t other)
{
	return kill(other, 0);
}

static long
signal_thread(pid_t other)
{
	return syscall(SYS_tgkill, other, other, 0);
}

static long
signal_pidfd(pid_t other)
{
	int fd = (int)syscall(SYS_pidfd_open, other, 0);

	return fd < 0 ? -1 : syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
}

/* A signal for whoever, when something arrives. */
static long
own_signal(pid_t other)
{
	int fds[2];

	return pipe(fds) < 0 ? -1 : fcntl(fds[0], F_SETOWN, other);
}

static long
limit_other(pid_t other)
{
	struct rlimit l = {100, 100};

	return prlimit(other, RLIMIT_NOFILE, &l, NULL);
}

static long
fork_one(pid_t other)
{
	pid_t pid = fork();

	(void)other;
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
execute(pid_t other)
{
	char *const argv[] = {(char[]){"true"}, NULL};

	(void)other;
	return execv("/bin/true", argv);
}

static long
uring(pid_t other)
{
	static char params[256];

	(void)other;
	return syscall(SYS_io_uring_setup, 4, params);
}

static long
faults(pid_t other)
{
	(void)other;
	return syscall(SYS_userfaultfd, 0);
}

static long
keys(pid_t other)
{
	(void)other;
	return syscall(SYS_keyctl, 0, -1, 1); /* the thread's own ring */
}

static long
grow(pid_t other)
{
	int fd = memfd_create("grow", 0);

	(void)other;
	(void)signal(SIGXFSZ, SIG_IGN);
	return write(fd, "x", 1) == 1 ? 0 : -1;
}

/* --- What QEMU needs. */

static void *
nothing(void *arg)
{
	return arg;
}

static long
thread(pid_t other)
{
	pthread_t t;

	(void)other;
	return pthread_create(&t, NULL, nothing, NULL) == 0 &&
		       pthread_join(t, NULL) == 0
		   ? 0
		   : -1;
}

static long
make_code(pid_t other)
{
	(void)other;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static long
read_library(pid_t other)
{
	(void)other;
	return open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY);
}

/* As the memory of a clone is given to it: by descriptor, opened anew. */
static long
reopen_memory(pid_t other)
{
	char path[64];

	(void)other;
	(void)snprintf(
	    path, sizeof(path), "/proc/self/fd/%d", memfd_create("memory", 0));
	return open(path, O_RDWR);
}

static long
signal_itself(pid_t other)
{
	(void)other;
	return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

static const struct {
	const char *name;
	act_fn *fn;
} acts[] = {
#define ACT(name) \
	{ \
#name, name \
	}
    ACT(read_passwd), ACT(write_tmp), ACT(open_memory), ACT(list_proc),
    ACT(inet), ACT(unix_socket), ACT(trace), ACT(read_memory),
    ACT(signal_other), ACT(signal_thread), ACT(signal_pidfd), ACT(own_signal),
    ACT(limit_other), ACT(fork_one), ACT(execute), ACT(uring), ACT(faults),
    ACT(keys), ACT(grow), ACT(thread), ACT(make_code), ACT(read_library),
    ACT(reopen_memory), ACT(signal_itself)
#undef ACT
};

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 8;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, argv[1]) == 0)
			return acts[i].fn((pid_t)atol(argv[2])) < 0 ? 7 : 0;
	return 8;
}
