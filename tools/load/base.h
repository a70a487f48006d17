/*
 * tools/load/base.h - what every file of the load program needs: exit codes,
 * clocks, a growing buffer, addresses.  Small allocations die on failure;
 * this is a test tool, there is nobody to report to.
 */
#ifndef LOAD_BASE_H
#define LOAD_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The project's exit codes; argp is told to use EXIT_USAGE as well. */
enum {
	EXIT_FINE = 0,
	EXIT_BAD_NEWS = 1,
	EXIT_USAGE = 100,
	EXIT_SYSTEM = 111,
};

#define USEC_PER_SEC 1000000U

/* Monotonic and wall clock in microseconds. */
uint64_t mono_usec(void);
uint64_t wall_usec(void);
struct timeval usec_to_timeval(uint64_t usec);

/* Say why on standard error and exit with the code. */
_Noreturn void die(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A growing byte buffer; always followed by a NUL.  All zero is empty. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b);
void buf_done(struct buf *b);

/* Write all of it, through short writes and EINTR.  0 or -errno. */
int write_all(int fd, const void *data, size_t len);

/* A socket address and its length. */
struct address {
	struct sockaddr_storage ss;
	int len;
};

/*
 * Parse "127.0.0.1:25", "[::1]:25" or "localhost:25"; port 0 is one too.  No
 * name service is asked.  Returns 0 or -EINVAL.
 */
int address_parse(const char *text, struct address *ret_address);
bool address_is_loopback(const struct address *a);

/* Numbers of options; each dies with EXIT_USAGE, naming the option. */
uint64_t parse_count(const char *option, const char *text);
double parse_number(
    const char *option, const char *text, double min, double max);

#endif
