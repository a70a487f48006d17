/*
 * tools/sluice/repository_look.h - what can be read in a sample, as text.
 *
 * The sample is hostile: a fork reads it that has given up everything but
 * memory and the file that it leaves its lines in, and what it leaves is
 * bounded and looked at as hostile text.
 */
#ifndef SLUICE_TOOLS_REPOSITORY_LOOK_H
#define SLUICE_TOOLS_REPOSITORY_LOOK_H

#include <stddef.h>

enum look_kind { LOOK_FACT, LOOK_IMPORT, LOOK_STRING, LOOK_KINDS };

struct look {
	/* Printable ASCII, in the order in which they were found. */
	char **at[LOOK_KINDS];
	size_t n[LOOK_KINDS];
};

/*
 * Read a sample: facts of its header, imports, and printable strings of at
 * least 6 characters, each once.
 *
 * Returns 0; -EPROTO: its reader died, or left what it should not; or -errno
 * as open(2), mmap(2), fork(2).  ret is for look_done() only on success.
 * Blocks.
 */
int look_read(const char *path, struct look *ret);
void look_done(struct look *look);

/*
 * Take the lines of a reader apart: a letter, a blank, a text.
 * Returns 0, or -EPROTO.  Pure.
 */
int look_parse(const char *text, size_t n, struct look *ret);

#endif
