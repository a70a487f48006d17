/*
 * tests/support/sandbox_site.h - the directories and users that the roles'
 * sandboxes speak of.  As root the users are made where they are missing.
 */
#ifndef SLUICE_TESTS_SANDBOX_SITE_H
#define SLUICE_TESTS_SANDBOX_SITE_H

#include "common/conf.h"
#include "common/io.h"

#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct site {
	char root[64];
	struct conf *conf;
	int memfd;   /* of the parent, made before */
	pid_t other; /* a process of another role */
};

static inline void
need_user(const char *name)
{
	char *cmd;

	if (getpwnam(name))
		return;
	cmd = xasprintf("useradd --system --user-group --no-create-home "
			"--shell /usr/sbin/nologin %s",
	    name);
	if (system(cmd) != 0)
		print_error("cannot make user %s\n", name);
	free(cmd);
}

static inline void
make_dir(const char *root, const char *name, const char *user)
{
	const struct passwd *pw = getpwnam(user);
	char *path = xasprintf("%s/%s", root, name);

	assert_int_equal(mkdir(path, 0755), 0);
	if (pw)
		assert_int_equal(chown(path, pw->pw_uid, pw->pw_gid), 0);
	free(path);
}

static inline void
write_site(const struct site *s)
{
	char *path = xasprintf("%s/conf/sluice.conf", s->root);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	(void)fprintf(f,
	    "site { spool = \"%s/spool\" state = \"%s/state\" runtime = "
	    "\"%s/run\" }\nclamd { database = \"%s/db\" }\nspam { address = "
	    "\"127.0.0.1:1783\" }\npolicy { rules = \"%s/conf/policy\" }\n",
	    s->root, s->root, s->root, s->root, s->root);
	assert_int_equal(fclose(f), 0);
	free(path);
	path = xasprintf("%s/spool/file", s->root);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static inline int
set_up(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	char err[256], *path;

	(void)strcpy(s->root, "/tmp/test_sandbox.XXXXXX");
	assert_non_null(mkdtemp(s->root));
	assert_int_equal(chmod(s->root, 0755), 0);
	if (geteuid() == 0)
		for (int i = 0; i < 7; i++)
			need_user((const char *[]){"sluice", "sluice-scan",
			    "sluice-engines", "sluice-book", "sluice-vmm",
			    "sluice-fetch", "sluice-flow"}[i]);
	make_dir(s->root, "spool", "sluice");
	make_dir(s->root, "spool/a", "sluice");
	make_dir(s->root, "spool/b", "sluice");
	make_dir(s->root, "state", "sluice-book");
	make_dir(s->root, "run", "sluice");
	make_dir(s->root, "db", "root");
	make_dir(s->root, "conf", "root");
	write_site(s);
	path = xasprintf("%s/conf/sluice.conf", s->root);
	assert_int_equal(conf_load(path, &s->conf, err, sizeof(err)), 0);
	free(path);
	s->memfd = memfd_new("test");
	s->other = fork();
	if (s->other == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)pause();
		_exit(0);
	}
	*state = s;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct site *s = *state;
	char *cmd = xasprintf("rm -rf %s", s->root);

	(void)kill(s->other, SIGTERM);
	(void)waitpid(s->other, NULL, 0);
	assert_int_equal(system(cmd), 0);
	free(cmd);
	(void)close(s->memfd);
	(void)conf_free(s->conf);
	free(s);
	return 0;
}

#endif
