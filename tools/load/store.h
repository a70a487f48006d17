/*
 * tools/load/store.h - keep received messages as files with LF line ends.
 */
#ifndef LOAD_STORE_H
#define LOAD_STORE_H

#include "base.h"

/* One message on its way into a directory. */
struct store {
	int dirfd; /* borrowed, or -1: keep nothing, every call succeeds */
	int fd;
	char name[64]; /* of the unfinished file */
	struct buf pending;
	bool after_cr;
	int error; /* the first, -errno */
};

void store_init(struct store *s, int dirfd);

/* Begin a file; number makes its name unique in this process. */
void store_begin(struct store *s, uint64_t number);
void store_add(struct store *s, const char *data, size_t len);

/* Publish it as NAME.eml.  Returns 0 or the first error, -errno, of this
 * file; then nothing was kept.  An existing file of that name is an error. */
int store_commit(struct store *s, const char *name);

/* Drop what was begun, if anything. */
void store_abort(struct store *s);
void store_done(struct store *s);

#endif
