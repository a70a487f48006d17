#include "vmm/manifest.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* What may come of the recipe's list. */
#define PACKAGES_MAX (128u << 10)

static const char *const names[MANIFEST_FILES] = {
    [MANIFEST_KERNEL] = "kernel",
    [MANIFEST_INITRD] = "initrd",
    [MANIFEST_DISK] = "disk",
    [MANIFEST_RAM] = "ram",
    [MANIFEST_STATE] = "state",
};

/* Strings that must be there, and their room. */
#define TEXT(name) \
	{ \
#name, offsetof(struct manifest, name), \
		    sizeof(((struct manifest *)0)->name) \
	}
static const struct {
	const char *key;
	size_t at, room;
} texts[] = {TEXT(reference), TEXT(backend), TEXT(hypervisor), TEXT(accel),
    TEXT(machine), TEXT(recipe)};

#define NUMBER(name, most) \
	{ \
#name, offsetof(struct manifest, name), most \
	}
/* A processor's clock and a guest's memory have their bounds. */
static const struct {
	const char *key;
	size_t at;
	uint32_t most;
} numbers[] = {
    NUMBER(mailbox, 1000), NUMBER(mem_mib, 3072), NUMBER(tsc_khz, 20000000)};

const char *
manifest_file_name(enum manifest_file file)
{
	assert(file < MANIFEST_FILES);
	return names[file];
}

static int
wrong(const char *key, char *err, size_t err_size)
{
	(void)snprintf(err, err_size, "%s: %s is missing or makes no sense",
	    MANIFEST_NAME, key);
	return -EBADMSG;
}

static int
take_texts(const json_t *o, struct manifest *m, char *err, size_t err_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text =
		    json_string_value(json_object_get(o, texts[i].key));

		if (!text || strlen(text) >= texts[i].room)
			return wrong(texts[i].key, err, err_size);
		(void)strcpy((char *)m + texts[i].at, text);
	}
	return 0;
}

static int
take_numbers(const json_t *o, struct manifest *m, char *err, size_t err_size)
{
	json_int_t built = json_integer_value(json_object_get(o, "built_usec"));

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_int_t n =
		    json_integer_value(json_object_get(o, numbers[i].key));
		uint32_t value = (uint32_t)n;

		if (n < 1 || n > numbers[i].most)
			return wrong(numbers[i].key, err, err_size);
		memcpy((char *)m + numbers[i].at, &value, sizeof(value));
	}
	m->built_usec = built > 0 ? (uint64_t)built : 0;
	return 0;
}

static int
take_files(const json_t *o, struct manifest *m, char *err, size_t err_size)
{
	const json_t *files = json_object_get(o, "files");

	for (size_t i = 0; i < MANIFEST_FILES; i++) {
		const json_t *f = json_object_get(files, names[i]);
		const char *hex =
		    json_string_value(json_object_get(f, "sha256"));
		json_int_t n = json_integer_value(json_object_get(f, "bytes"));
		struct digest digest;

		if (!f)
			continue;
		if (n < 1 || !hex || digest_parse(hex, &digest) < 0)
			return wrong(names[i], err, err_size);
		m->files[i].is_there = true;
		m->files[i].bytes = (uint64_t)n;
		(void)digest_hex(&digest, m->files[i].sha256);
	}
	if (!m->files[MANIFEST_RAM].is_there ||
	    !m->files[MANIFEST_STATE].is_there ||
	    m->files[MANIFEST_RAM].bytes != (uint64_t)m->mem_mib << 20)
		return wrong("files", err, err_size);
	return 0;
}

static int
take(const json_t *o, struct manifest *m, char *err, size_t err_size)
{
	const char *packages =
	    json_string_value(json_object_get(o, "packages"));
	int r;

	if (json_integer_value(json_object_get(o, "version")) !=
	    MANIFEST_VERSION)
		return wrong("version", err, err_size);
	r = take_texts(o, m, err, err_size);
	if (r == 0)
		r = take_numbers(o, m, err, err_size);
	if (r == 0)
		r = take_files(o, m, err, err_size);
	if (r == 0 && packages)
		m->packages = xstrdup(packages);
	return r;
}

int
manifest_read(int dirfd, struct manifest *ret, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	CLEANUP(json_decrefp) json_t *o = NULL;
	struct manifest m = {.mem_mib = 0};
	json_error_t error;
	size_t n;
	int r = read_file(dirfd, MANIFEST_NAME, MANIFEST_MAX, &text, &n);

	if (r < 0) {
		(void)snprintf(
		    err, err_size, "%s: %s", MANIFEST_NAME, strerror(-r));
		return r;
	}
	o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!o) {
		(void)snprintf(err, err_size, "%s:%d: %s", MANIFEST_NAME,
		    error.line, error.text);
		return -EBADMSG;
	}
	r = take(o, &m, err, err_size);
	if (r == 0)
		*ret = m;
	return r;
}

static json_t *
files_of(const struct manifest *m)
{
	json_t *files = json_object();

	for (size_t i = 0; i < MANIFEST_FILES; i++)
		if (m->files[i].is_there)
			(void)json_object_set_new(files, names[i],
			    json_pack("{s:I,s:s}", "bytes",
				(json_int_t)m->files[i].bytes, "sha256",
				m->files[i].sha256));
	return files;
}

static char *
text_of(const struct manifest *m)
{
	CLEANUP(json_decrefp) json_t *o = json_object();

	(void)json_object_set_new(o, "version", json_integer(MANIFEST_VERSION));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		(void)json_object_set_new(o, texts[i].key,
		    json_string((const char *)m + texts[i].at));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t n;

		memcpy(&n, (const char *)m + numbers[i].at, sizeof(n));
		(void)json_object_set_new(o, numbers[i].key, json_integer(n));
	}
	(void)json_object_set_new(
	    o, "built_usec", json_integer((json_int_t)m->built_usec));
	(void)json_object_set_new(o, "files", files_of(m));
	if (m->packages)
		(void)json_object_set_new(
		    o, "packages", json_string(m->packages));
	return json_dumps(o, JSON_INDENT(2));
}

int
manifest_write(int dirfd, const struct manifest *manifest)
{
	CLEANUP(free_ptr) char *text = text_of(manifest);
	CLEANUP(close_fd) int fd = -1;
	int r;

	if (!text)
		return -ENOMEM;
	fd = openat(dirfd, MANIFEST_NAME "~",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 &&
	    renameat(dirfd, MANIFEST_NAME "~", dirfd, MANIFEST_NAME) < 0)
		r = -errno;
	return r;
}

/* Of all of it, from its start. */
static int
measure(int fd, uint64_t *ret_bytes, char *ret_hex)
{
	struct digest digest;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	r = digest_file(fd, 0, (uint64_t)st.st_size, &digest);
	if (r < 0)
		return r;
	*ret_bytes = (uint64_t)st.st_size;
	(void)digest_hex(&digest, ret_hex);
	return 0;
}

int
manifest_add(struct manifest *manifest, int dirfd, enum manifest_file file)
{
	CLEANUP(close_fd)
	int fd = openat(dirfd, names[file], O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = measure(
	    fd, &manifest->files[file].bytes, manifest->files[file].sha256);
	manifest->files[file].is_there = r == 0;
	return r;
}

int
manifest_check(const struct manifest *manifest, enum manifest_file file, int fd,
    char *err, size_t err_size)
{
	uint64_t bytes;
	char hex[DIGEST_HEX];
	int r = measure(fd, &bytes, hex);

	if (r < 0) {
		(void)snprintf(
		    err, err_size, "%s: %s", names[file], strerror(-r));
		return r;
	}
	if (bytes == manifest->files[file].bytes &&
	    strcmp(hex, manifest->files[file].sha256) == 0)
		return 0;
	(void)snprintf(err, err_size,
	    "%s is damaged: its digest is not that of the manifest",
	    names[file]);
	return -EBADMSG;
}

/* Copy what is in a sparse file to another one; holes stay holes. */
static int
copy_sparse(int in, int out)
{
	off_t at = 0, end;

	while ((at = lseek(in, at, SEEK_DATA)) >= 0) {
		int r;

		end = lseek(in, at, SEEK_HOLE);
		if (end < 0 || lseek(out, at, SEEK_SET) < 0)
			return -errno;
		r = copy_range(in, (uint64_t)at, (uint64_t)(end - at), out);
		if (r < 0)
			return r;
		at = end;
	}
	return errno == ENXIO ? 0 : -errno;
}

int
manifest_load(const struct manifest *manifest, int dirfd,
    enum manifest_file file, int *ret_fd, char *err, size_t err_size)
{
	const char *name = names[file];
	CLEANUP(close_fd) int in = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	CLEANUP(close_fd)
	int out = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	int r = 0;

	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		r = -errno;
	else if ((uint64_t)st.st_size != manifest->files[file].bytes)
		r = -EBADMSG;
	else if (ftruncate(out, st.st_size) < 0)
		r = -errno;
	if (r == 0)
		r = copy_sparse(in, out);
	if (r == 0)
		r = memfd_seal(out);
	if (r == 0)
		r = manifest_check(manifest, file, out, err, err_size);
	if (r == 0)
		*ret_fd = TAKE_FD(out);
	else if (r != -EBADMSG || err[0] == '\0')
		(void)snprintf(err, err_size, "%s: %s", name,
		    r == -EBADMSG ? "its length is wrong" : strerror(-r));
	/* Listed in the manifest and not there: no word of "not built". */
	return r == -ENOENT ? -EBADMSG : r;
}

void
manifest_done(struct manifest *manifest)
{
	free(manifest->packages);
	manifest->packages = NULL;
}

int
manifest_complete(int dirfd, struct manifest *manifest)
{
	size_t n;
	int r = 0;

	(void)read_file(
	    dirfd, "packages", PACKAGES_MAX, &manifest->packages, &n);
	for (int f = 0; f < MANIFEST_FILES && r == 0; f++) {
		r = manifest_add(manifest, dirfd, (enum manifest_file)f);
		if (r == -ENOENT && f == MANIFEST_DISK)
			r = 0;
	}
	return r < 0 ? r : manifest_write(dirfd, manifest);
}
