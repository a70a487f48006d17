#include "vmm/owner.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *
owner_site(const char *state, char *buf)
{
	CLEANUP(free_ptr) char *path = realpath(state, NULL);
	const char *text = path ? path : state;
	struct digest digest = digest_memory(text, strlen(text));
	char hex[DIGEST_HEX];

	(void)snprintf(buf, OWNER_SITE_SIZE, "%.8s", digest_hex(&digest, hex));
	return buf;
}

ssize_t
proc_text(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	CLEANUP(close_fd) int fd = -1;
	size_t n = 0;
	ssize_t got = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (n < size - 1 && (got = read(fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)got;
	buf[n] = '\0';
	return got < 0 ? -errno : (ssize_t)n;
}

uint64_t
owner_start_of(pid_t pid)
{
	char buf[1024];
	const char *at;
	uint64_t start = 0;

	if (proc_text(pid, "stat", buf, sizeof(buf)) < 0)
		return 0;
	/* The second field is a name in brackets, which may hold anything. */
	at = strrchr(buf, ')');
	if (!at || sscanf(at + 1,
		       " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
		       "%*d %*d %*d %*d %*d %*d %" SCNu64,
		       &start) != 1)
		return 0;
	return start;
}
