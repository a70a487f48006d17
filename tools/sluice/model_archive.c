/*
 * tools/sluice/model_archive.c - `sluice model archive`: which copies of files
 * has the engine mef kept for those who label them?
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "worker/mef/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum verb { VERB_LIST, VERB_SHOW, VERB_DROP };

struct options {
	struct common_options common;
	const char *directory; /* NULL: that of the configuration */
	enum verb verb;
	const char *hash; /* its beginning */
	int n_args;
};

struct pass {
	const struct options *o;
	const char *directory;
	struct mef_archive *archive;
	struct table *table; /* NULL: JSON */
	struct digest *found;
	size_t n;
	uint64_t bytes;
};

static json_t *
meta_of(const struct pass *p, const struct digest *digest)
{
	CLEANUP(free_ptr) char *text = NULL;
	json_t *meta = NULL;
	size_t n;

	if (mef_archive_meta(p->archive, digest, &text, &n) == 0)
		meta = json_loadb(text, n, 0, NULL);
	/* Entries can go at any time; texts come from mail. */
	return json_is_object(meta) ? meta : json_object();
}

static void
add_row(const struct pass *p, const struct mef_archive_entry *e,
    const json_t *meta, const char *hex)
{
	const char *name = json_string_value(
	    json_array_get(json_object_get(meta, "names"), 0));
	char time[32], size[32];

	table_cell(p->table, "%.16s", hex);
	table_cell(
	    p->table, "%.19s", util_time(e->at_usec, time, sizeof(time)));
	table_cell(p->table, "%s", util_bytes(e->bytes, size, sizeof(size)));
	table_cell(p->table, "%.10s", util_json_get(meta, "label"));
	table_cell(p->table, "%.1f",
	    100 * json_number_value(json_object_get(meta, "p_malicious")));
	table_cell(p->table, "%.6s", util_json_get(meta, "kind"));
	table_cell(p->table, "%.60s", name ? name : "");
}

static int
list_one(void *arg, const struct mef_archive_entry *e)
{
	struct pass *p = arg;
	json_t *meta = meta_of(p, &e->digest);
	char hex[DIGEST_HEX];

	(void)digest_hex(&e->digest, hex);
	p->n++;
	p->bytes += e->bytes;
	if (p->table) {
		add_row(p, e, meta, hex);
		json_decref(meta);
	} else {
		util_json_line(stdout, meta);
	}
	return 0;
}

static int
list(struct pass *p)
{
	static const char *const titles[] = {
	    "SHA256", "SINCE", ">SIZE", "LABEL", ">P %", "KIND", "NAME"};
	char size[32];
	int r;

	if (!p->o->common.json)
		p->table = table_new(ARRAY_SIZE(titles), titles);
	r = mef_archive_each(p->archive, list_one, p);
	if (p->table) {
		table_print(p->table, stdout);
		(void)printf("%zu files, %s\n", p->n,
		    util_bytes(p->bytes, size, sizeof(size)));
	}
	return r < 0 ? util_fail(STATUS_SYSTEM, "model archive", "%s: %s",
			   p->directory, strerror(-r))
		     : STATUS_FINE;
}

static int
find_one(void *arg, const struct mef_archive_entry *e)
{
	struct pass *p = arg;
	char hex[DIGEST_HEX];

	(void)digest_hex(&e->digest, hex);
	if (strncmp(hex, p->o->hash, strlen(p->o->hash)) != 0)
		return 0;
	p->n++;
	*p->found = e->digest;
	return 0;
}

static int
show(const struct pass *p, const struct digest *digest)
{
	char hex[DIGEST_HEX];

	if (!p->o->common.json)
		(void)printf("%s/%s\n", p->directory, digest_hex(digest, hex));
	util_json_line(stdout, meta_of(p, digest));
	return STATUS_FINE;
}

static int
with_one(struct pass *p)
{
	struct digest digest = {{0}};
	int r;

	p->found = &digest;
	r = mef_archive_each(p->archive, find_one, p);
	if (r == 0 && p->n != 1)
		return util_fail(STATUS_UNKNOWN, "model archive",
		    "%s: %s file begins so", p->o->hash,
		    p->n ? "more than one" : "no");
	if (r == 0 && p->o->verb == VERB_SHOW)
		return show(p, &digest);
	if (r == 0)
		r = mef_archive_drop(p->archive, &digest);
	return r < 0 ? util_fail(STATUS_SYSTEM, "model archive", "%s: %s",
			   p->directory, strerror(-r))
		     : STATUS_FINE;
}

static int
run(const struct options *o, const char *directory)
{
	CLEANUP(mef_archive_freep) struct mef_archive *archive = NULL;
	struct pass p = {.o = o, .directory = directory};
	int r = mef_archive_open(directory, &archive);

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "model archive", "%s: %s%s",
		    directory, strerror(-r),
		    r == -ENOENT ? ": sluice run makes it, where the engine "
				   "mef is wanted (mef.archive)"
				 : "");
	p.archive = archive;
	return o->verb == VERB_LIST ? list(&p) : with_one(&p);
}

static void
take_argument(struct options *o, const char *arg, struct argp_state *state)
{
	static const char *const verbs[] = {
	    [VERB_LIST] = "list", [VERB_SHOW] = "show", [VERB_DROP] = "drop"};

	if (o->n_args++ > 0) {
		if (o->verb == VERB_LIST || o->hash)
			argp_error(state, "%s: too many arguments", arg);
		o->hash = arg;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(arg, verbs[i]) == 0) {
			o->verb = (enum verb)i;
			return;
		}
	argp_error(state, "%s: write list, show or drop", arg);
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->directory = arg;
		return 0;
	case ARGP_KEY_ARG:
		take_argument(o, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (o->verb != VERB_LIST &&
		    (!o->hash ||
			strspn(o->hash, "0123456789abcdef") != strlen(o->hash)))
			argp_error(state, "write the beginning of a SHA-256");
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option rows[] = {OPTION_CONF, OPTION_JSON,
    {"directory", 'd', "DIR", 0, "look there (default: mef.archive)", 0}, {0}};

static const struct argp argp = {.options = rows,
    .parser = parse,
    .args_doc = "[list]\nshow SHA256\ndrop SHA256",
    .doc = "The copies of files that the engine mef has kept for those who "
	   "label them.\vA SHA256 may be cut short.  show prints where the "
	   "octets are, and all that is known of them, as JSON.\n"
	   "Exit status: 2 no such file."};

int
model_archive(int argc, char **argv)
{
	struct options o = {.verb = VERB_LIST};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	if (o.directory)
		return run(&o, o.directory);
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	status = strcmp(conf->mef.archive, "none") == 0
		     ? util_fail(STATUS_USAGE, argv[0],
			   "mef.archive is none: nothing is kept")
		     : run(&o, conf->mef.archive);
	(void)conf_free(conf);
	return status;
}
