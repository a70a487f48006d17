/*
 * common/log.h - one line per event on standard error, key=value.
 *
 * Only daemons and commands log; the library folders return errors.  A line
 * is `LEVEL PROGRAM[PID]: event key=value ...`; text that comes from mail goes
 * through log_text() first, so that it can neither end a line nor hide in it.
 */
#ifndef SLUICE_COMMON_LOG_H
#define SLUICE_COMMON_LOG_H

#include <stddef.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_FATAL,
};

/* Name the process (borrowed, must stay) and the least level that is shown. */
void log_init(const char *program, enum log_level least);

/* "debug", "info", "warn", "error", "fatal" -> level, or -1. */
int log_level_parse(const char *text);

/* Write one line; a newline is added.  Keeps errno.  Blocks on stderr. */
void log_write(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

/*
 * Copy text into buf with everything outside printable ASCII, and the
 * characters '"' and '\', as \xNN; cut to fit and always terminated.
 * Returns buf, for use in a log_write() argument list.
 */
char *log_text(char *buf, size_t size, const char *text);

#endif
