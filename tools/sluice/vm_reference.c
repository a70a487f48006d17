/*
 * tools/sluice/vm_reference.c - `sluice vm reference build|list|check`: what
 * clones are made from.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/util.h"
#include "tools/sluice/vm.h"
#include "tools/sluice/vm_build.h"
#include "vmm/backends.h"
#include "vmm/manifest.h"
#include "vmm/qemu.h"
#include "vmm/vmm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define COMMAND "vm reference"

struct options {
	struct common_options common;
	const char *verb;
	const char *name;
	const char *state, *agent, *cache, *program, *backend;
	bool force;
};

enum { KEY_STATE = 0x100, KEY_AGENT, KEY_CACHE, KEY_PROGRAM, KEY_BACKEND };

static const struct argp_option table[] = {OPTION_CONF, OPTION_JSON,
    {"state", KEY_STATE, "DIR", 0,
	"directory of the references (default: vm.directory)", 0},
    {"backend", KEY_BACKEND, "B", 0,
	"build for this back end (default: the first that works here)", 0},
    {"force", 'f', NULL, 0, "build even if what is there fits", 0},
    {"agent", KEY_AGENT, "FILE", 0,
	"put this program into it (default: the installed sluice-agent)", 0},
    {"packages", KEY_CACHE, "DIR", 0,
	"keep Debian's packages there (default: DIR of --state, packages)", 0},
    {"qemu", KEY_PROGRAM, "FILE", 0, "QEMU (default: " QEMU_PROGRAM ")", 0},
    {0}};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_STATE:
		o->state = arg;
		break;
	case KEY_AGENT:
		o->agent = arg;
		break;
	case KEY_CACHE:
		o->cache = arg;
		break;
	case KEY_BACKEND:
		o->backend = arg;
		break;
	case KEY_PROGRAM:
		o->program = arg;
		break;
	case 'f':
		o->force = true;
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			return ARGP_ERR_UNKNOWN;
		*(state->arg_num == 0 ? &o->verb : &o->name) = arg;
		break;
	default:
		return util_common_option(key, arg, &o->common);
	}
	return 0;
}

static const struct argp argp = {.options = table,
    .parser = parse,
    .args_doc = "build NAME\nlist\ncheck [NAME]",
    .doc = "What clones are made from: a small Debian that was booted once."
	   "\v"
	   "`build` makes one out of Debian's packages by its recipe (linux), "
	   "unless what is there fits; `list` shows them; `check` reads all "
	   "their files and makes a clone of each.\n"
	   "Exit status: 0 fine; 1 not built or damaged; 100 wrong usage; 111 "
	   "the system failed."};

static struct vmm_options
options_of(const struct options *o, const char *name)
{
	return (struct vmm_options){
	    .state = o->state, .reference = name, .program = o->program};
}

static int
command_build(const struct options *o)
{
	const struct vmm_options options = options_of(o, o->name);
	struct vm_build build = {.state = o->state,
	    .name = o->name,
	    .agent = o->agent,
	    .cache = o->cache,
	    .program = o->program,
	    .is_forced = o->force};
	struct mono begin = mono_now();
	unsigned long usec;
	char err[512], span[32];
	int r;

	if (!o->name)
		return util_fail(
		    STATUS_USAGE, COMMAND, "build: of what? `linux`");
	build.ops = backends_choose(
	    o->backend ? o->backend : "auto", &options, err, sizeof(err));
	if (!build.ops)
		return util_fail(STATUS_SYSTEM, COMMAND, "%s", err);
	r = vm_build(&build);
	if (r < 0)
		return STATUS_SYSTEM; /* said already */
	if (r == 1) {
		printf("100%% %s is there and fits\n", o->name);
		return STATUS_FINE;
	}
	r = vm_try(build.ops, &options, &usec, err, sizeof(err));
	if (r < 0)
		return util_fail(STATUS_SYSTEM, COMMAND, "%s", err);
	printf("100%% %s is ready after %s; its first clone took %.1f ms\n",
	    o->name,
	    util_span(mono_span(begin, mono_now()), span, sizeof(span)),
	    (double)usec / 1000);
	return STATUS_FINE;
}

/* --- list and check: each row says one reference. */

struct row {
	struct manifest manifest;
	const char *name;
	bool is_read; /* the manifest is */
	bool is_tried;
	unsigned long clone_usec;
	char problem[512]; /* "": none */
};

static void
read_row(const struct options *o, struct row *row)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/%s", o->state, row->name);
	CLEANUP(close_fd)
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dirfd < 0 ? -errno
			  : manifest_read(dirfd, &row->manifest, row->problem,
				sizeof(row->problem));
	struct vmm_options options;
	const struct vmm_ops *ops;

	row->is_read = r == 0;
	if (dirfd < 0)
		(void)snprintf(row->problem, sizeof(row->problem), "%s: %s",
		    path, strerror(-r));
	if (strcmp(o->verb, "check") != 0 || r < 0)
		return;
	options = options_of(o, row->name);
	ops = backends_find(row->manifest.backend);
	if (!ops)
		(void)snprintf(row->problem, sizeof(row->problem),
		    "%s: a back end that is not built in",
		    row->manifest.backend);
	else
		row->is_tried = vm_try(ops, &options, &row->clone_usec,
				    row->problem, sizeof(row->problem)) == 0;
}

static uint64_t
bytes_of(const struct manifest *m)
{
	uint64_t bytes = 0;

	for (int i = 0; i < MANIFEST_FILES; i++)
		bytes += m->files[i].bytes;
	return bytes;
}

static void
print_json(const struct row *row)
{
	const struct manifest *m = &row->manifest;
	json_t *o = json_object();

	(void)json_object_set_new(o, "reference", util_json_text(row->name));
	(void)json_object_set_new(
	    o, "ok", json_boolean(row->problem[0] == '\0'));
	if (row->problem[0])
		(void)json_object_set_new(
		    o, "problem", util_json_text(row->problem));
	if (row->is_read) {
		(void)json_object_set_new(
		    o, "backend", json_string(m->backend));
		(void)json_object_set_new(
		    o, "hypervisor", json_string(m->hypervisor));
		(void)json_object_set_new(o, "accel", json_string(m->accel));
		(void)json_object_set_new(
		    o, "mem_mib", json_integer(m->mem_mib));
		(void)json_object_set_new(o, "recipe", json_string(m->recipe));
		(void)json_object_set_new(
		    o, "built_usec", json_integer((json_int_t)m->built_usec));
		(void)json_object_set_new(
		    o, "bytes", json_integer((json_int_t)bytes_of(m)));
	}
	if (row->is_tried)
		(void)json_object_set_new(
		    o, "clone_ms", json_real((double)row->clone_usec / 1000));
	util_json_line(stdout, o);
}

static void
print_row(const struct row *row)
{
	const struct manifest *m = &row->manifest;
	char bytes[32], when[64];

	printf("%s\n", row->name);
	if (row->is_read)
		printf("  %s, %s, %u MiB, built %s, recipe %.12s, %s on disk\n",
		    m->hypervisor, m->accel, m->mem_mib,
		    util_time(m->built_usec, when, sizeof(when)), m->recipe,
		    util_bytes(bytes_of(m), bytes, sizeof(bytes)));
	if (row->is_tried)
		printf(
		    "  a clone took %.1f ms\n", (double)row->clone_usec / 1000);
	if (row->problem[0])
		printf("  PROBLEM: %s\n", row->problem);
}

static int
show(const struct options *o, const char *name)
{
	struct row row = {.name = name};
	int status;

	read_row(o, &row);
	if (o->common.json)
		print_json(&row);
	else
		print_row(&row);
	status = row.problem[0] ? STATUS_BAD : STATUS_FINE;
	if (row.is_read)
		manifest_done(&row.manifest);
	return status;
}

static int
is_reference(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "packages") != 0;
}

static int
show_all(const struct options *o)
{
	struct dirent **found;
	int n = scandir(o->state, &found, is_reference, alphasort);
	int status = STATUS_FINE;

	if (n < 0 && errno != ENOENT)
		return util_fail(STATUS_SYSTEM, COMMAND, "%s: %s", o->state,
		    strerror(errno));
	if (n <= 0 && !o->common.json)
		printf("none in %s; `sluice vm reference build linux` makes "
		       "one\n",
		    o->state);
	for (int i = 0; i < n; i++) {
		if (show(o, found[i]->d_name) != STATUS_FINE)
			status = STATUS_BAD;
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	return status;
}

int
vm_reference(int argc, char **argv)
{
	struct options o = {.verb = ""};
	CLEANUP(free_ptr) char *usual = NULL;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	if (!o.state) {
		struct conf *conf = util_conf(&o.common, &status);

		if (!conf)
			return status;
		o.state = usual = xstrdup(conf->vm.directory);
		(void)conf_free(conf);
	}
	if (o.name && strchr(o.name, '/'))
		return util_fail(
		    STATUS_USAGE, COMMAND, "%s: a name has no slash", o.name);
	if (strcmp(o.verb, "build") == 0)
		return command_build(&o);
	if (strcmp(o.verb, "list") == 0 || strcmp(o.verb, "check") == 0)
		return o.name ? show(&o, o.name) : show_all(&o);
	return util_fail(
	    STATUS_USAGE, COMMAND, "write build NAME, list or check");
}
