#include "tools/sluice/smtp.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/spool.h"
#include "tools/sluice/reach.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct smtp {
	int fd;
	char buf[2048];
	size_t len;
};

/* One line without its end.  -EPIPE: the server hung up. */
static int
read_line(struct smtp *s, char *line, size_t size)
{
	for (;;) {
		char *end = memchr(s->buf, '\n', s->len);
		ssize_t n;

		if (end) {
			size_t len = (size_t)(end + 1 - s->buf);

			(void)snprintf(
			    line, size, "%.*s", (int)len - 1, s->buf);
			line[strcspn(line, "\r")] = '\0';
			s->len -= len;
			memmove(s->buf, end + 1, s->len);
			return 0;
		}
		if (s->len == sizeof(s->buf))
			return -EPROTO;
		n = recv(s->fd, s->buf + s->len, sizeof(s->buf) - s->len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (errno == EAGAIN ? -ETIMEDOUT : -errno)
				     : -EPIPE;
		s->len += (size_t)n;
	}
}

/* A whole reply, its last line in reply; first: the digit that is right. */
static int
read_reply(struct smtp *s, char first, char *reply, size_t size)
{
	int r;

	do {
		r = read_line(s, reply, size);
		if (r < 0) {
			(void)snprintf(reply, size, "%s", strerror(-r));
			return r;
		}
	} while (strlen(reply) > 3 && reply[3] == '-');
	return reply[0] == first ? 0 : -EPROTO;
}

static int command(struct smtp *s, char first, char *reply, size_t size,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static int
command(
    struct smtp *s, char first, char *reply, size_t size, const char *fmt, ...)
{
	CLEANUP(free_ptr) char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	r = write_all(s->fd, text, strlen(text));
	if (r < 0) {
		(void)snprintf(reply, size, "%s", strerror(-r));
		return r;
	}
	return read_reply(s, first, reply, size);
}

int
smtp_open(const char *address, struct smtp **ret_smtp, char *reply, size_t size)
{
	struct smtp *s;
	int fd = reach_connect(address), r;

	if (fd < 0) {
		(void)snprintf(reply, size, "%s", strerror(-fd));
		return fd;
	}
	s = xcalloc(1, sizeof(*s));
	s->fd = fd;
	r = read_reply(s, '2', reply, size);
	if (r == 0)
		r = command(s, '2', reply, size, "EHLO localhost\r\n");
	if (r < 0) {
		(void)smtp_close(s);
		return r;
	}
	*ret_smtp = s;
	return 0;
}

struct smtp *
smtp_close(struct smtp *s)
{
	if (!s)
		return NULL;
	(void)send(s->fd, "QUIT\r\n", 6, MSG_NOSIGNAL);
	close_fd(&s->fd);
	free(s);
	return NULL;
}

/* "250 2.0.0 6AM3qteJ030750 Message accepted for delivery" */
static void
find_id(const char *reply, char *ret_id, size_t size)
{
	char word[QUEUE_ID_MAX + 1] = "";

	*ret_id = '\0';
	if (sscanf(reply, "250 %*[0-9.] %32[A-Za-z0-9] Message", word) == 1)
		(void)snprintf(ret_id, size, "%s", word);
}

int
smtp_send(struct smtp *s, const char *sender, const char *rcpt,
    const char *text, char *ret_id, size_t id_size, char *reply, size_t size)
{
	char ignored[512];
	int r = command(s, '2', reply, size, "MAIL FROM:<%s>\r\n", sender);

	if (r == 0)
		r = command(s, '2', reply, size, "RCPT TO:<%s>\r\n", rcpt);
	if (r == 0)
		r = command(s, '3', reply, size, "DATA\r\n");
	if (r == 0)
		r = command(s, '2', reply, size, "%s.\r\n", text);
	if (r == 0)
		find_id(reply, ret_id, id_size);
	else if (r == -EPROTO)
		(void)command(s, '2', ignored, sizeof(ignored), "RSET\r\n");
	return r;
}
