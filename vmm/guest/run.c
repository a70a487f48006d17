#include "vmm/guest/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/box.h"
#include "vmm/guest/clock.h"
#include "vmm/guest/opener.h"
#include "vmm/guest/report.h"

#define HOME      "/root"
#define DOWNLOADS HOME "/Downloads/"
#define LAST_EXEC 127 /* the child's code when the opener didn't start */

struct run {
	struct mailbox *box;
	struct report report;
	uint64_t begun_usec;
	uint64_t deadline_usec; /* after begun */
	char name[MAILBOX_NAME_MAX];
	char type[MAILBOX_TYPE_MAX];
	char path[sizeof(DOWNLOADS) + MAILBOX_NAME_MAX];
};

static uint64_t
since(const struct run *run)
{
	return clock_usec() - run->begun_usec;
}

/* Let the host see the whole lines there are. */
static void
publish(struct run *run)
{
	mailbox_store(run->box->report_bytes, (uint32_t)run->report.used);
	mailbox_store(run->box->lost, (uint32_t)run->report.lost);
	box_ring();
}

static bool
is_there(const char *path)
{
	return access(path, X_OK) == 0;
}

/* A mail's idea of a name becomes one that a directory can hold. */
static void
file_name(char *name)
{
	char *slash = strrchr(name, '/');

	if (slash)
		memmove(name, slash + 1, strlen(slash));
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		(void)strcpy(name, "attachment");
}

static int
write_sample(const struct run *run, const unsigned char *at, size_t n)
{
	CLEANUP(close_fd) int fd = -1;

	fd = open(run->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (fd < 0)
		return -errno;
	while (n > 0) {
		ssize_t written = write(fd, at, n);

		if (written < 0)
			return -errno;
		at += written;
		n -= (size_t)written;
	}
	return 0;
}

static _Noreturn void
become(const struct opener *opener)
{
	static const char *const env[] = {"HOME=" HOME, "USER=root",
	    "LOGNAME=root", "SHELL=/bin/sh", "LANG=C.UTF-8", "TERM=xterm",
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	    NULL};
	int null = open("/dev/null", O_RDWR);

	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(null, 2);
	if (null > 2)
		(void)close(null);
	(void)setsid();
	(void)chdir(DOWNLOADS);
	execve(opener->argv[0], (char *const *)(uintptr_t)opener->argv,
	    (char *const *)(uintptr_t)env);
	_exit(LAST_EXEC);
}

/* Wait for all that runs: we are process 1, so orphans come to us. */
static const char *
watch(struct run *run, pid_t first, int64_t *ret_code)
{
	const struct timespec tick = {.tv_nsec = 1000000};

	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0)
			return "exit";
		if (pid > 0) {
			int64_t code = WIFEXITED(status)
					   ? WEXITSTATUS(status)
					   : 128 + WTERMSIG(status);

			report_add(&run->report, since(run), BY_AGENT, pid,
			    REPORT_PROCESS_EXIT, FIELD_NUMBER("code", code));
			if (pid == first)
				*ret_code = code;
			publish(run);
		} else if (since(run) > run->deadline_usec) {
			return "deadline";
		} else {
			(void)nanosleep(&tick, NULL);
		}
	}
}

static const char *
start(struct run *run, size_t n, int64_t *ret_code)
{
	const unsigned char *at = box_sample(run->box);
	const struct opener_file file = {run->path, run->name, run->type, at,
	    n < OPENER_HEAD_BYTES ? n : OPENER_HEAD_BYTES};
	struct opener opener;
	pid_t pid;
	int r;

	r = opener_choose(&file, is_there, &opener);
	report_add(&run->report, since(run), BY_AGENT, 0, REPORT_AGENT_START,
	    FIELD("name", run->name), FIELD("type", run->type),
	    FIELD("how", r < 0 ? "none" : opener.how));
	publish(run);
	if (r < 0)
		return "no-opener";
	r = write_sample(run, at, n);
	if (r < 0) {
		*ret_code = r;
		return "failed";
	}
	pid = fork();
	if (pid == 0)
		become(&opener);
	if (pid < 0) {
		*ret_code = -errno;
		return "failed";
	}
	report_add(&run->report, since(run), BY_AGENT, pid,
	    REPORT_PROCESS_START, FIELD("path", opener.argv[0]),
	    FIELD_NUMBER("parent", 1));
	return watch(run, pid, ret_code);
}

static void
set_clock(uint64_t wall_nsec)
{
	const struct timespec now = {.tv_sec = (time_t)(wall_nsec / 1000000000),
	    .tv_nsec = (long)(wall_nsec % 1000000000)};

	if (wall_nsec > 0)
		(void)clock_settime(CLOCK_REALTIME, &now);
}

void
run_sample(struct mailbox *box)
{
	static struct run run;
	const char *how;
	int64_t code = 0;
	size_t n = box->sample_bytes < MAILBOX_SAMPLE_MAX
		       ? (size_t)box->sample_bytes
		       : MAILBOX_SAMPLE_MAX;

	run.box = box;
	run.begun_usec = clock_usec();
	run.deadline_usec = (uint64_t)box->deadline_msec * 1000;
	set_clock(box->wall_nsec);
	memcpy(run.name, box->name, sizeof(run.name) - 1);
	memcpy(run.type, box->type, sizeof(run.type) - 1);
	file_name(run.name);
	(void)snprintf(run.path, sizeof(run.path), "%s%s", DOWNLOADS, run.name);
	report_init(&run.report, box_report(box), MAILBOX_REPORT_MAX);

	how = start(&run, n, &code);
	report_end(&run.report, since(&run), how, code);
	publish(&run);
	mailbox_store(box->state, MAILBOX_ENDED);
	box_ring();
}
