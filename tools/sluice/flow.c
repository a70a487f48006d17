/*
 * tools/sluice/flow.c - `sluice flow SUB-COMMAND`: finds it and calls it.
 */
#include "tools/sluice/flow.h"
#include "tools/sluice/subs.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static const struct sub_command subs[] = {
    {"learn", flow_learn, "learn from connections that carried ham or spam"},
    {"classify", flow_classify, "what is said of connections, and why"},
    {"report", flow_report, "what the learner is worth on this site's mail"},
};

int
command_flow(int argc, char **argv)
{
	return subs_call("flow",
	    "Judging the TCP connections that carry mail.\n", subs,
	    ARRAY_SIZE(subs), argc, argv);
}

error_t
flow_option(int key, char *arg, struct flow_options *o)
{
	switch (key) {
	case 's':
		o->state = arg;
		return 0;
	case 'f':
		o->features = arg;
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

/* The directory, and the rules; NULL: it has been said why not. */
static char *
state_of(struct flow_options *o, int *ret_status)
{
	const bool is_usual = !o->state && access(UTIL_CONF_DEFAULT, F_OK) == 0;
	struct conf *conf = NULL;
	char err[512], *path;

	if (o->common.conf_path || is_usual)
		conf = util_conf(&o->common, ret_status);
	else if (conf_load(NULL, &conf, err, sizeof(err)) < 0)
		*ret_status = util_fail(STATUS_SYSTEM, "flow", "%s", err);
	if (!conf)
		return NULL;
	o->rules = flow_rules_of(conf);
	if (o->state) {
		path = xstrdup(o->state);
	} else {
		/* A site that only learns has no other state yet. */
		(void)mkdir(conf->site.state, 0755);
		path = xasprintf("%s/flow", conf->site.state);
	}
	(void)conf_free(conf);
	return path;
}

/* To the end of this command, if it is free. */
static int
keep(const char *command, const char *path, int dir)
{
	const int r = flow_state_keep(dir);

	if (r == -EBUSY)
		return util_fail(STATUS_SYSTEM, command,
		    "%s: sluice-learn runs and learns there; stop it first",
		    path);
	return r < 0 ? util_fail(
			   STATUS_SYSTEM, command, "%s: %s", path, strerror(-r))
		     : STATUS_FINE;
}

struct flow_learner *
flow_open(const char *command, struct flow_options *o, bool is_shared,
    int *ret_dir, int *ret_status)
{
	CLEANUP(free_ptr) char *path = state_of(o, ret_status);
	CLEANUP(close_fd) int dir = -1;
	struct flow_learner *l = NULL;
	char err[400];
	int r;

	if (!path)
		return NULL;
	dir = flow_state_open(path, is_shared);
	if (dir < 0) {
		*ret_status = util_fail(
		    STATUS_SYSTEM, command, "%s: %s", path, strerror(-dir));
		return NULL;
	}
	if (!is_shared && (r = keep(command, path, dir)) != STATUS_FINE) {
		*ret_status = r;
		return NULL;
	}
	r = flow_state_load(
	    dir, &o->rules, wall_now().usec, &l, err, sizeof(err));
	if (r < 0) {
		*ret_status =
		    util_fail(STATUS_SYSTEM, command, "%s/%s", path, err);
		return NULL;
	}
	*ret_dir = TAKE_FD(dir);
	return l;
}

static int
take_line(const char *line, size_t n,
    void (*take)(
	void *arg, const struct flow_sample *sample, const json_t *object),
    void *arg, char *err, size_t err_size)
{
	struct flow_sample sample;
	int r = flow_sample_read(line, n, &sample, err, err_size);
	json_t *object;

	if (r < 0)
		return r;
	object = json_loadb(line, n, 0, NULL);
	take(arg, &sample, object);
	json_decref(object);
	return 0;
}

int
flow_each(const char *command, const struct flow_options *o,
    void (*take)(
	void *arg, const struct flow_sample *sample, const json_t *object),
    void *arg)
{
	const bool is_stdin = !o->features || strcmp(o->features, "-") == 0;
	const char *name = is_stdin ? "standard input" : o->features;
	FILE *in = is_stdin ? stdin : fopen(o->features, "re");
	CLEANUP(free_ptr) char *line = NULL;
	char err[300];
	size_t room = 0, number = 0;
	ssize_t n;
	int status = 0;

	if (!in)
		return util_fail(errno == ENOENT ? STATUS_USAGE : STATUS_SYSTEM,
		    command, "%s: %s", name, strerror(errno));
	while (status == 0 && (n = getline(&line, &room, in)) > 0) {
		number++;
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		if (take_line(line, (size_t)n, take, arg, err, sizeof(err)) < 0)
			status = util_fail(STATUS_USAGE, command, "%s:%zu: %s",
			    name, number, err);
	}
	if (status == 0 && ferror(in))
		status = util_fail(
		    STATUS_SYSTEM, command, "%s: %s", name, strerror(errno));
	if (!is_stdin)
		(void)fclose(in);
	return status;
}

json_t *
flow_real(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}
