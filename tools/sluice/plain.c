#include "tools/sluice/plain.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/reach.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Debian's, the one of other distributions, and those of the manual. */
static const char *const clamd_sockets[] = {
    "/run/clamav/clamd.ctl",
    "/run/clamd.scan/clamd.sock",
    "/run/clamav/clamd.sock",
    "/tmp/clamd.socket",
};

/* Where rules lie; those without a leading slash beside our program. */
static const char *const rule_places[] = {
    "/etc/sluice", "../share/sluice", "../../etc"};

static void
set(char **setting, const char *value)
{
	free(*setting);
	*setting = xstrdup(value);
}

static bool
is_asked_for(const char *engines, const char *engine)
{
	return engines && conf_has_word(engines, engine);
}

static bool
find_clamd(struct conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(clamd_sockets); i++) {
		if (reach_unix(clamd_sockets[i]) < 0)
			continue;
		set(&conf->clamd.socket, clamd_sockets[i]);
		return true;
	}
	return false;
}

static bool
find_file(const char *name, char **setting)
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n < 0)
		return false;
	own[n] = '\0';
	*strrchr(own, '/') = '\0'; /* an absolute path has one */
	for (size_t i = 0; i < ARRAY_SIZE(rule_places); i++) {
		const char *place = rule_places[i];
		CLEANUP(free_ptr)
		char *path = *place == '/'
				 ? xasprintf("%s/%s", place, name)
				 : xasprintf("%s/%s/%s", own, place, name);

		if (access(path, R_OK) < 0)
			continue;
		set(setting, path);
		return true;
	}
	return false;
}

static bool
find_rules(struct conf *conf)
{
	return find_file("policy.conf", &conf->policy.rules);
}

static bool
find_clones(struct conf *conf)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/vmm/vmm.sock", conf->site.runtime);

	return find_file("behaviours.conf", &conf->vm.rules) &&
	       reach_unix(path) == 0;
}

static bool
find_spam(struct conf *conf)
{
	return reach_tcp(conf->spam.address) == 0;
}

static bool
find_model(struct conf *conf)
{
	return access(conf->mef.model, R_OK) == 0;
}

/* Users that a machine without `sluice setup` lacks. */
static void
find_users(struct conf *conf)
{
	char **users[] = {&conf->site.user, &conf->site.scan_user,
	    &conf->site.engines_user, &conf->site.book_user,
	    &conf->site.vmm_user, &conf->site.fetch_user};
	bool lacks = false;

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		if (getpwnam(*users[i]))
			continue;
		set(users[i], "nobody");
		lacks = true;
	}
	if (lacks && geteuid() == 0)
		(void)fprintf(stderr,
		    "sluice scan: users of Sluice are missing (sluice setup "
		    "makes them): nobody stands in\n");
}

static void
choose_engines(struct conf *conf, const char *engines)
{
	const struct {
		const char *name, *where;
		bool (*find)(struct conf *conf);
		bool by_default;
	} rows[] = {
	    {"policy", "rule file", find_rules, true},
	    {"clamd", "socket", find_clamd, true},
	    {"spam", "port", find_spam, false},
	    {"mef", "model", find_model, false},
	    {"vm", "sluice-vmm", find_clones, false},
	};
	char list[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool asked = is_asked_for(engines, rows[i].name), found;

		if (!asked && (engines || !rows[i].by_default))
			continue;
		found = rows[i].find(conf);
		if (!found && !asked)
			(void)fprintf(stderr,
			    "sluice scan: going without %s: no %s at the usual "
			    "places\n",
			    rows[i].name, rows[i].where);
		if (found || asked)
			(void)snprintf(list + strlen(list),
			    sizeof(list) - strlen(list), "%s%s",
			    *list ? " " : "", rows[i].name);
	}
	set(&conf->worker.engines, list);
}

struct conf *
plain_conf(const char *engines)
{
	struct conf *conf = NULL;
	char err[256];

	if (conf_load(NULL, &conf, err, sizeof(err)) < 0) {
		(void)fprintf(stderr, "sluice scan: %s\n", err);
		return NULL;
	}
	find_users(conf);
	choose_engines(conf, engines);
	if (*conf->worker.engines)
		return conf;
	(void)fprintf(stderr, "sluice scan: no engine is left to judge by; "
			      "name a configuration with -c\n");
	return conf_free(conf);
}

int
plain_write(const struct conf *conf, char **ret_path)
{
	char dir[] = "/tmp/sluice-scan.XXXXXX";
	CLEANUP(free_ptr) char *path = NULL;
	FILE *f;

	/* Its directory becomes readable to the roles, so it is a new one. */
	if (!mkdtemp(dir))
		return -errno;
	path = xasprintf("%s/sluice.conf", dir);
	f = fopen(path, "wxe");
	if (!f || chmod(dir, 0755) < 0)
		return -errno;
	conf_dump(conf, f);
	if (fclose(f) != 0)
		return -errno;
	*ret_path = TAKE_PTR(path);
	return 0;
}

void
plain_remove(char *path)
{
	(void)unlink(path);
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
	free(path);
}
