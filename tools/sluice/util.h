/*
 * tools/sluice/util.h - what the sub-commands share: options, the
 * configuration, tables, JSON lines, quantities for people.
 */
#ifndef SLUICE_TOOLS_UTIL_H
#define SLUICE_TOOLS_UTIL_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct conf;

#define UTIL_CONF_DEFAULT "/etc/sluice/sluice.conf"

/* Options that most commands take; the first member of a command's own. */
struct common_options {
	const char *conf_path; /* NULL: not given */
	bool json;
};

/* For a command's table of options. */
#define OPTION_CONF \
	{ \
		"config", 'c', "FILE", 0, \
		    "read this configuration (default: " UTIL_CONF_DEFAULT \
		    ")", \
		    0 \
	}
#define OPTION_JSON \
	{ \
		"json", 'j', NULL, 0, "print one JSON object a line", 0 \
	}

/* Handle -c and -j; ARGP_ERR_UNKNOWN for any other key. */
error_t util_common_option(int key, char *arg, struct common_options *options);

/*
 * Parse argv by argp, whose input is options; ends the process by itself
 * (status 100) when argv is wrong and after --help.
 */
void util_parse(const struct argp *argp, int argc, char **argv, void *options);

/* "90", "90s", "5m", "4h", "7d" in microseconds, above 0.  Ends the process by
 * argp_error() for anything else. */
uint64_t util_parse_span(struct argp_state *state, const char *text);

/*
 * Load the configuration that the options name, or the default one.
 * Returns NULL after saying on standard error why; *ret_status is then the
 * exit status (100: the text is wrong; 111: it can't be read).
 */
struct conf *util_conf(const struct common_options *options, int *ret_status);

/* Standard error: "sluice COMMAND: TEXT".  Returns status. */
int util_fail(int status, const char *command, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Print object (stolen) as one line, keys in the order they were set. */
void util_json_line(FILE *out, json_t *object);

/* A JSON string of text that may not be UTF-8: wrong octets become '?'. */
json_t *util_json_text(const char *text);

/* A member of an object that may not be there; then "" and 0. */
const char *util_json_get(const json_t *object, const char *key);
uint64_t util_json_number(const json_t *object, const char *key);

/* "1.5 KiB", "37 B" / "4.2 s", "3 h 05 m"; into buf, returns buf. */
char *util_bytes(uint64_t bytes, char *buf, size_t size);
char *util_span(uint64_t usec, char *buf, size_t size);
/* "2026-01-31 12:34:56.123" in local time. */
char *util_time(uint64_t wall_usec, char *buf, size_t size);

/*
 * A table: rows of cells, printed with columns as wide as they need.  A
 * column whose title starts with '>' is flushed right; the last is never
 * padded.  Octets outside printable ASCII are shown as '?'.
 */
struct table;
struct table *table_new(size_t columns, const char *const *titles);
/* One cell more; a row is full after `columns` of them. */
void table_cell(struct table *table, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t table_rows(const struct table *table);
/* Prints and frees. */
void table_print(struct table *table, FILE *out);
void table_free(struct table *table);

/*
 * How many qf files lie in a directory of the spool, and how old is the
 * oldest (microseconds since its mtime)?  Reads the directory only; stats
 * each qf when ret_oldest_usec isn't NULL.  0 or -errno.
 */
int util_count_messages(int dirfd, uint64_t *ret_count, uint64_t *ret_bytes,
    uint64_t *ret_oldest_usec);

/* How many qf files there are older than that.  0 or -errno. */
int util_count_older(int dirfd, uint64_t age_usec, uint64_t *ret_count);

#endif
