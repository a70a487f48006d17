/*
 * tests/support/mef_updates.h - model files for tests of updates, which see no
 * more of a model than its words and its known documents, and keys to sign
 * updates with (RFC 8032, 7.1).
 */
#ifndef SLUICE_TESTS_MEF_UPDATES_H
#define SLUICE_TESTS_MEF_UPDATES_H

#include "worker/mef/update.h"

#include "common/io.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where words begin that are no head. */
#define MEF_UPDATES_HEAD 4096u

struct mef_octets {
	unsigned char *at;
	size_t n;
};

static inline struct mef_octets
mef_octets_new(uint32_t n_words, uint32_t n_known, uint64_t release)
{
	struct mef_head head = {.format = MEF_FORMAT, .release = release};
	struct mef_octets o;

	memcpy(head.magic, MEF_MAGIC, sizeof(head.magic));
	head.known_offset = MEF_UPDATES_HEAD + 4 * (uint64_t)n_words;
	head.n_known = n_known;
	head.n_documents[MEF_BENIGN] = n_known;
	head.file_bytes =
	    head.known_offset + n_known * sizeof(struct mef_known);
	o.n = head.file_bytes;
	o.at = xcalloc(1, o.n);
	memcpy(o.at, &head, sizeof(head));
	return o;
}

static inline struct mef_head *
mef_octets_head(const struct mef_octets *o)
{
	return (struct mef_head *)(void *)o->at;
}

static inline uint32_t *
mef_octets_words(const struct mef_octets *o)
{
	return (uint32_t *)(void *)(o->at + MEF_UPDATES_HEAD);
}

static inline struct mef_known *
mef_octets_known(const struct mef_octets *o)
{
	return (struct mef_known *)(void *)(o->at +
					    mef_octets_head(o)->known_offset);
}

/* A memfd of it. */
static inline int
mef_octets_fd(const void *octets, size_t n)
{
	int fd = memfd_new("octets"), r;

	assert(fd >= 0);
	r = write_all(fd, octets, n);
	assert(r == 0);
	return fd;
}

static inline void
mef_updates_put(const char *path, const void *octets, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = fd < 0 ? fd : write_all(fd, octets, n);

	assert(r == 0);
	(void)close(fd);
}

/* Two pairs of keys. */
static const char *const mef_updates_private[] = {
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3\n"
    "-----END PRIVATE KEY-----\n",
};
static const char *const mef_updates_public[] = {
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n"
    "-----END PUBLIC KEY-----\n",
};

/* The files DIR/private0, DIR/public0 ...; the public keys of both. */
static inline void
mef_updates_keys(const char *dir, struct signature_key *ret_keys)
{
	for (int i = 0; i < 2; i++) {
		char *private = xasprintf("%s/private%d", dir, i);
		char *public = xasprintf("%s/public%d", dir, i);
		char err[300];
		int r;

		mef_updates_put(private, mef_updates_private[i],
		    strlen(mef_updates_private[i]));
		mef_updates_put(public, mef_updates_public[i],
		    strlen(mef_updates_public[i]));
		r = signature_key_read(public, &ret_keys[i], err, sizeof(err));
		assert(r == 0);
		free(private);
		free(public);
	}
}

#endif
