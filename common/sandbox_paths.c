#include "common/sandbox_priv.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Newer than Debian 12's headers; the kernel's version decides at run time. */
#define FS_TRUNCATE         (UINT64_C(1) << 14) /* version 3 */
#define FS_IOCTL_DEV        (UINT64_C(1) << 15) /* version 5 */
#define NET_BIND            (UINT64_C(1) << 0)  /* version 4 */
#define NET_CONNECT         (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* version 6 */
#define SCOPE_SIGNAL        (UINT64_C(1) << 1)
#define RULE_NET_PORT       2

#define FS_FIRST ((UINT64_C(1) << 13) - 1)
#define FS_READ  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_CHANGE \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	    LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
/* What can be granted on something that is no directory. */
#define FS_FILE \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct net_attr {
	uint64_t allowed;
	uint64_t port;
};

/* What a kernel of that version handles; it refuses bits it doesn't know. */
static struct ruleset_attr
handled(int version)
{
	struct ruleset_attr a = {.fs = FS_FIRST};

	if (version >= 2)
		a.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		a.fs |= FS_TRUNCATE;
	if (version >= 4)
		a.net = NET_BIND | NET_CONNECT;
	if (version >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return a;
}

/* Version 1 refuses any longer struct whose tail isn't zero; cut it. */
static size_t
attr_size(int version)
{
	if (version >= 6)
		return sizeof(struct ruleset_attr);
	return version >= 4 ? 16 : 8;
}

static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *copy;

	if (!slash)
		return xstrdup(".");
	copy = xstrdup(path);
	copy[slash == path ? 1 : slash - path] = '\0';
	return copy;
}

/* NULL: this configuration has no such place. */
static char *
place_path(enum sandbox_place place, const struct conf *conf)
{
	switch (place) {
	case PLACE_SPOOL:
		return xstrdup(conf->site.spool);
	case PLACE_STATE:
		return xstrdup(conf->site.state);
	case PLACE_RUNTIME:
		return xstrdup(conf->site.runtime);
	case PLACE_CONF:
		/* A new file may be renamed over the old one. */
		return conf->path ? directory_of(conf->path) : NULL;
	case PLACE_POLICY:
		return directory_of(conf->policy.rules);
	case PLACE_DATABASE:
		return xstrdup(conf->clamd.database);
	case PLACE_REFERENCES:
		return xstrdup(conf->vm.directory);
	case PLACE_PROGRAMS:
		return xstrdup("/usr");
	case PLACE_LIBRARIES:
		return xstrdup("/lib");
	case PLACE_LIBRARIES_64:
		return xstrdup("/lib64");
	case PLACE_LINKER_CACHE:
		return xstrdup("/etc/ld.so.cache");
	case PLACE_PROC:
		return xstrdup("/proc");
	case PLACE_KVM:
		return xstrdup("/dev/kvm");
	case PLACE_CERTS:
		return xstrdup("/etc/ssl/certs");
	case PLACE_NULL:
		return xstrdup("/dev/null");
	case PLACE_NONE:
		break;
	}
	return NULL;
}

static int
allow_path(int ruleset, const char *path, uint64_t rights)
{
	CLEANUP(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {
	    .allowed_access = rights, .parent_fd = fd};
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* nothing to allow */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_FILE;
	if (syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) < 0)
		return -errno;
	return 0;
}

static int
allow_port(int ruleset, const char *address)
{
	const char *colon = strrchr(address, ':');
	struct net_attr rule = {.allowed = NET_CONNECT};

	if (!colon)
		return 0;
	rule.port = strtoul(colon + 1, NULL, 10);
	if (syscall(__NR_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) <
	    0)
		return -errno;
	return 0;
}

static uint64_t
rights_of(enum sandbox_rights rights)
{
	switch (rights) {
	case RIGHTS_WRITE:
		return FS_READ | FS_CHANGE;
	case RIGHTS_RUN:
		return FS_READ | LANDLOCK_ACCESS_FS_EXECUTE;
	case RIGHTS_DEVICE:
		return FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_IOCTL_DEV;
	case RIGHTS_READ:
	case RIGHTS_NONE:
		break;
	}
	return FS_READ;
}

static int
add_rules(int ruleset, const struct ruleset_attr *all,
    const struct sandbox_row *row, const struct conf *conf, char *err,
    size_t err_size)
{
	int r = 0;

	for (int i = 0; i < SANDBOX_PATHS && r == 0; i++) {
		CLEANUP(free_ptr)
		char *path = place_path(row->paths[i].place, conf);
		uint64_t rights = rights_of(row->paths[i].rights);

		if (path)
			r = allow_path(ruleset, path, rights & all->fs);
		if (r < 0)
			(void)snprintf(err, err_size, "Landlock: %s: %s", path,
			    strerror(-r));
	}
	if (r == 0 && (row->calls & CALLS_INET) && all->net) {
		r = allow_port(ruleset, conf->spam.address);
		if (r < 0)
			(void)snprintf(err, err_size,
			    "Landlock: port of %s: %s", conf->spam.address,
			    strerror(-r));
	}
	return r;
}

int
sandbox_paths(const struct sandbox_row *row, const struct conf *conf, char *err,
    size_t err_size)
{
	CLEANUP(close_fd) int ruleset = -1;
	struct ruleset_attr all;
	int r, version;

	version = (int)syscall(__NR_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return -ENOTSUP;
	all = handled(version);
	if (row->calls & CALLS_WEB)
		all.net &= NET_BIND;
	ruleset = (int)syscall(
	    __NR_landlock_create_ruleset, &all, attr_size(version), 0);
	if (ruleset < 0)
		r = -errno;
	else
		r = add_rules(ruleset, &all, row, conf, err, err_size);
	if (r == 0 && syscall(__NR_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	if (r < 0 && err[0] == '\0')
		(void)snprintf(err, err_size, "Landlock: %s", strerror(-r));
	return r;
}
