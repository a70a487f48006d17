/*
 * tools/sluice/model_update.c - what sub-commands of updates share.
 */
#include "tools/sluice/model_update.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/command.h"
#include "tools/sluice/model_progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void
add_key(struct update_options *o, const char *path)
{
	const char **keys = xcalloc(o->n_keys + 1, sizeof(*keys)); /* a few */

	for (size_t i = 0; i < o->n_keys; i++)
		keys[i] = o->keys[i];
	keys[o->n_keys++] = path;
	free(o->keys);
	o->keys = keys;
}

error_t
update_option(int key, char *arg, struct argp_state *state)
{
	struct update_options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case 'm':
		o->model = arg;
		return 0;
	case 's':
		o->private = arg;
		return 0;
	case 'w':
		o->is_whole = true;
		return 0;
	case 'M':
		o->is_mail = true;
		return 0;
	case 'k':
		add_key(o, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (o->n_files == ARRAY_SIZE(o->files))
			argp_error(state, "%s: one file too many", arg);
		o->files[o->n_files++] = arg;
		return 0;
	default:
		return util_common_option(key, arg, &o->common);
	}
}

/* The keys of a list of paths, or none of them. */
static int
read_keys(const char *command, char **paths, size_t n, struct update_site *s)
{
	char err[500];

	s->keys = xcalloc(n + 1, sizeof(*s->keys));
	for (size_t i = 0; i < n; i++)
		if (signature_key_read(
			paths[i], &s->keys[i], err, sizeof(err)) < 0)
			return util_fail(STATUS_USAGE, command, "%s", err);
	s->site.keys = s->keys;
	s->site.n_keys = n;
	return STATUS_FINE;
}

static int
read_conf_keys(const char *command, const char *list, struct update_site *s)
{
	CLEANUP(free_ptr) char *copy = xstrdup(list);
	CLEANUP(free_ptr)
	char **paths = xcalloc(strlen(list) / 2 + 1, sizeof(*paths));
	char *rest = copy, *path;
	size_t n = 0;

	while ((path = strsep(&rest, " ")) != NULL)
		if (*path && strcmp(path, "none") != 0)
			paths[n++] = path;
	if (n == 0)
		return util_fail(STATUS_USAGE, command,
		    "no key is trusted; name the repository's public key in "
		    "mef.keys, or by -k FILE");
	return read_keys(command, paths, n, s);
}

static int
read_given_keys(
    const struct update_options *o, const char *command, struct update_site *s)
{
	CLEANUP(free_ptr)
	char **paths = xcalloc(o->n_keys + 1, sizeof(*paths));
	int status;

	for (size_t i = 0; i < o->n_keys; i++)
		paths[i] = xstrdup(o->keys[i]);
	status = read_keys(command, paths, o->n_keys, s);
	for (size_t i = 0; i < o->n_keys; i++)
		free(paths[i]);
	return status;
}

int
update_site_open(const struct update_options *options, const char *command,
    struct update_site *ret_site)
{
	struct conf *conf = NULL;
	int status = STATUS_FINE;

	*ret_site = (struct update_site){.keys = NULL};
	/* Who says both needs no configuration, as a repository has none. */
	if (!options->model || options->n_keys == 0) {
		conf = util_conf(&options->common, &status);
		if (!conf)
			return status;
		if (strcmp(conf->mef.url, "none") != 0)
			ret_site->url = xstrdup(conf->mef.url);
	}
	ret_site->model =
	    xstrdup(options->model ? options->model : conf->mef.model);
	ret_site->site.model = ret_site->model;
	ret_site->site.listener = update_progress("chunks");
	status = options->n_keys > 0
		     ? read_given_keys(options, command, ret_site)
		     : read_conf_keys(command, conf->mef.keys, ret_site);
	(void)conf_free(conf);
	return status;
}

void
update_site_done(struct update_site *site)
{
	free(site->keys);
	free(site->model);
	free(site->url);
}

struct mef_update *
update_read(const char *command, const char *path, int *ret_status)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct mef_update *update = NULL;
	char err[300] = "";
	int r =
	    fd < 0 ? -errno : mef_update_read(fd, &update, err, sizeof(err));

	if (r < 0)
		*ret_status =
		    util_fail(r == -EBADMSG ? STATUS_BAD : STATUS_SYSTEM,
			command, "%s: %s", path, *err ? err : strerror(-r));
	return update;
}

bool
update_is_one(const char *path)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[8];

	return fd >= 0 && pread_all(fd, magic, sizeof(magic), 0) == 0 &&
	       memcmp(magic, MEF_UPDATE_MAGIC, sizeof(magic)) == 0;
}

int
update_save(
    const char *command, const char *path, const struct mef_update *update)
{
	CLEANUP(free_ptr) char *fresh = xasprintf("%s.XXXXXX", path);
	CLEANUP(close_fd) int fd = mkostemp(fresh, O_CLOEXEC);
	int r = fd < 0 ? -errno : mef_update_write(update, fd);

	/* It is for others: whoever made it says with whom it is shared. */
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r == 0)
		return STATUS_FINE;
	if (fd >= 0)
		(void)unlink(fresh);
	return util_fail(STATUS_SYSTEM, command, "%s: %s", path, strerror(-r));
}

static json_t *
side_json(const struct mef_update_side *side)
{
	char hex[DIGEST_HEX];

	return json_pack("{sI sI sI sI sI ss}", "release",
	    (json_int_t)side->release, "file_bytes",
	    (json_int_t)side->file_bytes, "malicious",
	    (json_int_t)side->n_documents[MEF_MALICIOUS], "benign",
	    (json_int_t)side->n_documents[MEF_BENIGN], "known",
	    (json_int_t)side->n_known, "sha256", digest_hex(&side->file, hex));
}

static void
print_side(const char *what, const struct mef_update_side *side)
{
	char hex[DIGEST_HEX];

	(void)printf("%-9s release %llu, %llu octets, %llu malicious and %llu "
		     "benign documents\n%-9s SHA-256 %s\n",
	    what, (unsigned long long)side->release,
	    (unsigned long long)side->file_bytes,
	    (unsigned long long)side->n_documents[MEF_MALICIOUS],
	    (unsigned long long)side->n_documents[MEF_BENIGN], "",
	    digest_hex(&side->file, hex));
}

static void
print_text(const char *path, const struct mef_update *update, const char *key)
{
	const struct mef_update_head *h = mef_update_head(update);

	(void)printf("%-9s %s\n%-9s %llu octets, %.2f %% of the model\n",
	    "update", path, "payload", (unsigned long long)h->payload_bytes,
	    100 * (double)h->payload_bytes / (double)h->to.file_bytes);
	if (mef_update_is_whole(update))
		(void)printf("%-9s any model, or none\n", "from");
	else
		print_side("from", &h->from);
	print_side("to", &h->to);
	(void)printf("%-9s %s\n", "key", *key ? key : "not signed");
}

void
update_print(const char *path, const struct mef_update *update, bool json)
{
	const struct mef_update_head *h = mef_update_head(update);
	char key[DIGEST_HEX];
	struct digest raw;

	memcpy(&raw, &h->key, sizeof(raw)); /* printed as a digest is */
	(void)digest_hex(&raw, key);
	if (strspn(key, "0") == strlen(key))
		*key = '\0';
	if (!json) {
		print_text(path, update, key);
		return;
	}
	util_json_line(stdout,
	    json_pack("{ss si sb sI ss so so}", "update", path, "format",
		(int)h->format, "whole", mef_update_is_whole(update),
		"payload_bytes", (json_int_t)h->payload_bytes, "key", key,
		"from", side_json(&h->from), "to", side_json(&h->to)));
}

static void
tell(void *arg, uint64_t done, uint64_t total)
{
	progress(arg, done, total);
}

struct mef_listener
update_progress(const char *what)
{
	return (struct mef_listener){tell, (void *)(uintptr_t)what};
}
