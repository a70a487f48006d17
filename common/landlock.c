#include "common/landlock.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* version 6 */
#define SCOPE_SIGNAL        (UINT64_C(1) << 1)

#define FS_FIRST ((UINT64_C(1) << 13) - 1)
/* What can be granted on something that is no directory. */
#define FS_FILE \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* What a kernel of that version handles; it refuses bits it doesn't know. */
static struct landlock_handled
handled(int version, uint64_t net)
{
	struct landlock_handled a = {.fs = FS_FIRST};

	if (version >= 2)
		a.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		a.fs |= FS_TRUNCATE;
	if (version >= 4)
		a.net = net;
	if (version >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return a;
}

/* A kernel refuses a longer struct whose tail isn't zero; cut it. */
static size_t
handled_size(int version)
{
	if (version >= 6)
		return sizeof(struct landlock_handled);
	return version >= 4 ? offsetof(struct landlock_handled, scoped)
			    : offsetof(struct landlock_handled, net);
}

int
landlock_new(uint64_t net, struct landlock_handled *ret)
{
	const int version = (int)syscall(__NR_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_handled all;
	int fd;

	if (version < 1)
		return -ENOTSUP;
	all = handled(version, net);
	fd = (int)syscall(
	    __NR_landlock_create_ruleset, &all, handled_size(version), 0);
	if (fd < 0)
		return -errno;
	*ret = all;
	return fd;
}

int
landlock_allow(int ruleset, const char *path, uint64_t rights)
{
	CLEANUP(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {
	    .allowed_access = rights, .parent_fd = fd};
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_FILE;
	if (syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) < 0)
		return -errno;
	return 0;
}
