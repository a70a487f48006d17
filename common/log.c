#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Process-wide on purpose, like the counters: a log has one reader. */
static const char *log_program = "sluice";
static enum log_level log_least = LOG_LEVEL_INFO;

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_FATAL] = "fatal",
};

void
log_init(const char *program, enum log_level least)
{
	log_program = program;
	log_least = least;
}

int
log_level_parse(const char *text)
{
	for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_FATAL; i++)
		if (strcmp(text, level_names[i]) == 0)
			return i;
	return -1;
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	char line[4096];
	va_list ap;
	int saved = errno, n;

	if (level < log_least)
		return;
	n = snprintf(line, sizeof(line), "%s %s[%d]: ", level_names[level],
	    log_program, (int)getpid());
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2; /* the cut is visible: no closing word */
	line[n] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n + 1) < 0) {
		/* nowhere left to say so */
	}
	errno = saved;
}

char *
log_text(char *buf, size_t size, const char *text)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (n + 5 > size)
			break;
		if (*p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\')
			buf[n++] = (char)*p;
		else
			n += (size_t)snprintf(buf + n, size - n, "\\x%02x", *p);
	}
	buf[n] = '\0';
	return buf;
}
