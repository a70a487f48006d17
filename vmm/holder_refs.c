/*
 * The references: which are there, which were built anew.
 */
#include "vmm/holder_priv.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/digest.h"
#include "common/io.h"
#include "common/log.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Written last when a reference is built (vmm/manifest.h). */
#define MANIFEST     "manifest.json"
#define MANIFEST_MAX ((size_t)1 << 20)

void
holder_name_refs(struct holder *holder)
{
	CLEANUP(free_ptr)
	char *words = xstrdup(holder->parts.conf->vm.references);
	char *save = NULL;

	for (char *word = strtok_r(words, " ", &save);
	     word && holder->n_refs < ASK_REFERENCES_MAX;
	     word = strtok_r(NULL, " ", &save)) {
		struct holder_ref *ref = &holder->refs[holder->n_refs++];

		(void)snprintf(ref->name, sizeof(ref->name), "%s", word);
	}
}

static struct holder_file
file_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct holder_file){0};
	return (struct holder_file){.inode = st.st_ino,
	    .mtime_nsec = (uint64_t)st.st_mtim.tv_sec * 1000000000u +
			  (uint64_t)st.st_mtim.tv_nsec,
	    .bytes = (uint64_t)st.st_size};
}

static int
digest_of(const char *path, char *ret, size_t size)
{
	CLEANUP(free_ptr) char *text = NULL;
	struct digest digest;
	char hex[DIGEST_HEX];
	size_t len;
	int r = read_file(AT_FDCWD, path, MANIFEST_MAX, &text, &len);

	if (r < 0)
		return r;
	digest = digest_memory(text, len);
	(void)snprintf(ret, size, "%s", digest_hex(&digest, hex));
	return 0;
}

static void
close_ref(struct holder *h, struct holder_ref *ref, struct mono now)
{
	log_warn("reference name=%s: %s", ref->name, ref->why);
	if (ref->is_open)
		pool_drop(h->pool, ref->name, ref->why, now);
	ref->is_open = false;
}

static void
open_ref(struct holder *h, struct holder_ref *ref, const char *manifest,
    struct mono now)
{
	const struct vmm_options options = {
	    .state = h->parts.conf->vm.directory, .reference = ref->name};
	struct mono start = mono_now();
	struct vmm *vmm = NULL;
	int r = digest_of(manifest, ref->digest, sizeof(ref->digest));

	(void)snprintf(ref->why, sizeof(ref->why), "%s: %s", manifest,
	    strerror(r < 0 ? -r : 0));
	if (r == 0)
		r = h->parts.ops->open(
		    &options, &vmm, ref->why, sizeof(ref->why));
	if (r < 0) {
		close_ref(h, ref, now);
		return;
	}
	log_info("reference name=%s digest=%.16s open_usec=%llu: %s", ref->name,
	    ref->digest, (unsigned long long)mono_span(start, mono_now()),
	    ref->is_open ? "built anew" : "open");
	pool_add(h->pool, ref->name, ref->digest,
	    (uint32_t)h->parts.conf->vm.ready, h->parts.ops, vmm, mono_now());
	ref->is_open = true;
	ref->why[0] = '\0';
}

static bool
look_at(struct holder *h, struct holder_ref *ref, struct mono now)
{
	CLEANUP(free_ptr)
	char *path = xasprintf(
	    "%s/%s/" MANIFEST, h->parts.conf->vm.directory, ref->name);
	struct holder_file file = file_of(path);

	if (memcmp(&file, &ref->file, sizeof(file)) == 0 && ref->file.inode)
		return false;
	if (file.inode == 0 && !ref->is_open && ref->why[0])
		return false; /* said already */
	ref->file = file;
	if (file.inode == 0) {
		(void)snprintf(ref->why, sizeof(ref->why),
		    "not built; sluice vm reference build %s makes it",
		    ref->name);
		close_ref(h, ref, now);
	} else {
		open_ref(h, ref, path, now);
	}
	return true;
}

bool
holder_look(struct holder *holder, struct mono now)
{
	bool news = false;

	for (size_t i = 0; i < holder->n_refs && holder->parts.ops; i++)
		news |= look_at(holder, &holder->refs[i], now);
	return news;
}

void
holder_tell_refs(const struct holder *holder, struct ask_clones *ret)
{
	const struct vmm_ops *ops = holder->parts.ops;

	(void)snprintf(
	    ret->backend, sizeof(ret->backend), "%s", ops ? ops->name : "");
	if (!ops)
		(void)snprintf(
		    ret->text, sizeof(ret->text), "%s", holder->parts.why);
	else
		(void)snprintf(ret->how, sizeof(ret->how), "%.*s",
		    (int)sizeof(ret->how) - 1, holder->parts.why);
	for (size_t i = 0; i < holder->n_refs; i++) {
		const struct holder_ref *ref = &holder->refs[i];
		struct ask_reference *to = &ret->references[ret->n_references];

		if (!ref->is_open) {
			if (!ret->text[0])
				(void)snprintf(ret->text, sizeof(ret->text),
				    "%s: %.100s", ref->name, ref->why);
			continue;
		}
		memcpy(to->name, ref->name, sizeof(to->name));
		memcpy(to->digest, ref->digest, sizeof(to->digest));
		ret->n_references++;
	}
}
