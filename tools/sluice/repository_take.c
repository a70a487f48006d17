/*
 * tools/sluice/repository_take.c - `sluice model repository receive`: check
 * parcels of sites, and keep what they have.
 *
 * All of a parcel is checked before anything of it is kept; what is kept can
 * be kept again, so a crash loses nothing: receive it once more.
 */
#include "tools/sluice/repository.h"

#include "common/clock.h"
#include "common/io.h"
#include "common/pem.h"
#include "tools/sluice/mail_find.h"
#include "tools/sluice/model_progress.h"
#include "tools/sluice/put.h"
#include "tools/sluice/sample_meta.h"
#include "worker/mef/parcel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PUBLIC_END ".pub"

/* Of samples/SHA256.json, as repository_samples.c reads it. */
#define ABOUT_MAX ((size_t)1 << 20)

struct receive_options {
	struct repository_options repository; /* first */
	char **files;
	int n_files;
};

/* Sites that may send. */
struct senders {
	struct signature_key *keys;
	char **names;
	size_t n;
};

/* One parcel, open. */
struct taking {
	const struct repository *repository;
	const char *path;
	const char *sender;
	uint64_t now_usec;
	char parcel[DIGEST_HEX]; /* SHA-256 of its payload: which it is */
	const unsigned char *at; /* mapped; NULL while it is not */
	size_t n;
	size_t files, new, bytes;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct receive_options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARGS:
		o->files = state->argv + state->next;
		o->n_files = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (o->n_files == 0)
			argp_error(state, "which parcels?");
		return 0;
	default:
		return repository_option(key, arg, &o->repository);
	}
}

static const struct argp argp = {
    .options = (const struct argp_option[]){OPTION_DIRECTORY, OPTION_JSON, {0}},
    .parser = parse,
    .args_doc = "PARCEL...",
    .doc = "Check parcels of sites, decrypt them and keep their files.\v"
	   "A file that is a mail is searched for an enclosed parcel; - is "
	   "standard input.  A parcel is taken if a key in senders/ has signed "
	   "it, whole or not at all.  Exit status 1: one was refused."};

static int
add_sender(
    struct senders *s, const struct repository *repository, const char *name)
{
	const size_t n = strlen(name), end = strlen(PUBLIC_END);
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/senders/%s", repository->path, name);
	struct signature_key key;
	char err[400] = "";

	if (*name == '.' || n <= end || strcmp(name + n - end, PUBLIC_END) != 0)
		return STATUS_FINE;
	if (signature_key_read(path, &key, err, sizeof(err)) < 0)
		return util_fail(STATUS_USAGE, repository->command, "%s", err);
	s->keys = realloc(s->keys, (s->n + 1) * sizeof(*s->keys));
	s->names = realloc(s->names, (s->n + 1) * sizeof(*s->names));
	if (!s->keys || !s->names)
		abort();
	s->keys[s->n] = key;
	s->names[s->n++] = xasprintf("%.*s", (int)(n - end), name);
	return STATUS_FINE;
}

static int
read_senders(const struct repository *repository, struct senders *ret)
{
	CLEANUP(free_ptr) char *path = repository_path(repository, "senders");
	DIR *dir = opendir(path);
	int status = STATUS_FINE;
	struct dirent *entry;

	if (!dir)
		return util_fail(STATUS_SYSTEM, repository->command, "%s: %s",
		    path, strerror(errno));
	while (status == STATUS_FINE && (entry = readdir(dir)) != NULL)
		status = add_sender(ret, repository, entry->d_name);
	(void)closedir(dir);
	if (status == STATUS_FINE && ret->n == 0)
		status = util_fail(STATUS_USAGE, repository->command,
		    "%s: nobody may send; put a site's public key there, as "
		    "NAME.pub",
		    path);
	return status;
}

static void
senders_done(struct senders *senders)
{
	for (size_t i = 0; i < senders->n; i++)
		free(senders->names[i]);
	free(senders->names);
	free(senders->keys);
}

/* A file without a name, on the disk of the repository. */
static int
open_plain(const struct repository *repository)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/.plain.XXXXXX", repository->path);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)unlink(path);
	return fd;
}

/* What the file, or the mail, has, decrypted and mapped. */
static int
open_parcel(struct taking *t, const struct senders *senders,
    const struct sealed_key *private, char *err, size_t err_size)
{
	const struct mef_addressee us = {*private, senders->keys, senders->n};
	CLEANUP(close_fd) int plain = open_plain(t->repository);
	CLEANUP(close_fd) int fd = -1;
	struct mef_parcel_head head;
	struct stat st;
	size_t sender = 0;
	void *at;
	int r;

	r = mail_or_file(
	    t->path, MEF_PARCEL_MAGIC, MEF_PARCEL_MAX, &fd, err, err_size);
	if (r == 0)
		r = plain < 0 ? plain
			      : mef_parcel_open(fd, &us, plain, &sender, &head,
				    err, err_size);
	if (r == 0 && fstat(plain, &st) < 0)
		r = -errno;
	if (r < 0)
		return r;
	t->sender = senders->names[sender];
	(void)digest_hex(&head.payload, t->parcel);
	t->at = (const unsigned char *)"";
	t->n = 0;
	if (st.st_size == 0)
		return 0;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, plain, 0);
	if (at == MAP_FAILED)
		return -errno;
	t->at = at;
	t->n = (size_t)st.st_size;
	return 0;
}

static void
close_parcel(struct taking *t)
{
	if (t->n > 0)
		(void)munmap((void *)(uintptr_t)t->at, t->n);
}

/* Is every file of it as it should be? */
static int
check_all(const struct taking *t, char *err, size_t err_size)
{
	struct mef_unpacking u = {.at = t->at, .n = t->n};
	struct mef_packed file;
	int r;

	while ((r = mef_parcel_next(&u, &file, err, err_size)) == 0) {
		json_t *meta =
		    sample_meta(file.meta, file.n_meta, true, err, err_size);

		if (!meta)
			return -EBADMSG;
		json_decref(meta);
	}
	return r == -ENOENT ? 0 : r;
}

/* What is known of the sample already, or a new object. */
static int
read_about(
    const struct taking *t, const char *name, size_t n_octets, json_t **ret)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t n = 0;
	const int r =
	    read_file(t->repository->samples, name, ABOUT_MAX, &text, &n);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret = r < 0 ? json_pack(
			   "{sI s[]}", "bytes", (json_int_t)n_octets, "reports")
		     : json_loadb(text, n, 0, NULL);
	if (json_is_array(json_object_get(*ret, "reports")))
		return 0;
	json_decref(*ret);
	return -EUCLEAN;
}

static bool
has_report(const json_t *reports, const char *parcel)
{
	const json_t *report;
	size_t i;

	json_array_foreach (reports, i, report)
		if (strcmp(util_json_get(report, "parcel"), parcel) == 0)
			return true;
	return false;
}

/* false: it is there already. */
static bool
add_report(const struct taking *t, json_t *about, json_t *meta)
{
	json_t *reports = json_object_get(about, "reports");

	if (has_report(reports, t->parcel)) {
		json_decref(meta);
		return false;
	}
	if (json_array_size(reports) < SAMPLE_REPORTS) {
		(void)json_array_append_new(
		    reports, json_pack("{ss sI ss so}", "sender", t->sender,
				 "usec", (json_int_t)t->now_usec, "parcel",
				 t->parcel, "meta", meta));
		return true;
	}
	json_decref(meta);
	(void)json_object_set_new(about, "more",
	    json_integer(
		json_integer_value(json_object_get(about, "more")) + 1));
	return true;
}

static int
put_octets(const struct taking *t, const char *hex,
    const struct mef_packed *file, bool *ret_is_new)
{
	*ret_is_new = faccessat(t->repository->samples, hex, F_OK, 0) < 0;
	return *ret_is_new ? put_file(t->repository->samples, hex, 0600,
				 file->octets, file->n)
			   : 0;
}

static int
keep(struct taking *t, const struct mef_packed *file)
{
	char hex[DIGEST_HEX], err[100];
	CLEANUP(free_ptr)
	char *name = xasprintf("%s.json", digest_hex(&file->digest, hex));
	json_t *about = NULL;
	bool is_new = false;
	char *text;
	int r = read_about(t, name, file->n, &about);

	if (r < 0)
		return r;
	r = put_octets(t, hex, file, &is_new);
	if (r == 0 && add_report(t, about,
			  sample_meta(file->meta, file->n_meta, true, err,
			      sizeof(err)))) {
		text = json_dumps(about, JSON_COMPACT);
		r = put_file(
		    t->repository->samples, name, 0600, text, strlen(text));
		free(text);
	}
	json_decref(about);
	t->new += is_new;
	return r;
}

static int
keep_all(struct taking *t)
{
	struct mef_unpacking u = {.at = t->at, .n = t->n};
	struct mef_packed file;
	char err[200];
	int r = 0;

	while (r == 0 && mef_parcel_next(&u, &file, err, sizeof(err)) == 0) {
		progress("bytes", t->n - u.n, t->n);
		t->files++;
		t->bytes += file.n;
		r = keep(t, &file);
	}
	return r;
}

static void
tell(const struct taking *t, bool json)
{
	if (json)
		util_json_line(stdout,
		    json_pack("{ss ss ss sI sI sI}", "parcel", t->path,
			"sender", t->sender, "sha256", t->parcel, "files",
			(json_int_t)t->files, "new", (json_int_t)t->new,
			"bytes", (json_int_t)t->bytes));
	else
		(void)printf("%s: %zu files of %s, %zu of them new\n", t->path,
		    t->files, t->sender, t->new);
}

/* The parcel is wrong, or the system is. */
static int
status_of(int r)
{
	return r == -EBADMSG || r == -EKEYREJECTED || r == -EFBIG
		   ? STATUS_BAD
		   : STATUS_SYSTEM;
}

static int
receive_one(const struct repository *repository, const char *path,
    const struct senders *senders, const struct sealed_key *private, bool json)
{
	struct taking t = {.repository = repository,
	    .path = path,
	    .now_usec = wall_now().usec};
	char err[400] = "";
	int r = open_parcel(&t, senders, private, err, sizeof(err));

	if (r == 0)
		r = check_all(&t, err, sizeof(err));
	if (r < 0)
		r = util_fail(status_of(r), repository->command,
		    "%s is refused: %s", path, *err ? err : strerror(-r));
	else {
		r = keep_all(&t);
		if (r < 0)
			r = util_fail(STATUS_SYSTEM, repository->command,
			    "%s: %s; receive it again when that is mended",
			    path, strerror(-r));
		else
			tell(&t, json);
	}
	close_parcel(&t);
	return r;
}

static int
receive_all(
    const struct repository *repository, const struct receive_options *o)
{
	CLEANUP(free_ptr) char *path = repository_path(repository, "keys/open");
	struct senders senders = {NULL, NULL, 0};
	struct sealed_key private;
	char err[400] = "";
	int status = read_senders(repository, &senders);

	if (status == STATUS_FINE &&
	    pem_private(path, PEM_X25519, private.bytes, err, sizeof(err)) < 0)
		status =
		    util_fail(STATUS_USAGE, repository->command, "%s", err);
	if (status == STATUS_FINE)
		for (int i = 0; i < o->n_files; i++) {
			const int one = receive_one(repository, o->files[i],
			    &senders, &private, o->repository.common.json);

			if (one > status)
				status = one;
		}
	explicit_bzero(&private, sizeof(private));
	senders_done(&senders);
	return status;
}

int
repository_receive(int argc, char **argv)
{
	struct receive_options o = {.files = NULL};
	struct repository repository;
	int status;

	util_parse(&argp, argc, argv, &o);
	status = repository_open(&o.repository, true, argv[0], &repository);
	if (status == STATUS_FINE)
		status = receive_all(&repository, &o);
	repository_done(&repository);
	return status;
}
