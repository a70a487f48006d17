/*
 * tools/sluice/submit.c - `sluice model submit`: pack what the archive has
 * for the repository.
 */
#include "tools/sluice/model.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/pem.h"
#include "tools/sluice/model_progress.h"
#include "tools/sluice/submit_files.h"
#include "tools/sluice/submit_memory.h"
#include "tools/sluice/submit_spread.h"
#include "worker/mef/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* In base64 below what most mail servers take. */
#define LIMIT_BYTES (UINT64_C(16) << 20)

enum { KEY_AGAIN = 256, KEY_LIMIT, KEY_NO_NAMES };

struct submit_options {
	struct common_options common;
	const char *output;
	char *archive, *repository, *identity; /* own */
	uint64_t limit_bytes;
	bool is_dry, is_again, is_nameless;
};

struct submit {
	const struct submit_options *options;
	const char *command;
	struct submit_files files;
	struct submit_memory *memory;
	struct mef_packer *packer; /* NULL: nothing is packed */
	uint64_t bytes;            /* of the files that go */
	size_t packed, left, skipped;
	json_t *spread; /* by SHA-256; NULL: no ledger was looked for */
};

static uint64_t
parse_limit(struct argp_state *state, const char *arg)
{
	char *end;
	const unsigned long long mib = strtoull(arg, &end, 10);

	if (*end || mib == 0 || mib > MEF_PARCEL_MAX >> 20)
		argp_error(state, "%s: write a number of MiB from 1 to %ju",
		    arg, (uintmax_t)(MEF_PARCEL_MAX >> 20));
	return mib << 20;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct submit_options *o = state->input;

	switch (key) {
	case 'a':
		o->archive = xstrdup(arg);
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case 'r':
		o->repository = xstrdup(arg);
		return 0;
	case 'i':
		o->identity = xstrdup(arg);
		return 0;
	case 'n':
		o->is_dry = true;
		return 0;
	case KEY_AGAIN:
		o->is_again = true;
		return 0;
	case KEY_LIMIT:
		o->limit_bytes = parse_limit(state, arg);
		return 0;
	case KEY_NO_NAMES:
		o->is_nameless = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: nothing is taken but options", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->output && !o->is_dry)
			argp_error(state, "where to? give -o PARCEL");
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

static const struct argp_option rows[] = {OPTION_CONF, OPTION_JSON,
    {"archive", 'a', "DIR", 0, "of this archive instead of mef.archive", 0},
    {"output", 'o', "PARCEL", 0, "write the parcel to this file", 0},
    {"repository", 'r', "PUBLIC", 0,
	"encrypt to this X25519 key instead of mef.repository", 0},
    {"identity", 'i', "PRIVATE", 0,
	"sign with this Ed25519 key instead of mef.identity", 0},
    {"limit", KEY_LIMIT, "MIB", 0,
	"stop before the parcel has more than that (16)", 0},
    {"no-names", KEY_NO_NAMES, NULL, 0, "without the names of files", 0},
    {"again", KEY_AGAIN, NULL, 0, "also what was packed before", 0},
    {"dry-run", 'n', NULL, 0, "show what would go, and its metadata", 0}, {0}};

static const struct argp argp = {.options = rows,
    .parser = parse,
    .args_doc = "-o PARCEL",
    .doc =
	"Pack the files that the archive has for the repository, so that "
	"experts label them.\v"
	"A parcel is encrypted to the repository and signed by this site; send "
	"it however you like.  With each file go its names, its score, the "
	"model's digest and how far it has spread; no address and no mail.  "
	"What was packed once is not packed again, while ARCHIVE.submitted "
	"says so.  There being nothing new is fine, and makes no parcel."};

/* Archive and keys, by options or configuration; *ret_conf NULL: none was
 * asked. */
static int
find_all(struct submit_options *o, const char *command, struct conf **ret_conf)
{
	const bool has_keys = o->repository && o->identity;
	struct conf *conf = NULL;
	int status = STATUS_FINE;

	if (o->archive && (o->is_dry || has_keys) && !o->common.conf_path)
		return STATUS_FINE;
	conf = util_conf(&o->common, &status);
	if (!conf)
		return status;
	*ret_conf = conf;
	if (!o->archive)
		o->archive = xstrdup(conf->mef.archive);
	if (strcmp(o->archive, "none") == 0)
		return util_fail(STATUS_USAGE, command,
		    "of what? the configuration says that no archive is kept "
		    "(mef.archive)");
	if (!o->repository)
		o->repository = xstrdup(conf->mef.repository);
	if (!o->identity)
		o->identity = xstrdup(conf->mef.identity);
	if (o->is_dry)
		return STATUS_FINE;
	if (strcmp(o->repository, "none") == 0)
		return util_fail(STATUS_USAGE, command,
		    "to whom? name the repository's public key in "
		    "mef.repository, or by -r FILE");
	if (strcmp(o->identity, "none") == 0)
		return util_fail(STATUS_USAGE, command,
		    "from whom? name this site's private key in mef.identity, "
		    "or by -i FILE");
	return STATUS_FINE;
}

static int
open_all(struct submit *s)
{
	const char *archive = s->options->archive;
	const uint64_t now_sec = wall_now().usec / USEC_PER_SEC;
	int r = submit_files_read(archive, &s->files);

	if (r < 0)
		return util_fail(
		    STATUS_SYSTEM, s->command, "%s: %s", archive, strerror(-r));
	r = submit_memory_open(archive, now_sec, &s->memory);
	if (r == 0)
		return STATUS_FINE;
	return util_fail(STATUS_SYSTEM, s->command, "%s.submitted: %s", archive,
	    r == -EBUSY     ? "another one submits; try again later"
	    : r == -EBADMSG ? "a line of it is no digest and time; mend it, or "
			      "remove it to send all again"
			    : strerror(-r));
}

static void
show(const struct submit *s, const struct digest *digest,
    const struct submit_file *file)
{
	char hex[DIGEST_HEX];
	json_t *line;

	if (s->options->common.json) {
		line = json_pack("{ss}", "sha256", digest_hex(digest, hex));
		(void)json_object_update(line, file->meta);
		util_json_line(stdout, line);
		return;
	}
	(void)printf("%s  %zu octets, %.2f %% malicious\n",
	    digest_hex(digest, hex), file->n,
	    100 *
		json_number_value(json_object_get(file->meta, "p_malicious")));
}

/* Pack it.  *ret_is_full: it must wait for the next parcel. */
static int
pack(struct submit *s, const struct digest *digest,
    const struct submit_file *file, bool *ret_is_full)
{
	CLEANUP(free_ptr) char *meta = json_dumps(file->meta, JSON_COMPACT);
	const size_t n_meta = strlen(meta);
	/* One that is alone may be larger. */
	const uint64_t most =
	    s->packed > 0 ? s->options->limit_bytes : MEF_PARCEL_MAX;
	int r;

	*ret_is_full = mef_packer_is_full(s->packer, n_meta, file->n, most);
	if (*ret_is_full)
		return STATUS_FINE;
	r = mef_packer_add(
	    s->packer, digest, meta, n_meta, file->octets, file->n);
	return r == 0 ? STATUS_FINE
		      : util_fail(STATUS_SYSTEM, s->command, "%s: %s",
			    s->options->output, strerror(-r));
}

static int
take_one(struct submit *s, const struct digest *digest, bool *ret_is_full)
{
	struct submit_file file = {.meta = NULL};
	char hex[DIGEST_HEX], err[200] = "";
	int r, status = STATUS_FINE;

	r = submit_file_read(&s->files, digest, MEF_PARCEL_FILE_MAX,
	    !s->options->is_nameless, &file, err, sizeof(err));
	if (r == -ENOENT) /* grown old meanwhile */
		return STATUS_FINE;
	if (r < 0) {
		s->skipped++;
		(void)util_fail(0, s->command, "%s/%s is left out: %s",
		    s->options->archive, digest_hex(digest, hex), err);
		return STATUS_FINE;
	}
	if (json_object_get(s->spread, digest_hex(digest, hex)))
		(void)json_object_set(
		    file.meta, "spread", json_object_get(s->spread, hex));
	if (s->packer)
		status = pack(s, digest, &file, ret_is_full);
	else
		show(s, digest, &file);
	if (status == STATUS_FINE && !*ret_is_full) {
		s->packed++;
		s->bytes += file.n;
		submit_memory_add(s->memory, digest);
	}
	submit_file_done(&file);
	return status;
}

static int
take_all(struct submit *s)
{
	bool is_full = false;
	int status = STATUS_FINE;

	for (size_t i = 0; status == STATUS_FINE && i < s->files.n; i++) {
		const struct digest *digest = &s->files.at[i];

		progress("packing", i + 1, s->files.n);
		if (!s->options->is_again &&
		    submit_memory_has(s->memory, digest))
			continue;
		if (!is_full)
			status = take_one(s, digest, &is_full);
		s->left += is_full;
	}
	return status;
}

static void
tell(const struct submit *s)
{
	const struct submit_options *o = s->options;

	if (o->common.json) {
		util_json_line(stdout,
		    json_pack("{ss* sI sI sI sI}", "parcel",
			s->packed > 0 && !o->is_dry ? o->output : NULL, "files",
			(json_int_t)s->packed, "bytes", (json_int_t)s->bytes,
			"left", (json_int_t)s->left, "skipped",
			(json_int_t)s->skipped));
		return;
	}
	if (s->packed == 0)
		(void)printf("nothing new\n");
	else
		(void)printf("%s: %zu files, %ju octets%s\n",
		    o->is_dry ? "would go" : o->output, s->packed,
		    (uintmax_t)s->bytes,
		    s->left > 0 ? "; more wait for the next parcel" : "");
}

/* Fill the parcel, then put it in place, then remember: a crash may send twice
 * and never not at all. */
static int
fill(struct submit *s, const char *fresh)
{
	const char *output = s->options->output;
	char err[400] = "";
	int r, status = take_all(s);

	if (status != STATUS_FINE || s->packed == 0)
		return status;
	if (mef_packer_end(s->packer, err, sizeof(err)) < 0)
		return util_fail(
		    STATUS_SYSTEM, s->command, "%s: %s", output, err);
	if (rename(fresh, output) < 0)
		return util_fail(STATUS_SYSTEM, s->command, "%s: %s", output,
		    strerror(errno));
	r = submit_memory_keep(s->memory);
	return r == 0
		   ? STATUS_FINE
		   : util_fail(STATUS_SYSTEM, s->command,
			 "%s is made, but %s: %s; what it has will be "
			 "packed again",
			 output, submit_memory_path(s->memory), strerror(-r));
}

static int
make_parcel(struct submit *s)
{
	const struct submit_options *o = s->options;
	CLEANUP(free_ptr) char *fresh = xasprintf("%s.XXXXXX", o->output);
	CLEANUP(close_fd) int fd = -1;
	struct sealed_key to;
	char err[400] = "";
	int status;

	if (pem_public(o->repository, PEM_X25519, to.bytes, err, sizeof(err)) <
	    0)
		return util_fail(STATUS_USAGE, s->command, "%s", err);
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return util_fail(STATUS_SYSTEM, s->command, "%s: %s", o->output,
		    strerror(errno));
	if (mef_packer_new(fd, &to, o->identity, &s->packer, err, sizeof(err)) <
	    0)
		status = util_fail(STATUS_USAGE, s->command, "%s", err);
	else
		status = fill(s, fresh);
	(void)unlink(fresh); /* in place, or not wanted */
	return status;
}

int
model_submit(int argc, char **argv)
{
	struct submit_options o = {.limit_bytes = LIMIT_BYTES};
	struct submit s = {.options = &o, .command = argv[0]};
	struct conf *conf = NULL;
	int status;

	util_parse(&argp, argc, argv, &o);
	status = find_all(&o, argv[0], &conf);
	if (status == STATUS_FINE)
		status = open_all(&s);
	if (status == STATUS_FINE && conf)
		s.spread = submit_spread(conf, argv[0], &s.files);
	if (status == STATUS_FINE)
		status = o.is_dry ? take_all(&s) : make_parcel(&s);
	if (status == STATUS_FINE)
		tell(&s);
	(void)mef_packer_free(s.packer);
	(void)submit_memory_free(s.memory);
	submit_files_done(&s.files);
	json_decref(s.spread);
	(void)conf_free(conf);
	free(o.archive);
	free(o.repository);
	free(o.identity);
	return status;
}
