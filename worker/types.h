/*
 * worker/types.h - the true type of octets, whatever mail calls them.
 */
#ifndef SLUICE_WORKER_TYPES_H
#define SLUICE_WORKER_TYPES_H

#include <stdbool.h>
#include <stddef.h>

/* Load libmagic's database.  0, -ENOENT: there is none, or -ENOMEM. */
int types_prepare(void);

/* "a/b" in lower case; the string is constant or lives in libmagic until its
 * next answer: use or copy it at once.  Opens nothing, looks at 64 KiB at
 * most.  "application/octet-stream" when nothing else is known. */
const char *types_detect(const char *at, size_t len);

/* The type that the first octets prove by themselves, or NULL. */
const char *types_magic(const char *at, size_t len);

/* The same of a file of which these are only the first octets: false when
 * none of them, however it goes on, has such a type. */
bool types_may_be_magic(const char *at, size_t len);

/*
 * A quick look before types_magic(): false when no file that it knows by its
 * first octet has these 12 leading bits.
 */
bool types_may_begin(unsigned bits12);

/* False for plain text and for octets of no known type: what is true of
 * everything that chance could decode. */
bool types_is_file(const char *type);

bool types_is_text(const char *type);

#endif
