/*
 * tools/sluice/config.c - `sluice config check|dump`.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "queues/spool.h"
#include "tools/sluice/reach.h"
#include "tools/sluice/util.h"
#include "vmm/detector.h"
#include "vmm/manifest.h"
#include "worker/fetch_address.h"
#include "worker/policy.h"
#include "worker/warning.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>

struct options {
	struct common_options common;
	const char *verb;
};

#define WARNINGS_MAX 32

struct findings {
	char *warnings[WARNINGS_MAX];
	size_t n;
};

static void warn(struct findings *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
warn(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	if (f->n == WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&f->warnings[f->n++], fmt, ap) < 0)
		abort();
	va_end(ap);
}

static void
check_users(const struct conf *conf, struct findings *f)
{
	const struct {
		const char *name, *user;
	} users[] = {
	    {"user", conf->site.user}, {"scan_user", conf->site.scan_user},
	    {"engines_user", conf->site.engines_user},
	    {"book_user", conf->site.book_user},
	    {"vmm_user", conf->site.vmm_user},
	    {"fetch_user", conf->site.fetch_user}, /* where it is started */
	};
	const size_t n = ARRAY_SIZE(users) - !conf->links.enabled;

	for (size_t i = 0; i < n; i++) {
		if (!getpwnam(users[i].user))
			warn(f,
			    "site.%s: no user %s on this machine: run "
			    "sluice setup",
			    users[i].name, users[i].user);
		for (size_t j = 0; j < i; j++)
			if (strcmp(users[i].user, users[j].user) == 0)
				warn(f,
				    "site.%s and site.%s are the same user: "
				    "one could act on the other",
				    users[j].name, users[i].name);
	}
}

static void
check_sockets(const struct conf *conf, struct findings *f)
{
	int r;

	if (conf_has_word(conf->worker.engines, "clamd")) {
		r = reach_unix(conf->clamd.socket);
		if (r < 0)
			warn(f, "clamd.socket: %s: %s: all mail will wait",
			    conf->clamd.socket, strerror(-r));
	}
	if (conf_has_word(conf->worker.engines, "spam")) {
		r = reach_tcp(conf->spam.address);
		if (r < 0)
			warn(f, "spam.address: %s: %s: all mail will wait",
			    conf->spam.address, strerror(-r));
	}
	r = reach_unix(conf->out.socket);
	if (r < 0)
		warn(f,
		    "out.socket: %s: %s: the delivering sendmail can't be "
		    "woken and runs its queue once a minute",
		    conf->out.socket, strerror(-r));
}

/* Whose files can't be run waits, so say it before mail does. */
static void
check_reference(const struct conf *conf, const char *name, struct findings *f)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/%s", conf->vm.directory, name);
	CLEANUP(close_fd)
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct manifest manifest;
	char err[256] = "";
	int r =
	    fd < 0 ? -errno : manifest_read(fd, &manifest, err, sizeof(err));

	if (r == 0) {
		manifest_done(&manifest);
		return;
	}
	if (!*err)
		(void)snprintf(err, sizeof(err), "%s: %s", path, strerror(-r));
	warn(f,
	    "vm.references: %s: %s: mail with files for it will wait; build "
	    "it with sluice vm reference build %s, or take it out",
	    name, err, name);
}

static void
check_clones(const struct conf *conf, struct findings *f)
{
	CLEANUP(free_ptr) char *names = xstrdup(conf->vm.references);
	char *at = names, *name;

	if (!conf_has_word(conf->worker.engines, "vm"))
		return;
	if (strcmp(conf->vm.backend, "none") == 0) {
		warn(f,
		    "vm.backend: it is none, but vm is one of worker.engines: "
		    "mail with programs and scripts will wait; write auto");
		return;
	}
	while ((name = strsep(&at, " ")))
		if (*name)
			check_reference(conf, name, f);
}

static void
check_world(const struct conf *conf, struct findings *f)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	char err[512];

	check_users(conf, f);
	if (spool_open(conf->site.spool, (size_t)conf->feed.queues, &spool, err,
		sizeof(err)) < 0)
		warn(f, "site.spool: %s", err);
	check_sockets(conf, f);
	check_clones(conf, f);
}

static int
check_text(const char *path, struct conf **ret_conf, char *err, size_t size)
{
	struct policy *policy = NULL;
	struct rules *rules = NULL;
	struct warning *warning = NULL;
	struct address_rule rule;
	int r = conf_load(path, ret_conf, err, size);

	if (r == 0)
		r = address_rule_read(*ret_conf, &rule, err, size);
	if (r == 0 && conf_has_word((*ret_conf)->worker.engines, "policy"))
		r = policy_load((*ret_conf)->policy.rules, &policy, err, size);
	if (r == 0 && conf_has_word((*ret_conf)->worker.engines, "vm"))
		r = rules_load((*ret_conf)->vm.rules, &rules, err, size);
	if (r == 0)
		r = warning_load((*ret_conf)->wrap.text, &warning, err, size);
	(void)policy_free(policy);
	(void)rules_free(rules);
	(void)warning_free(warning);
	return r;
}

static void
print_json(const char *path, int r, const char *err, const struct findings *f)
{
	json_t *o = json_object(), *warnings = json_array();

	(void)json_object_set_new(o, "file", util_json_text(path));
	(void)json_object_set_new(o, "ok", json_boolean(r == 0));
	if (r < 0)
		(void)json_object_set_new(o, "error", util_json_text(err));
	for (size_t i = 0; i < f->n; i++)
		(void)json_array_append_new(
		    warnings, util_json_text(f->warnings[i]));
	(void)json_object_set_new(o, "warnings", warnings);
	util_json_line(stdout, o);
}

static int
check(const struct options *o)
{
	const char *path =
	    o->common.conf_path ? o->common.conf_path : UTIL_CONF_DEFAULT;
	struct conf *conf = NULL;
	struct findings f = {0};
	char err[512] = "";
	int r = check_text(path, &conf, err, sizeof(err));

	if (r == 0)
		check_world(conf, &f);
	if (o->common.json) {
		print_json(path, r, err, &f);
	} else {
		for (size_t i = 0; i < f.n; i++)
			(void)fprintf(stderr, "warning: %s\n", f.warnings[i]);
		if (r < 0)
			(void)fprintf(stderr, "error: %s\n", err);
		else
			(void)printf("%s: right, %zu warning%s\n", path, f.n,
			    f.n == 1 ? "" : "s");
	}
	for (size_t i = 0; i < f.n; i++)
		free(f.warnings[i]);
	(void)conf_free(conf);
	return r < 0 ? STATUS_USAGE : STATUS_FINE;
}

static int
dump(const struct options *o)
{
	struct conf *conf = NULL;
	int status = STATUS_FINE;
	char err[512];

	if (o->common.conf_path)
		conf = util_conf(&o->common, &status);
	else if (conf_load(NULL, &conf, err, sizeof(err)) < 0)
		status = util_fail(STATUS_SYSTEM, "config", "%s", err);
	if (!conf)
		return status;
	conf_dump(conf, stdout);
	(void)conf_free(conf);
	return fflush(stdout) == 0
		   ? STATUS_FINE
		   : util_fail(STATUS_SYSTEM, "config", "%s", strerror(errno));
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == ARGP_KEY_ARG) {
		if (o->verb ||
		    (strcmp(arg, "check") != 0 && strcmp(arg, "dump") != 0))
			argp_error(state, "%s: write check or dump", arg);
		o->verb = arg;
		return 0;
	}
	if (key == ARGP_KEY_END && !o->verb)
		argp_error(state, "write check or dump");
	return util_common_option(key, arg, &o->common);
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, "check|dump",
    "check: is the configuration right, and are its rules?  Says file, line, "
    "and what to write instead; warns of users, sockets, references and a "
    "spool that aren't as it wants them.\n"
    "dump: print the configuration with every setting, its meaning, range "
    "and default; without -c the defaults.\v"
    "Exit status: 0 right (warnings or not), 100 wrong.",
    NULL, NULL, NULL};

int
command_config(int argc, char **argv)
{
	struct options o = {0};

	util_parse(&argp, argc, argv, &o);
	return strcmp(o.verb, "check") == 0 ? check(&o) : dump(&o);
}
