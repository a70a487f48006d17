/* tools/load/base.c - clocks, buffers, addresses, option numbers. */
#include "base.h"

#include <errno.h>
#include <event2/util.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t
clock_usec(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
mono_usec(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

uint64_t
wall_usec(void)
{
	return clock_usec(CLOCK_REALTIME);
}

struct timeval
usec_to_timeval(uint64_t usec)
{
	return (struct timeval){
	    .tv_sec = (time_t)(usec / USEC_PER_SEC),
	    .tv_usec = (suseconds_t)(usec % USEC_PER_SEC),
	};
}

void
die(int code, const char *fmt, ...)
{
	va_list ap;

	(void)fputs("sluice-traffic: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(code);
}

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p)
		die(EXIT_SYSTEM, "out of memory");
	return p;
}

void *
xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		die(EXIT_SYSTEM, "out of memory");
	return p;
}

char *
xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		die(EXIT_SYSTEM, "out of memory");
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		die(EXIT_SYSTEM, "out of memory");
	return s;
}

/* Room for len more bytes and the NUL. */
static void
buf_reserve(struct buf *b, size_t len)
{
	size_t want = b->len + len + 1;

	if (want <= b->cap)
		return;
	if (want < b->cap * 2)
		want = b->cap * 2;
	b->data = xrealloc(b->data, want);
	b->cap = want;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	buf_reserve(b, len);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		buf_reserve(b, (size_t)n);
		(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void
buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

int
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		const ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void
set_port(struct address *a, uint16_t port)
{
	if (a->ss.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&a->ss)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&a->ss)->sin_port = htons(port);
}

/*
 * libevent's parser takes addresses without a port as well and refuses port 0,
 * so it sees the host alone.
 */
int
address_parse(const char *text, struct address *ret_address)
{
	const char *colon = strrchr(text, ':');
	struct address a = {.len = (int)sizeof(a.ss)};
	unsigned port = 0;
	char host[64];
	size_t digits;
	int used;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	digits = strspn(colon + 1, "0123456789");
	if (digits < 1 || digits > 5 || colon[1 + digits] != '\0')
		return -EINVAL;
	port = (unsigned)strtoul(colon + 1, NULL, 10);
	used = snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (used <= 0 || port > UINT16_MAX)
		return -EINVAL;
	if (evutil_parse_sockaddr_port(
		strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
		(struct sockaddr *)&a.ss, &a.len) < 0)
		return -EINVAL;
	set_port(&a, (uint16_t)port);
	*ret_address = a;
	return 0;
}

bool
address_is_loopback(const struct address *a)
{
	if (a->ss.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&a->ss;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (a->ss.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)&a->ss;

		return IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
	}
	return false;
}

uint64_t
parse_count(const char *option, const char *text)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-')
		die(EXIT_USAGE, "%s: \"%s\" is not a whole number", option,
		    text);
	return n;
}

double
parse_number(const char *option, const char *text, double min, double max)
{
	char *end;
	double x;

	errno = 0;
	x = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !isfinite(x) ||
	    x < min || x > max)
		die(EXIT_USAGE, "%s: \"%s\" is not a number from %g to %g",
		    option, text, min, max);
	return x;
}
