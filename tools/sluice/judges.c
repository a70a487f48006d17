#include "tools/sluice/judges.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/ipc.h"
#include "worker/family.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

struct judges {
	struct family family;
	int fd;
	struct ipc_msg msg;
};

int
judges_start(const char *conf_path, bool links, struct judges **ret_judges)
{
	struct judges *j = xcalloc(1, sizeof(*j));
	int r = family_start_judges(
	    &j->family, conf_path, 0, links ? FAMILY_WITH_FETCH : 0, &j->fd);

	if (r < 0) {
		free(j);
		return r;
	}
	*ret_judges = j;
	return 0;
}

struct judges *
judges_end(struct judges *j)
{
	if (!j)
		return NULL;
	close_fd(&j->fd);
	family_end(&j->family);
	free(j);
	return NULL;
}

int
judges_send(
    struct judges *j, uint64_t job, const char *name, int fd, uint64_t bytes)
{
	struct wire_job w = {.job = job, .bytes = bytes};
	CLEANUP(close_fd) int copy = reopen_ro(fd);

	if (copy < 0)
		return copy;
	(void)snprintf(w.id, sizeof(w.id), "%s", name);
	return ipc_send(j->fd, WIRE_JOB, &w, sizeof(w), &copy, 1);
}

int
judges_receive(struct judges *j, uint64_t timeout_usec,
    const struct wire_judgement **ret, const char **ret_evidence)
{
	struct pollfd p = {.fd = j->fd, .events = POLLIN};
	int r = poll(&p, 1, (int)(timeout_usec / USEC_PER_MSEC));

	if (r < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (r == 0)
		return -ETIMEDOUT;
	r = ipc_recv(j->fd, &j->msg);
	if (r < 0)
		return r;
	/* That a job takes long is deliver's to know. */
	r = j->msg.type == WIRE_LONG
		? -EAGAIN
		: wire_judgement(&j->msg, ret, ret_evidence);
	ipc_drop_fds(&j->msg);
	return r;
}
