/*
 * tools/load/corpus.h - the files to be sent as messages.
 */
#ifndef LOAD_CORPUS_H
#define LOAD_CORPUS_H

#include <stdbool.h>
#include <stddef.h>

struct corpus {
	char **paths; /* sorted by name, so that a seed means one order */
	size_t count;
	size_t cap;
	size_t drawn;   /* of the present cycle */
	size_t skipped; /* bare CR or NUL, and not wanted */
};

/* Add every regular file below dir.  0 or -errno. */
int corpus_add_dir(struct corpus *c, const char *dir);

/* Add the files that a list names, one a line.  0 or -errno. */
int corpus_add_list(struct corpus *c, const char *path);

/*
 * Sort; with skip_bare_cr also read every file and drop those that hold a
 * bare CR or a NUL, to which sendmail answers 421 and 554.  A file that can't
 * be read is dropped too, with a word on standard error.
 */
void corpus_settle(struct corpus *c, bool skip_bare_cr);

void corpus_done(struct corpus *c);

#endif
