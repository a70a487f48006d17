#include "vmm/qemu_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MARK "sluice-vm:"

/* Of /proc: a process's line of arguments has some 1,500 octets. */
#define PROC_FILE_MAX 65536

char *
qemu_name(const char *site, const char *reference, uint32_t slot)
{
	pid_t pid = getpid();

	return xasprintf(MARK "%s:%d:%" PRIu64 ":%s:%" PRIu32, site, pid,
	    owner_start_of(pid), reference, slot);
}

/* MARK SITE:PID:START: */
static bool
take_apart(
    const char *word, const char *site, pid_t *ret_holder, uint64_t *ret_start)
{
	size_t mark = strlen(MARK), n = strlen(site);

	return strncmp(word, MARK, mark) == 0 &&
	       strncmp(word + mark, site, n) == 0 &&
	       sscanf(word + mark + n, ":%d:%" SCNu64 ":", ret_holder,
		   ret_start) == 2;
}

bool
qemu_name_find(const char *cmdline, size_t n, const char *site,
    pid_t *ret_holder, uint64_t *ret_start)
{
	const char *end = cmdline + n;
	bool is_name = false;

	for (const char *word = cmdline; word < end;
	     word += strnlen(word, (size_t)(end - word)) + 1) {
		if (is_name)
			return take_apart(word, site, ret_holder, ret_start);
		is_name = strcmp(word, "-name") == 0;
	}
	return false;
}

/* Of this user; root reaps before it becomes another one. */
static bool
is_ours(pid_t pid)
{
	char buf[2048];
	const char *at;
	unsigned int uid;

	if (proc_text(pid, "status", buf, sizeof(buf)) < 0)
		return false;
	at = strstr(buf, "\nUid:");
	return at && sscanf(at, "\nUid: %u", &uid) == 1 &&
	       (uid == geteuid() || geteuid() == 0);
}

static bool
is_orphan(pid_t pid, const char *site, char *buf, size_t size)
{
	ssize_t n = proc_text(pid, "cmdline", buf, size);
	pid_t holder;
	uint64_t start;

	return n > 0 && qemu_name_find(buf, (size_t)n, site, &holder, &start) &&
	       owner_start_of(holder) != start && is_ours(pid);
}

int
qemu_reap(const struct vmm_options *options)
{
	CLEANUP(free_ptr) char *buf = xcalloc(1, PROC_FILE_MAX);
	DIR *proc = opendir("/proc");
	struct dirent *e;
	char site[OWNER_SITE_SIZE];
	int found = 0, r = 0;

	(void)owner_site(options->state, site);
	if (!proc)
		return -errno;
	while ((e = readdir(proc))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid <= 0 || !is_orphan(pid, site, buf, PROC_FILE_MAX))
			continue;
		found++;
		if (kill(pid, SIGKILL) < 0 && errno != ESRCH)
			r = -errno;
	}
	(void)closedir(proc);
	return r < 0 ? r : found;
}

uint64_t
qemu_private_bytes(pid_t pid)
{
	char buf[4096];
	const char *at;
	uint64_t kib;

	if (proc_text(pid, "smaps_rollup", buf, sizeof(buf)) < 0)
		return 0;
	/* Not "Private_Dirty": that counts the template's pages too as long as
	 * no second clone has them mapped. */
	at = strstr(buf, "\nAnonymous:");
	if (!at || sscanf(at, "\nAnonymous: %" SCNu64, &kib) != 1)
		return 0;
	return kib << 10;
}

void
qemu_offer_to_oom(pid_t pid)
{
	char path[64];
	CLEANUP(close_fd) int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, "1000", 4);
}
