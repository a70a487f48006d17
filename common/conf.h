/*
 * common/conf.h - the configuration, read and checked as a whole.
 *
 * common/conf.def lists every setting with its range and meaning.  A file is
 * accepted whole or not at all; an unknown name, a wrong type, a value out of
 * range and a contradiction (limits that do not ascend, more limits than
 * queues - 1) are errors that name file, line, setting, value and remedy.
 */
#ifndef SLUICE_COMMON_CONF_H
#define SLUICE_COMMON_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_MAX_LIST 63 /* queues - 1 */

struct conf_sizes {
	size_t count;
	uint64_t bytes[CONF_MAX_LIST];
};

/* The words of a list, separated by single blanks: "policy clamd". */
#define CONF_SECTION(name, help) struct {
#define CONF_END(name) \
	} \
	name;
#define CONF_PATH(name, def, help)            char *name;
#define CONF_STRING(name, def, help)          char *name;
#define CONF_COUNT(name, def, lo, hi, help)   uint64_t name;
#define CONF_PERCENT(name, def, lo, hi, help) uint64_t name##_ppm;
#define CONF_BYTES(name, def, lo, hi, help)   uint64_t name##_bytes;
#define CONF_SPAN(name, def, lo, hi, help)    uint64_t name##_usec;
#define CONF_REAL(name, def, lo, hi, help)    double name;
#define CONF_BOOL(name, def, help)            bool name;
#define CONF_SIZES(name, def, help)           struct conf_sizes name;
#define CONF_WORDS(name, def, allowed, help)  char *name;
#define CONF_CHOICE(name, def, allowed, help) char *name;

struct conf {
	char *path; /* the file that it was read from; NULL: defaults */
		    /* clang-format off */
#include "common/conf.def"
		    /* clang-format on */
};

#undef CONF_SECTION
#undef CONF_END
#undef CONF_PATH
#undef CONF_STRING
#undef CONF_COUNT
#undef CONF_PERCENT
#undef CONF_BYTES
#undef CONF_SPAN
#undef CONF_REAL
#undef CONF_BOOL
#undef CONF_SIZES
#undef CONF_WORDS
#undef CONF_CHOICE

/*
 * Read and check path; NULL gives the defaults alone.
 *
 * ret_conf  set on success; the caller frees it with conf_free()
 * err       on failure: one line without newline, "FILE:LINE: what, and what
 *           to do"; NUL-terminated, cut to err_size
 *
 * Returns 0; -EINVAL: the text is wrong; or -errno as open(2), read(2)
 * (-EISDIR for a directory).  Blocks on the file.
 */
int conf_load(
    const char *path, struct conf **ret_conf, char *err, size_t err_size);

/* NULL is allowed.  Returns NULL. */
struct conf *conf_free(struct conf *conf);

/*
 * Write the configuration as a file that conf_load() reads back to the same
 * values, each setting under its help, range and default.
 */
void conf_dump(const struct conf *conf, FILE *out);

/* Is word one of the blank-separated words of list? */
bool conf_has_word(const char *list, const char *word);

#endif
