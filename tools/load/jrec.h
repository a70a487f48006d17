/*
 * tools/load/jrec.h - JSON objects, one a line; the only file that knows
 * jansson.  Keys are literals.  Text that isn't UTF-8 is kept with '?' for
 * each strange byte, since names and replies come from outside.
 */
#ifndef LOAD_JREC_H
#define LOAD_JREC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct jrec; /* never defined: it is jansson's object in disguise */

struct jrec *jrec_new(void);
struct jrec *jrec_free(struct jrec *j); /* returns NULL */

void jrec_str(struct jrec *j, const char *key, const char *s); /* NULL: null */
void jrec_int(struct jrec *j, const char *key, uint64_t n);
void jrec_real(struct jrec *j, const char *key, double x);
void jrec_bool(struct jrec *j, const char *key, bool b);

/* A wall clock instant as seconds with microseconds; 0 becomes null. */
void jrec_time(struct jrec *j, const char *key, uint64_t wall_usec);

/* A new object under key, or a new one at the end of the array under key;
 * both borrowed from j. */
struct jrec *jrec_child(struct jrec *j, const char *key);
struct jrec *jrec_append(struct jrec *j, const char *key);

/* NULL when the key is absent or no string. */
const char *jrec_get_str(const struct jrec *j, const char *key);
double jrec_get_number(const struct jrec *j, const char *key, double otherwise);

/*
 * Open a log for appending.  A torn last line, left by a killed writer, is
 * ended first.  Returns 0 and the descriptor, or -errno.
 */
int jrec_log_open(const char *path, int *ret_fd);

/* Append one line by one write(2) (a kill can't tear it).  0 or -errno. */
int jrec_log(int fd, const struct jrec *j);

/* Print as one line.  0 or -EIO. */
int jrec_print(FILE *f, const struct jrec *j);

/*
 * Call fn with each line of a file.  Lines that are no JSON object are
 * counted and passed over.  Returns 0 or -errno (the file can't be read).
 */
typedef void jrec_fn(void *arg, const struct jrec *j);
int jrec_each(const char *path, jrec_fn *fn, void *arg, uint64_t *ret_bad);

#endif
