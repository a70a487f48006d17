#include "common/sandbox_priv.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/landlock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define RULE_NET_PORT 2 /* version 4 */

#define FS_CHANGE \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	    LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

struct net_attr {
	uint64_t allowed;
	uint64_t port;
};

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
	case PLACE_MODEL:
		return directory_of(conf->mef.model);
	case PLACE_ARCHIVE:
		return xstrdup(conf->mef.archive);
	case PLACE_LEARNED:
		/* It works there; the way to it is not for its user. */
		return xstrdup(".");
	case PLACE_NONE:
		break;
	}
	return NULL;
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
add_rules(int ruleset, const struct landlock_handled *all,
    const struct sandbox_row *row, const struct conf *conf, char *err,
    size_t err_size)
{
	int r = 0;

	for (int i = 0; i < SANDBOX_PATHS && r == 0; i++) {
		CLEANUP(free_ptr)
		char *path = place_path(row->paths[i].place, conf);
		uint64_t rights = rights_of(row->paths[i].rights);

		if (path)
			r = landlock_allow(ruleset, path, rights & all->fs);
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
	struct landlock_handled all;
	/* Who may ask the web connects to any port. */
	const uint64_t net =
	    row->calls & CALLS_WEB ? NET_BIND : NET_BIND | NET_CONNECT;
	int r;

	ruleset = landlock_new(net, &all);
	if (ruleset == -ENOTSUP)
		return -ENOTSUP;
	r = ruleset < 0 ? ruleset
			: add_rules(ruleset, &all, row, conf, err, err_size);
	if (r == 0 && syscall(__NR_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	if (r < 0 && err[0] == '\0')
		(void)snprintf(err, err_size, "Landlock: %s", strerror(-r));
	return r;
}
