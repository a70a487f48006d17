/*
 * common/sandbox_lists_priv.h - which system calls make up each group of
 * common/sandbox_priv.h; what depends on arguments is in sandbox_calls.c.
 */
#ifndef SLUICE_COMMON_SANDBOX_LISTS_PRIV_H
#define SLUICE_COMMON_SANDBOX_LISTS_PRIV_H

#include <errno.h>
#include <sys/syscall.h>

#ifndef SYS /* what sandbox_calls.c makes of a name */
#define SYS(name) SYS_##name
#endif

static const int base_calls[] = {
    /* open descriptors */
    SYS(read), SYS(write), SYS(readv), SYS(writev), SYS(pread64), SYS(pwrite64),
    SYS(preadv), SYS(pwritev), SYS(lseek), SYS(close), SYS(close_range),
    SYS(fstat), SYS(ftruncate), SYS(dup), SYS(dup2), SYS(dup3), SYS(sendfile),
    SYS(copy_file_range),
    /* memory; mmap and mprotect have rules of their own */
    SYS(brk), SYS(munmap), SYS(mremap), SYS(madvise), SYS(msync),
    /* time, chance, and who we are */
    SYS(clock_gettime), SYS(clock_getres), SYS(clock_nanosleep), SYS(nanosleep),
    SYS(gettimeofday), SYS(time), SYS(getrandom), SYS(getpid), SYS(getppid),
    SYS(gettid), SYS(getuid), SYS(geteuid), SYS(getgid), SYS(getegid),
    SYS(getrlimit), SYS(getrusage), SYS(times), SYS(sysinfo), SYS(uname),
    SYS(getcpu), SYS(sched_yield), SYS(sched_getaffinity), SYS(futex),
    SYS(set_robust_list), SYS(rseq), SYS(membarrier), SYS(restart_syscall),
    /* signals and the end */
    SYS(rt_sigaction), SYS(rt_sigprocmask), SYS(rt_sigreturn),
    SYS(rt_sigtimedwait), SYS(rt_sigsuspend), SYS(sigaltstack), SYS(exit),
    SYS(exit_group)};

/* Of everybody but cells: memory that no limit of theirs counts, and signals
 * to whoever has the same uid. */
static const int shared_calls[] = {SYS(memfd_create), SYS(tgkill)};

static const int loop_calls[] = {SYS(epoll_create1), SYS(epoll_ctl),
    SYS(epoll_wait), SYS(epoll_pwait), SYS(epoll_pwait2), SYS(poll), SYS(ppoll),
    SYS(select), SYS(pselect6), SYS(eventfd2), SYS(pipe2), SYS(timerfd_create),
    SYS(timerfd_settime), SYS(sendmsg), SYS(recvmsg), SYS(sendto),
    SYS(recvfrom), SYS(shutdown), SYS(getsockopt), SYS(setsockopt),
    SYS(getsockname), SYS(getpeername)};

static const int read_calls[] = {SYS(open), SYS(openat), SYS(stat), SYS(lstat),
    SYS(newfstatat), SYS(statx), SYS(statfs), SYS(fstatfs), SYS(access),
    SYS(faccessat), SYS(faccessat2), SYS(readlink), SYS(readlinkat),
    SYS(getdents64), SYS(getcwd), SYS(fgetxattr), SYS(getxattr), SYS(flock),
    SYS(fadvise64)};

static const int write_calls[] = {SYS(link), SYS(linkat), SYS(rename),
    SYS(renameat), SYS(renameat2), SYS(unlink), SYS(unlinkat), SYS(fsync),
    SYS(fdatasync), SYS(sync_file_range), SYS(fallocate), SYS(fchmod),
    SYS(fchown), SYS(utimensat), SYS(fsetxattr), SYS(fremovexattr), SYS(umask),
    SYS(mkdir), SYS(mkdirat)};

static const int inotify_calls[] = {
    SYS(inotify_init1), SYS(inotify_add_watch), SYS(inotify_rm_watch)};

/* Of a hypervisor: on top of the base's and the loop's. */
static const int vm_calls[] = {SYS(open), SYS(openat), SYS(stat), SYS(lstat),
    SYS(newfstatat), SYS(statx), SYS(statfs), SYS(fstatfs), SYS(access),
    SYS(faccessat), SYS(faccessat2), SYS(readlink), SYS(getdents64),
    SYS(getcwd), SYS(execve), SYS(arch_prctl), SYS(set_tid_address),
    SYS(mprotect), SYS(signalfd4), SYS(seccomp), SYS(fadvise64),
    SYS(fdatasync)};

/* Of who starts one, and ends it. */
static const int vm_start_calls[] = {SYS(vfork), SYS(landlock_create_ruleset),
    SYS(landlock_add_rule), SYS(landlock_restrict_self), SYS(pidfd_open),
    SYS(pidfd_send_signal), SYS(setrlimit), SYS(wait4), SYS(waitid), SYS(kill)};

/* Of who has a child do what takes long. */
static const int fork_calls[] = {SYS(wait4), SYS(waitid), SYS(kill)};

static const int accept_calls[] = {SYS(accept), SYS(accept4)};

/*
 * Libraries try these and take a "no" for an answer (iconv and locales look
 * for files, stdio asks for a terminal); death would be out of proportion.
 * Where a role may do it, its own rule is there first and stays.
 */
static const struct {
	int call, error;
} refused[] = {
    {SYS(open), EACCES},
    {SYS(openat), EACCES},
    {SYS(access), EACCES},
    {SYS(faccessat), EACCES},
    {SYS(faccessat2), EACCES},
    {SYS(readlink), EACCES},
    {SYS(readlinkat), EACCES},
    {SYS(stat), EACCES},
    {SYS(lstat), EACCES},
    {SYS(statx), EACCES},
    {SYS(statfs), EACCES},
    {SYS(getcwd), EACCES},
    {SYS(chdir), EACCES},
    {SYS(fchown), EPERM},
    {SYS(fadvise64), ENOSYS},
    {SYS(clone3), ENOSYS},
    {SYS(sched_setaffinity), EPERM},
    {SYS(sched_getparam), EPERM},
    {SYS(sched_getscheduler), EPERM},
};

#endif
