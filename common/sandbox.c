#include "common/sandbox.h"

#include "common/conf.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/sandbox_priv.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define USER(name) offsetof(struct conf, site.name)

/* What each role keeps.  What isn't written here is gone. */
static const struct sandbox_row rows[ROLE_COUNT] = {
    [ROLE_FEED] = {.name = "feed",
	.user = USER(user),
	.groups = true,
	.files = 1024,
	.calls =
	    CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_WRITE | CALLS_INOTIFY,
	.paths = {{PLACE_SPOOL, RIGHTS_WRITE}, {PLACE_RUNTIME, RIGHTS_WRITE},
	    {PLACE_CONF, RIGHTS_READ}}},
    [ROLE_DELIVER] = {.name = "deliver",
	.user = USER(user),
	.groups = true,
	.files = 4096,
	.calls =
	    CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_WRITE | CALLS_INOTIFY,
	.paths = {{PLACE_SPOOL, RIGHTS_WRITE}, {PLACE_RUNTIME, RIGHTS_WRITE},
	    {PLACE_CONF, RIGHTS_READ}}},
    /* No paths at all: what it needs is open. */
    [ROLE_SCAN] = {.name = "scan",
	.user = USER(scan_user),
	.files = 1024,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_CELLS},
    /* Entered by sandbox_cell() from ROLE_SCAN. */
    [ROLE_CELL] = {.name = "cell", .user = USER(scan_user)},
    [ROLE_ENGINES] = {.name = "engines",
	.user = USER(engines_user),
	.groups = true, /* clamd's socket may belong to a group */
	.files = 4096,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_UNIX |
		 CALLS_INET | CALLS_THREAD, /* which opens a new model */
	.paths = {{PLACE_DATABASE, RIGHTS_READ}, {PLACE_CONF, RIGHTS_READ},
	    {PLACE_POLICY, RIGHTS_READ}, {PLACE_MODEL, RIGHTS_READ}}},
    [ROLE_VMM] = {.name = "vmm",
	.user = USER(vmm_user),
	.files = 4096,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_UNIX},
    [ROLE_BOOK] = {.name = "book",
	.user = USER(book_user),
	.groups = true, /* the spool's group, to read journals */
	.files = 1024,
	.calls =
	    CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_WRITE | CALLS_ACCEPT,
	.paths = {{PLACE_STATE, RIGHTS_WRITE}, {PLACE_SPOOL, RIGHTS_READ}}},
    /* What it starts inherits all of this, so it has what a hypervisor needs;
     * each of those is put into a narrower jail before it is executed. */
    [ROLE_HOLDER] = {.name = "holder",
	.user = USER(vmm_user),
	.groups = true, /* of /dev/kvm */
	.files = 8192,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_ACCEPT | CALLS_VM,
	.paths = {{PLACE_REFERENCES, RIGHTS_READ}, {PLACE_PROGRAMS, RIGHTS_RUN},
	    {PLACE_LIBRARIES, RIGHTS_RUN}, {PLACE_LIBRARIES_64, RIGHTS_RUN},
	    {PLACE_LINKER_CACHE, RIGHTS_READ},
	    {PLACE_PROC, RIGHTS_DEVICE}, /* oom_score_adj */
	    {PLACE_KVM, RIGHTS_DEVICE}, {PLACE_NULL, RIGHTS_DEVICE}}},
    /* Of the spool it has one descriptor, to ask for the room that is left. */
    [ROLE_GATE] = {.name = "gate",
	.user = USER(user),
	.files = 4096,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_ACCEPT,
	.paths = {{PLACE_RUNTIME, RIGHTS_READ}, {PLACE_CONF, RIGHTS_READ}}},
    /* Which addresses it may connect to no kernel checks: it is all that it
     * has. */
    [ROLE_FETCH] = {.name = "fetch",
	.user = USER(fetch_user),
	.files = 1024,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_WEB,
	.paths = {{PLACE_CERTS, RIGHTS_READ}}},
    /* Mail is this user's anyway. */
    [ROLE_ARCHIVE] = {.name = "archive",
	.user = USER(user),
	.files = 256,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_WRITE,
	.paths = {{PLACE_ARCHIVE, RIGHTS_WRITE}}},
    /* Capture, socket and journal are open. */
    [ROLE_FLOW] = {.name = "flow",
	.user = USER(flow_user),
	.files = 1024,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_ACCEPT | CALLS_CAPTURE},
    /* A child makes the model and saves it. */
    [ROLE_LEARN] = {.name = "learn",
	.user = USER(flow_user),
	.files = 1024,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_WRITE |
		 CALLS_ACCEPT | CALLS_FORK,
	.paths = {{PLACE_LEARNED, RIGHTS_WRITE}}},
    /* It was connected to whom it asks while it was root. */
    [ROLE_RPC] = {.name = "rpc",
	.user = USER(flow_user),
	.files = 256,
	.calls = CALLS_BASE | CALLS_LOOP | CALLS_READ | CALLS_ACCEPT,
	.paths = {{PLACE_RUNTIME, RIGHTS_READ}}},
};

const char *
role_name(enum role role)
{
	assert(role < ROLE_COUNT);
	return rows[role].name;
}

#ifdef SLUICE_SANITIZE
/*
 * LeakSanitizer looks with a thread and ptrace(2) when the process ends, and
 * no role may do that; it asks here first.
 */
static int entered;
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return entered;
}
#endif

static int
lower_limit(int what, uint64_t value)
{
	struct rlimit now, limit = {value, value};

	if (getrlimit(what, &now) < 0)
		return -errno;
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
		limit.rlim_max = limit.rlim_cur = now.rlim_max;
	return setrlimit(what, &limit) < 0 ? -errno : 0;
}

static int
set_limits(const struct sandbox_row *row)
{
	int r = lower_limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = lower_limit(RLIMIT_NOFILE, row->files);
	return r;
}

static const char *
user_of(const struct sandbox_row *row, const struct conf *conf)
{
	const char *user;

	memcpy(&user, (const char *)conf + row->user, sizeof(user));
	return user;
}

static int
become(const struct passwd *pw, bool groups)
{
	int r =
	    groups ? initgroups(pw->pw_name, pw->pw_gid) : setgroups(0, NULL);

	if (r < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	/* Trust nothing: a kept id would be the whole sandbox gone. */
	if (pw->pw_uid != 0 && setresuid(0, 0, 0) == 0)
		return -EPERM;
	return 0;
}

static int
drop_user(const struct sandbox_row *row, const struct conf *conf, char *err,
    size_t err_size)
{
	const char *user = user_of(row, conf);
	const struct passwd *pw;
	int r;

	if (geteuid() != 0) {
		log_warn("sandbox role=%s uid=%u: not started as root, so the "
			 "user stays as it is",
		    row->name, geteuid());
		return 0;
	}
	errno = 0;
	pw = getpwnam(user);
	if (!pw) {
		(void)snprintf(err, err_size,
		    "the user %s of role %s does not "
		    "exist; make it (sluice setup) or name another in the "
		    "section site",
		    user, row->name);
		return -ENOENT;
	}
	r = become(pw, row->groups);
	if (r < 0)
		(void)snprintf(err, err_size, "cannot become user %s: %s", user,
		    strerror(-r));
	return r;
}

/* A layer that the kernel lacks: fatal or said, as the site wants it. */
static int
judge_layer(const char *layer, int r, const struct sandbox_row *row,
    const struct conf *conf, char *err, size_t err_size)
{
	if (r != -ENOTSUP)
		return r;
	if (conf->site.require_sandbox) {
		(void)snprintf(err, err_size,
		    "this kernel has no %s and "
		    "site.require_sandbox is set",
		    layer);
		return -ENOTSUP;
	}
	log_warn("sandbox role=%s: this kernel has no %s, going on without",
	    row->name, layer);
	return 0;
}

static int
fail(char *err, size_t err_size, const char *what, int r)
{
	(void)snprintf(err, err_size, "%s: %s", what, strerror(-r));
	return r;
}

int
sandbox_enter(
    enum role role, const struct conf *conf, char *err, size_t err_size)
{
	const struct sandbox_row *row = &rows[role];
	struct proc_bond bond;
	int r;

	assert(role < ROLE_COUNT && role != ROLE_CELL);
	err[0] = '\0';
	r = set_limits(row);
	if (r < 0)
		return fail(err, err_size, "cannot lower the limits", r);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(err, err_size, "no_new_privs", -errno);
	proc_bond_take(&bond);
	r = drop_user(row, conf, err, err_size);
	if (r < 0)
		return r;
	r = proc_bond_renew(&bond);
	if (r < 0)
		return fail(err, err_size, "the parent is gone", r);
	/* Of the same user, nobody may look inside by ptrace or /proc. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail(err, err_size, "cannot close /proc", -errno);
#ifdef SLUICE_SANITIZE
	entered = 1;
#endif
	r = sandbox_paths(row, conf, err, err_size);
	r = judge_layer("Landlock", r, row, conf, err, err_size);
	if (r < 0)
		return r;
	r = sandbox_calls(row->calls, err, err_size);
	return judge_layer("seccomp", r, row, conf, err, err_size);
}
