/*
 * worker/warning.h - the text that a wrapped message begins with: a file of
 * the operator's, in which {{reason}} and {{names}} stand for what was found.
 *
 * What comes out of the message, names of files and what an engine says of
 * them, is put in as printable ASCII without what could pass for more than a
 * word: no quote, no bracket, nothing that makes an address.
 */
#ifndef SLUICE_WORKER_WARNING_H
#define SLUICE_WORKER_WARNING_H

#include <stddef.h>

/* Of the file, in octets. */
#define WARNING_FILE_MAX ((size_t)16 * 1024)
/* How often {{reason}} and {{names}} may stand in it, together: with those of
 * the file the text stays below WRAP_TEXT_MAX. */
#define WARNING_PLACES_MAX 16
/* Names that are written, and octets of one; what is longer loses its middle,
 * since a name's end says what it is. */
#define WARNING_NAMES 10
#define WARNING_NAME  64

struct warning;

/*
 * Read the file at path.  Blocks on the disk.
 * 0; -EINVAL: no UTF-8, a control character but newline and tab, "{{" without
 * one of the two names, too many of them, empty; -EFBIG; or -errno.
 * err  on failure: one line that names file, line and what to do
 */
int warning_load(
    const char *path, struct warning **ret, char *err, size_t err_size);
struct warning *warning_free(struct warning *warning);

/*
 * The text for one message, fresh memory that the caller frees.
 * reason    of the engine that wants it
 * evidence  of the judgement, JSON of len octets as engines gave it: the names
 *           of those parts are taken of which an engine says "warn"; whatever
 *           else it is, there are no names
 */
char *warning_text(const struct warning *warning, const char *reason,
    const char *evidence, size_t len);

#endif
