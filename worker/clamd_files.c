/*
 * worker/clamd_files.c - have clamd's signatures changed?
 */
#include "worker/clamd_priv.h"

#include "common/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A number of 64 bits over names and stat fields: FNV-1a, offset and prime.
 * No enemy writes into this directory; it only has to tell states apart. */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

static void
close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static uint64_t
mix(uint64_t hash, const void *buf, size_t len)
{
	const unsigned char *p = buf;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

/* What freshclam keeps beside the signatures: its own state, temporaries. */
static bool
is_signature(const char *name, const struct stat *st)
{
	const char *end = strrchr(name, '.');

	return S_ISREG(st->st_mode) && name[0] != '.' && end &&
	       strcmp(end, ".dat") != 0 && strcmp(end, ".lock") != 0;
}

/* ctime too: a file may be put in place with its old mtime (cp -p, tar). */
static uint64_t
file_hash(const char *name, const struct stat *st)
{
	const int64_t fields[] = {st->st_size, st->st_mtim.tv_sec,
	    st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
	    (int64_t)st->st_ino};

	return mix(
	    mix(FNV_OFFSET, name, strlen(name) + 1), fields, sizeof(fields));
}

static uint64_t
usec_of(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/* The sum of all files' hashes does not depend on the directory's order. */
static bool
look(const char *directory, uint64_t *ret_hash, uint64_t *ret_newest)
{
	CLEANUP(close_dir) DIR *dir = opendir(directory);
	uint64_t hash = 0, newest = 0;
	bool any = false;
	struct dirent *d;
	struct stat st;

	if (!dir)
		return false;
	while ((d = readdir(dir))) {
		if (fstatat(dirfd(dir), d->d_name, &st, 0) < 0 ||
		    !is_signature(d->d_name, &st))
			continue;
		any = true;
		hash += file_hash(d->d_name, &st);
		if (usec_of(st.st_ctim) > newest)
			newest = usec_of(st.st_ctim);
	}
	*ret_hash = hash;
	*ret_newest = newest;
	return any;
}

bool
clamd_files_settled(
    struct clamd_files *files, const char *directory, uint64_t settle_usec)
{
	const struct mono now = mono_now();
	const uint64_t wall = wall_now().usec;
	uint64_t hash, newest;

	if (!look(directory, &hash, &newest)) {
		files->seen = false;
		return false;
	}
	if (!files->seen || files->fingerprint != hash) {
		/* At the first look only the files tell their age: a change
		 * that was seen since counts from when it was seen. */
		files->changed.usec = files->seen ? now.usec : 0;
		files->fingerprint = hash;
		files->seen = true;
	}
	if (files->changed.usec && mono_span(files->changed, now) < settle_usec)
		return false;
	/* A file from the future is one whose age isn't known. */
	return newest <= wall && wall - newest >= settle_usec;
}
