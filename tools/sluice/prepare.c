#include "tools/sluice/prepare.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "queues/spool.h"
#include "tools/sluice/gate_view.h"
#include "tools/sluice/util.h"
#include "vmm/detector.h"
#include "worker/family.h"
#include "worker/fetch_address.h"
#include "worker/known.h"
#include "worker/policy.h"
#include "worker/warning.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define POLICY_FILE_MAX (1024 * 1024)
#define PORT_TEXT       11 /* of an unsigned int in decimal */

static int
say(int r, char *err, size_t err_size, const char *what, const char *path)
{
	(void)snprintf(err, err_size, "%s: %s: %s", path, what, strerror(-r));
	return r;
}

static int
check_policy(const struct conf *conf, char *err, size_t err_size)
{
	struct policy *policy = NULL;
	int r;

	if (!conf_has_word(conf->worker.engines, "policy"))
		return 0;
	r = policy_load(conf->policy.rules, &policy, err, err_size);
	if (r == 0)
		(void)policy_free(policy);
	/* A missing rule file is a wrong setting, not a failing system. */
	return r == -ENOENT ? -EINVAL : r;
}

static int
check_behaviours(const struct conf *conf, char *err, size_t err_size)
{
	struct rules *rules = NULL;
	int r;

	if (!conf_has_word(conf->worker.engines, "vm"))
		return 0;
	r = rules_load(conf->vm.rules, &rules, err, err_size);
	(void)rules_free(rules);
	return r == -ENOENT ? -EINVAL : r;
}

static int
check_warning(const struct conf *conf, char *err, size_t err_size)
{
	struct warning *warning = NULL;
	int r = warning_load(conf->wrap.text, &warning, err, err_size);

	(void)warning_free(warning);
	return r == -ENOENT || r == -EFBIG ? -EINVAL : r;
}

static int
check_known(const struct conf *conf, char *err, size_t err_size)
{
	struct known *known = NULL;
	int r;

	if (!conf_has_word(conf->worker.engines, "mef"))
		return 0;
	r = known_load(conf->mef.known, &known, err, err_size);
	(void)known_free(known);
	return r == -ENOENT || r == -EFBIG ? -EINVAL : r;
}

static int
check_links(const struct conf *conf, char *err, size_t err_size)
{
	struct address_rule rule;

	return address_rule_read(conf, &rule, err, err_size);
}

/* Mail in a feed queue that no worker will have. */
static int
check_lane(const struct spool *spool, unsigned int k, uint64_t queues,
    char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/feed%u", spool->path, k);
	CLEANUP(close_fd)
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t count = 0;

	if (fd < 0 || util_count_messages(fd, &count, NULL, NULL) < 0 ||
	    count == 0)
		return 0;
	(void)snprintf(err, err_size,
	    "%s holds %llu messages, but feed.queues is %llu: no worker would "
	    "read them; set feed.queues to %u until it is empty",
	    path, (unsigned long long)count, (unsigned long long)queues, k);
	return -EINVAL;
}

int
prepare_check(const struct conf *conf, char *err, size_t err_size)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	int r = check_policy(conf, err, err_size);

	if (r == 0)
		r = check_behaviours(conf, err, err_size);
	if (r == 0)
		r = check_known(conf, err, err_size);
	if (r == 0)
		r = check_links(conf, err, err_size);
	if (r == 0)
		r = check_warning(conf, err, err_size);
	if (r == 0)
		r = spool_open(conf->site.spool, (size_t)conf->feed.queues,
		    &spool, err, err_size);
	for (unsigned int k = SPOOL_MAX_FEEDS; r == 0 && k > conf->feed.queues;
	     k--)
		r = check_lane(spool, k, conf->feed.queues, err, err_size);
	return r;
}

int
prepare_compare(
    const struct conf *old, const struct conf *conf, char *err, size_t err_size)
{
	const struct {
		const char *name, *was, *is;
	} fixed[] = {
	    {"spool", old->site.spool, conf->site.spool},
	    {"state", old->site.state, conf->site.state},
	    {"runtime", old->site.runtime, conf->site.runtime},
	    {"user", old->site.user, conf->site.user},
	    {"scan_user", old->site.scan_user, conf->site.scan_user},
	    {"engines_user", old->site.engines_user, conf->site.engines_user},
	    {"book_user", old->site.book_user, conf->site.book_user},
	    {"vmm_user", old->site.vmm_user, conf->site.vmm_user},
	    {"fetch_user", old->site.fetch_user, conf->site.fetch_user},
	    {"flow_user", old->site.flow_user, conf->site.flow_user},
	};

	char was_port[PORT_TEXT], is_port[PORT_TEXT];
	/* Their children would have to come or go. */
	const struct {
		const char *name, *off, *was, *is;
	} switches[] = {
	    {"vm.backend", "none", old->vm.backend, conf->vm.backend},
	    {"flow.interface", "none", old->flow.interface,
		conf->flow.interface},
	    {"flow.rpc_port", "0", was_port, is_port},
	};

	(void)snprintf(
	    was_port, PORT_TEXT, "%u", (unsigned int)old->flow.rpc_port);
	(void)snprintf(
	    is_port, PORT_TEXT, "%u", (unsigned int)conf->flow.rpc_port);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (strcmp(fixed[i].was, fixed[i].is) == 0)
			continue;
		(void)snprintf(err, err_size,
		    "site.%s changed from %s to %s: stop and start sluice run "
		    "for that",
		    fixed[i].name, fixed[i].was, fixed[i].is);
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if ((strcmp(switches[i].was, switches[i].off) == 0) ==
		    (strcmp(switches[i].is, switches[i].off) == 0))
			continue;
		(void)snprintf(err, err_size,
		    "%s changed from %s to %s: stop and start sluice run for "
		    "that",
		    switches[i].name, switches[i].was, switches[i].is);
		return -EINVAL;
	}
	return 0;
}

struct room {
	const char *below; /* below the runtime directory, "" for itself */
	const char *owner; /* NULL: root */
	const char *group; /* user whose group it is */
	mode_t mode;
	bool may_be_link; /* root's, as nobody else writes there */
};

static int
give_dir(const char *path, const struct room *room, char *err, size_t err_size)
{
	struct passwd *owner = room->owner ? getpwnam(room->owner) : NULL;
	uid_t uid = owner ? owner->pw_uid : 0;
	struct passwd *group = getpwnam(room->group);

	if (!group || (room->owner && !owner)) {
		(void)snprintf(err, err_size,
		    "user %s doesn't exist: run sluice setup, or name one "
		    "that does in section site",
		    room->group);
		return -ENOENT;
	}
	if (chown(path, uid, group->pw_gid) < 0 || chmod(path, room->mode) < 0)
		return say(-errno, err, err_size, "chown", path);
	return 0;
}

static int
make_room(const char *path, const struct room *room, char *err, size_t err_size)
{
	struct stat st;

	if (mkdir(path, room->mode) < 0 && errno != EEXIST)
		return say(-errno, err, err_size, "mkdir", path);
	if (lstat(path, &st) < 0)
		return say(-errno, err, err_size, "lstat", path);
	/* tools/setup has put that one elsewhere, where sendmail likes it. */
	if (S_ISLNK(st.st_mode) && room->may_be_link)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return say(-ENOTDIR, err, err_size, "mkdir", path);
	if (geteuid() != 0)
		return 0; /* as ourselves: nothing to give away */
	return give_dir(path, room, err, err_size);
}

int
prepare_runtime(const struct conf *conf, char *err, size_t err_size)
{
	/*
	 * The directory itself is root's alone: neither may site.user replace
	 * the configuration that root reads, nor would sendmail open a socket
	 * below a directory that others can write.  Every role makes its
	 * counters in metrics.
	 */
	const struct room rooms[] = {
	    {"", NULL, conf->site.user, 0755, false},
	    {"/metrics", NULL, conf->site.user, 01775, false},
	    {"/feed", conf->site.user, conf->site.user, 0755, false},
	    {"/book", conf->site.book_user, conf->site.book_user, 0755, false},
	    {"/" GATE_ROOM, conf->site.user, conf->site.user, 0700, true},
	};
	const struct room archive = {
	    "", conf->site.user, conf->site.user, 0700, false};
	const struct room state = {
	    "", conf->site.book_user, conf->site.book_user, 0750, false};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rooms); i++) {
		CLEANUP(free_ptr)
		char *path =
		    xasprintf("%s%s", conf->site.runtime, rooms[i].below);

		r = make_room(path, &rooms[i], err, err_size);
	}
	if (r == 0)
		r = make_room(conf->site.state, &state, err, err_size);
	if (r == 0 && (family_extras(conf) & FAMILY_WITH_ARCHIVE))
		r = make_room(conf->mef.archive, &archive, err, err_size);
	return r;
}

static int
lock_file(const char *path, int flags, int *ret_fd, char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		return say(-errno, err, err_size, "open", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno != EWOULDBLOCK)
		return say(-errno, err, err_size, "lock", path);
	else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		(void)snprintf(err, err_size,
		    "%s is locked: another sluice run has this spool", path);
		return -EBUSY;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int
prepare_lock(
    const struct conf *conf, int ret_fds[2], char *err, size_t err_size)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/sluice.lock", conf->site.runtime);
	CLEANUP(close_fd) int run = -1, spool = -1;
	char pid[24];
	int n, r;

	r = lock_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, &run, err, err_size);
	/* The spool too: two runtime directories could share it. */
	if (r == 0)
		r = lock_file(conf->site.spool, O_RDONLY | O_DIRECTORY, &spool,
		    err, err_size);
	if (r < 0)
		return r;
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(run, 0) < 0 || pwrite(run, pid, (size_t)n, 0) != n)
		return say(-errno, err, err_size, "write", path);
	ret_fds[0] = TAKE_FD(run);
	ret_fds[1] = TAKE_FD(spool);
	return 0;
}

/* Replace path by len octets, whole or not at all. */
static int
replace_file(const char *path, const char *text, size_t len)
{
	CLEANUP(free_ptr) char *tmp = xasprintf("%s.new", path);
	CLEANUP(close_fd) int fd = -1;
	int r;

	/* Others may make files there: never follow or reuse one of theirs. */
	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, len);
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	return r;
}

/* Keep text as NAME in the runtime directory, and have the setting mean it. */
static int
keep_copy(const struct conf *conf, char **setting, const char *name,
    const char *text, size_t len, char *err, size_t err_size)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/%s", conf->site.runtime, name);
	int r = replace_file(path, text, len);

	if (r < 0)
		return say(r, err, err_size, "write", path);
	free(*setting);
	*setting = TAKE_PTR(path);
	return 0;
}

static int
copy_policy(struct conf *conf, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r;

	if (!conf_has_word(conf->worker.engines, "policy"))
		return 0;
	r = read_file(
	    AT_FDCWD, conf->policy.rules, POLICY_FILE_MAX, &text, &len);
	if (r < 0)
		return say(r, err, err_size, "read", conf->policy.rules);
	return keep_copy(conf, &conf->policy.rules, "policy.conf.active", text,
	    len, err, err_size);
}

/* With what they include: a copy of two files could be of two versions. */
static int
copy_behaviours(struct conf *conf, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r;

	if (!conf_has_word(conf->worker.engines, "vm"))
		return 0;
	r = rules_whole(conf->vm.rules, &text, &len, err, err_size);
	if (r < 0)
		return r;
	return keep_copy(conf, &conf->vm.rules, "behaviours.conf.active", text,
	    len, err, err_size);
}

static int
copy_known(struct conf *conf, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r;

	if (!conf_has_word(conf->worker.engines, "mef") ||
	    strcmp(conf->mef.known, "none") == 0)
		return 0;
	r = read_file(AT_FDCWD, conf->mef.known, KNOWN_FILE_MAX, &text, &len);
	if (r < 0)
		return say(r, err, err_size, "read", conf->mef.known);
	return keep_copy(conf, &conf->mef.known, "known.txt.active", text, len,
	    err, err_size);
}

static int
copy_warning(struct conf *conf, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r;

	r = read_file(AT_FDCWD, conf->wrap.text, WARNING_FILE_MAX, &text, &len);
	if (r < 0)
		return say(r, err, err_size, "read", conf->wrap.text);
	return keep_copy(conf, &conf->wrap.text, "wrap.txt.active", text, len,
	    err, err_size);
}

int
prepare_active(struct conf *conf, char **ret_path, char *err, size_t err_size)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/sluice.conf.active", conf->site.runtime);
	CLEANUP(free_ptr) char *text = NULL;
	size_t len = 0;
	FILE *f;
	int r = copy_policy(conf, err, err_size);

	if (r == 0)
		r = copy_behaviours(conf, err, err_size);
	if (r == 0)
		r = copy_warning(conf, err, err_size);
	if (r == 0)
		r = copy_known(conf, err, err_size);
	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return say(-errno, err, err_size, "write", path);
	conf_dump(conf, f);
	if (fclose(f) != 0)
		return say(-errno, err, err_size, "write", path);
	r = replace_file(path, text, len);
	if (r < 0)
		return say(r, err, err_size, "write", path);
	*ret_path = TAKE_PTR(path);
	return 0;
}
