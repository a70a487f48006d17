/*
 * worker/reading_write.h - more of the writer of worker/reading.h, for the
 * decoders of the cell: they fill the arena in place.
 */
#ifndef SLUICE_WORKER_READING_WRITE_H
#define SLUICE_WORKER_READING_WRITE_H

#include <stddef.h>
#include <stdint.h>

struct reading_writer;

/* Room for len octets at the end of the current blob, or NULL: above the
 * limit.  It stays valid; writer_advance() says how much of it was used. */
char *writer_reserve(struct reading_writer *w, uint64_t len);
void writer_advance(struct reading_writer *w, uint64_t len);

/* The current blob, unfinished; octets at an offset of the arena. */
const char *writer_blob(const struct reading_writer *w, uint64_t *ret_bytes);
const char *writer_at(const struct reading_writer *w, uint64_t off);

/* Set more flags of a record that was written; returns them all. */
uint32_t writer_flags(struct reading_writer *w, int32_t part, uint32_t flags);

/* Call for every name of a record and of those that go on with it; names may
 * be added to others meanwhile. */
void writer_each_name(const struct reading_writer *w, int32_t part,
    void (*call)(void *arg, const char *name), void *arg);

/* The true and the declared type of a record that was written. */
const char *writer_type(const struct reading_writer *w, int32_t part);
const char *writer_declared(const struct reading_writer *w, int32_t part);

size_t writer_parts(const struct reading_writer *w);

/* Add a link (at most READING_LINK_MAX octets), if it is none of those that are
 * there; above most they are only said to be more. */
void writer_link(struct reading_writer *w, const char *url, uint32_t most);
/* There may be links that were not told. */
void writer_links_cut(struct reading_writer *w);

/* Tests and fuzzers only: a cell ends without giving memory back. */
void writer_free(struct reading_writer *w);

#endif
