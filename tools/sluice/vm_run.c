/*
 * tools/sluice/vm_run.c - `sluice vm run FILE`: what does a file do?
 *
 * It asks the sluice-vmm that runs, or is one itself.
 */
#include "tools/sluice/vm.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/digest.h"
#include "common/io.h"
#include "common/ipc.h"
#include "tools/sluice/vm_host.h"
#include "vmm/asker.h"
#include "vmm/detector.h"
#include "vmm/holder.h"
#include "vmm/trial.h"
#include "worker/reading.h"
#include "worker/suspect.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define EVIDENCE_MAX ((size_t)1 << 20)

/* Where rules lie; those without a leading slash beside our program. */
static const char *const rule_files[] = {
    "../share/sluice/behaviours.conf", "../../etc/behaviours.conf"};

struct options {
	struct vm_options vm;
	const char *rules, *type, *file;
};

struct run {
	const struct options *options;
	struct conf *conf;
	struct event_base *base;
	struct asker *asker;
	struct asker_run *run;
	struct rules *rules;
	struct detector *detector;
	struct digest digest;
	struct ask_run what;
	int fd;
	bool is_proven, is_done;
	struct ask_done done;
};

static void
on_begun(void *arg, unsigned int attempt, const struct ask_begun *begun)
{
	struct run *r = arg;

	if (attempt == 1 || begun->is_waiting)
		return;
	(void)detector_free(r->detector);
	r->detector = detector_new(r->rules);
}

static void
on_chunk(void *arg, const void *octets, size_t n)
{
	struct run *r = arg;

	detector_feed(r->detector, octets, n);
	if (r->is_proven || !detector_is_proven(r->detector))
		return;
	r->is_proven = true;
	asker_stop(r->run);
}

static void
on_done(void *arg, const struct ask_done *done)
{
	struct run *r = arg;

	r->done = *done;
	r->is_done = true;
	(void)event_base_loopbreak(r->base);
}

static const struct asker_run_ops run_ops = {on_begun, on_chunk, on_done};

/* The file as it will be run: nobody changes it meanwhile. */
static int
take_file(struct run *r, const char *path)
{
	CLEANUP(close_fd) int in = open(path, O_RDONLY | O_CLOEXEC);
	const char *slash = strrchr(path, '/');
	struct stat st;
	int e;

	if (in < 0 || fstat(in, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > r->conf->vm.max_file_bytes)
		return -EFBIG;
	r->fd = memfd_new("sample");
	if (r->fd < 0)
		return r->fd;
	e = copy_range(in, 0, (uint64_t)st.st_size, r->fd);
	if (e == 0)
		e = memfd_seal(r->fd);
	r->what.bytes = (uint64_t)st.st_size;
	(void)snprintf(
	    r->what.name, sizeof(r->what.name), "%s", slash ? slash + 1 : path);
	return e < 0 ? e : digest_file(r->fd, 0, r->what.bytes, &r->digest);
}

/* As mail with a file of that name would have it run; what no mail would have
 * run is tried on Linux. */
static void
choose_reference(struct run *r)
{
	const char *name = r->options->vm.reference;
	struct suspect suspects[SUSPECT_KINDS_MAX];
	char magic[2] = "";
	bool is_dos =
	    pread(r->fd, magic, 2, 0) == 2 && memcmp(magic, "MZ", 2) == 0;
	const struct reading_part part = {.bytes = r->what.bytes,
	    .flags = PART_ATTACHMENT,
	    .n_names = 1,
	    .names = r->what.name,
	    .type = is_dos ? "application/x-dosexec" : ""};

	if (!name)
		name = suspect_of(&part, suspects) > 0 ? suspects[0].reference
						       : "linux";
	(void)snprintf(
	    r->what.reference, sizeof(r->what.reference), "%s", name);
}

static int
load_rules(struct run *r)
{
	char err[512], own[PATH_MAX];
	const char *path =
	    r->options->rules ? r->options->rules : r->conf->vm.rules;
	int e = rules_load(path, &r->rules, err, sizeof(err));
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (e != -ENOENT || r->options->rules || n < 0)
		return e < 0 ? util_fail(STATUS_USAGE, "vm run", "%s", err)
			     : STATUS_FINE;
	own[n] = '\0';
	*strrchr(own, '/') = '\0'; /* an absolute path has one */
	for (size_t i = 0; i < ARRAY_SIZE(rule_files) && e < 0; i++) {
		CLEANUP(free_ptr)
		char *beside = xasprintf("%s/%s", own, rule_files[i]);

		e = rules_load(beside, &r->rules, err, sizeof(err));
	}
	return e < 0 ? util_fail(STATUS_USAGE, "vm run",
			   "%s: not there; name the file with --rules", path)
		     : STATUS_FINE;
}

/* Turn the loop until the run has ended. */
static int
ask(struct run *r, const char *path)
{
	int e;

	r->asker = asker_open(r->base, path, NULL, NULL);
	e = asker_run(r->asker, &r->what, r->fd, &run_ops, r, &r->run);
	if (e == 0)
		(void)event_base_dispatch(r->base);
	r->asker = asker_close(r->asker);
	return e;
}

static int
ask_own(struct run *r)
{
	char why[256] = "";
	const struct vmm_ops *ops = holder_choose(r->conf, why, sizeof(why));
	struct vm_host *host;
	int e;

	if (!ops)
		return util_fail(STATUS_SYSTEM, "vm run", "%s", why);
	/* Its own clones: of what this file needs, and of nothing else. */
	free(r->conf->vm.references);
	r->conf->vm.references = xstrdup(r->what.reference);
	host = vm_host_start(r->base, r->conf, ops, why, sizeof(why));
	if (!host)
		return util_fail(STATUS_SYSTEM, "vm run", "%s", why);
	e = ask(r, vm_host_socket(host));
	(void)vm_host_stop(host);
	return e < 0 ? util_fail(STATUS_SYSTEM, "vm run", "%s", strerror(-e))
		     : STATUS_FINE;
}

static int
run_file(struct run *r)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/vmm/vmm.sock", r->conf->site.runtime);
	int probe = r->options->vm.backend || r->options->vm.directory
			? -ENOENT
			: ipc_connect(path);

	r->detector = detector_new(r->rules);
	if (probe < 0)
		return ask_own(r);
	(void)close(probe);
	return ask(r, path) < 0 || !r->is_done
		   ? util_fail(STATUS_SYSTEM, "vm run",
			 "%s: sluice-vmm doesn't answer", path)
		   : STATUS_FINE;
}

static double
ms(uint64_t usec)
{
	return (double)usec / 1000;
}

static json_t *
times_json(const struct ask_times *t)
{
	return json_pack("{sf sf sf sf sf sf}", "queue", ms(t->queue), "clone",
	    ms(t->clone), "inject", ms(t->inject), "take", ms(t->take), "run",
	    ms(t->run), "collect", ms(t->collect));
}

static json_t *
evidence_json(struct run *r)
{
	CLEANUP(free_ptr)
	char *text = detector_evidence(r->detector, EVIDENCE_MAX);
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;

	return o ? o : json_object();
}

static void
print_json(const struct run *r, const char *verdict, const char *reason,
    json_t *evidence)
{
	json_t *behaviours = json_object_get(evidence, "behaviours");
	char hex[DIGEST_HEX];

	util_json_line(
	    stdout, json_pack("{ss ss so so sO* sO* ss so}", "sha256",
			digest_hex(&r->digest, hex), "verdict", verdict,
			"reason", util_json_text(reason), "behaviours",
			behaviours ? json_incref(behaviours) : json_array(),
			"score", json_object_get(evidence, "score"), "events",
			json_object_get(evidence, "events"), "reference",
			r->what.reference, "ms", times_json(&r->done.times)));
}

static void
print_behaviour(const json_t *b)
{
	const json_t *events = json_object_get(b, "events"), *event;
	size_t i;

	(void)printf("%s: %s (%s)\n",
	    json_string_value(json_object_get(b, "id")),
	    json_string_value(json_object_get(b, "name")),
	    json_string_value(json_object_get(b, "attack")));
	json_array_foreach (events, i, event) {
		CLEANUP(free_ptr)
		char *line = json_dumps(
		    event, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

		(void)printf("    %s\n", line ? line : "?");
	}
}

static void
print_text(const struct run *r, const char *verdict, const char *reason,
    const json_t *evidence)
{
	const json_t *all = json_object_get(evidence, "behaviours"), *b;
	const struct ask_times *t = &r->done.times;
	char hex[DIGEST_HEX];
	size_t i;

	(void)printf("%s  %s\n%s%s%s\n", digest_hex(&r->digest, hex),
	    r->what.name, verdict, *reason ? ": " : "", reason);
	json_array_foreach (all, i, b)
		print_behaviour(b);
	(void)printf("queue %.1f ms, clone %.1f ms, inject %.1f ms, take %.1f "
		     "ms, run %.1f ms, collect %.1f ms\n",
	    ms(t->queue), ms(t->clone), ms(t->inject), ms(t->take), ms(t->run),
	    ms(t->collect));
}

static int
report(struct run *r)
{
	char reason[128] = "";
	const char *verdict = "unknown";
	int status = STATUS_UNKNOWN;
	enum trial trial;
	json_t *evidence;

	detector_lost(r->detector, r->done.lost);
	trial = trial_of(r->detector, &r->done, reason, sizeof(reason));
	if (trial == TRIAL_CLEAN || trial == TRIAL_HIT) {
		verdict = trial == TRIAL_HIT ? "hit" : "clean";
		status = trial == TRIAL_HIT ? STATUS_BAD : STATUS_FINE;
	}
	evidence = evidence_json(r);
	if (r->options->vm.common.json)
		print_json(r, verdict, reason, evidence);
	else
		print_text(r, verdict, reason, evidence);
	json_decref(evidence);
	return status;
}

static int
judge(struct run *r)
{
	int e = take_file(r, r->options->file), status;

	if (e < 0)
		return util_fail(STATUS_SYSTEM, "vm run", "%s: %s",
		    r->options->file,
		    e == -EINVAL ? "no regular file" : strerror(-e));
	(void)snprintf(r->what.type, sizeof(r->what.type), "%s",
	    r->options->type ? r->options->type : "");
	choose_reference(r);
	status = load_rules(r);
	if (status == STATUS_FINE)
		status = run_file(r);
	return status == STATUS_FINE ? report(r) : status;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case VM_KEY_OWN:
		o->rules = arg;
		return 0;
	case VM_KEY_OWN + 1:
		o->type = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			return ARGP_ERR_UNKNOWN;
		o->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "write the file to run");
		return 0;
	default:
		return vm_option(key, arg, &o->vm);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    VM_OPTIONS,
    {"rules", VM_KEY_OWN, "FILE", 0,
	"search the report for these behaviours (default: vm.rules)", 0},
    {"type", VM_KEY_OWN + 1, "MIME", 0, "run it as this type", 0}, {0}};

static const struct argp argp = {options, parse, "FILE",
    "Run a file in a clone, and say what it did.\v"
    "It is run by the sluice-vmm of this host, or, where none runs or "
    "--backend or --directory is given, by clones of this command's own.\n"
    "JSON, one line: sha256, verdict (clean, hit, unknown), reason, "
    "behaviours (id, name, attack, events), ms.\n"
    "Exit status: 0 clean, 1 a bad behaviour was seen, 2 it could not be "
    "judged.",
    NULL, NULL, NULL};

int
vm_run(int argc, char **argv)
{
	struct options o = {.file = NULL};
	struct run r = {.options = &o, .fd = -1};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = vm_conf(&o.vm, &status);
	if (!conf)
		return status;
	r.conf = conf;
	r.base = event_base_new();
	status = judge(&r);
	(void)detector_free(r.detector);
	(void)rules_free(r.rules);
	close_fd(&r.fd);
	event_base_free(r.base);
	(void)conf_free(conf);
	return status;
}
