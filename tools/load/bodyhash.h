/*
 * tools/load/bodyhash.h - SHA-256 of a message's body, the same at both ends:
 * everything after the header block, CRLF line ends, without dot stuffing.
 * Not production's digest: the check must not share a fault with what it
 * checks.
 */
#ifndef LOAD_BODYHASH_H
#define LOAD_BODYHASH_H

#include <stddef.h>

#define BODYHASH_HEX_BYTES 65 /* 64 digits and the NUL */

struct bodyhash;

struct bodyhash *bodyhash_new(void);
struct bodyhash *bodyhash_free(struct bodyhash *h); /* returns NULL */
void bodyhash_reset(struct bodyhash *h);
void bodyhash_add(struct bodyhash *h, const void *data, size_t len);

/* Ends the hash; reset before the next use. */
void bodyhash_hex(struct bodyhash *h, char ret_hex[BODYHASH_HEX_BYTES]);

#endif
