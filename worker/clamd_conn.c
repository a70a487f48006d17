/*
 * worker/clamd_conn.c - the session's protocol, step by step.
 *
 * We send, each command with a final NUL ("z" says so), IDSESSION, VERSION
 * and FILDES with the probe's descriptor; then FILDES for each request.
 * clamd numbers the commands after IDSESSION from 1 and puts the number
 * before each answer, which ends with a NUL too.
 */
#include "worker/clamd_conn.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CONN_MAGIC UINT32_C(0x434c4343)

/* Below clamd's own time-outs of a silent session (ReadTimeout, 120 s). */
#define IDLE_USEC (20 * USEC_PER_SEC)

#define ID_VERSION 1
#define ID_PROBE   2

enum conn_state {
	CONN_VERSION, /* waits for the version, the probe's answer comes next */
	CONN_PROBE,   /* waits for the probe's answer */
	CONN_IDLE,
	CONN_BUSY, /* waits for a request's answer */
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_deadline(evutil_socket_t fd, short what, void *arg);

/* A command, and a descriptor with the octet after it, as clamd wants it. */
static int
send_fd(int sock, const char *command, size_t len, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char octet = '\0';
	struct iovec iov[] = {
	    {.iov_base = (void *)(uintptr_t)command, .iov_len = len},
	    {.iov_base = &octet, .iov_len = 1},
	};
	struct msghdr msg = {
	    .msg_iov = iov,
	    .msg_iovlen = ARRAY_SIZE(iov),
	    .msg_control = control.buf,
	    .msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* A few octets into an empty buffer: all of them or clamd is gone. */
	return (size_t)n == len + 1 ? 0 : -EPIPE;
}

static int
connect_to(const char *path, int *ret_fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	CLEANUP(close_fd) int fd = -1;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	(void)strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
send_probe(int sock, const char *commands, size_t len)
{
	CLEANUP(close_fd) int probe = clamd_probe_new();

	return probe < 0 ? probe : send_fd(sock, commands, len, probe);
}

static int
greet(int sock)
{
	static const char commands[] = "zIDSESSION\0zVERSION\0zFILDES";

	return send_probe(sock, commands, sizeof(commands));
}

static void
wait_for(struct clamd_conn *conn, uint64_t usec)
{
	const struct timeval tv = span_timeval(usec ? usec : 1);

	(void)event_add(conn->timer, &tv);
}

int
clamd_conn_new(struct clamd *clamd, struct event_base *base,
    const struct clamd_options *options, struct clamd_conn **ret_conn)
{
	CLEANUP(close_fd) int fd = -1;
	struct clamd_conn *conn;
	int r = connect_to(options->socket, &fd);

	if (r == 0)
		r = greet(fd);
	if (r < 0)
		return r;
	conn = xcalloc(1, sizeof(*conn));
	conn->magic = CONN_MAGIC;
	conn->clamd = clamd;
	conn->options = options;
	conn->state = CONN_VERSION;
	conn->id = ID_PROBE;
	conn->fd = TAKE_FD(fd);
	conn->readable =
	    event_new(base, conn->fd, EV_READ | EV_PERSIST, on_readable, conn);
	conn->timer = event_new(base, -1, 0, on_deadline, conn);
	assert(conn->readable && conn->timer);
	(void)event_add(conn->readable, NULL);
	*ret_conn = conn;
	return 0;
}

void
clamd_conn_free(struct clamd_conn *conn)
{
	event_free(conn->readable);
	event_free(conn->timer);
	(void)close(conn->fd);
	conn->magic = 0;
	free(conn);
}

struct clamd_scan *
clamd_conn_scan(const struct clamd_conn *conn)
{
	return conn->scan;
}

void
clamd_conn_forget(struct clamd_conn *conn)
{
	conn->scan = NULL;
}

static void
end(struct clamd_conn *conn, bool again, struct engine_answer *answer)
{
	struct clamd_scan *scan = conn->scan;

	again = again && scan && !scan->again;
	clamd_on_end(
	    conn->clamd, conn, conn->state == CONN_IDLE, scan, again, answer);
	clamd_conn_free(conn);
}

static void
end_because(
    struct clamd_conn *conn, bool again, const char *why, const char *detail)
{
	struct engine_answer answer;

	answer_set(
	    &answer, "clamd", ANSWER_UNKNOWN_SYSTEM, "%s%s", why, detail);
	end(conn, again, &answer);
}

/*
 * Send the request that waited for this connection.  If even that fails, the
 * reader finds the end of the connection and says so: never the caller, who
 * is in clamd.c's own loop.
 */
static void
send_scan(struct clamd_conn *conn)
{
	static const char command[] = "zFILDES";

	conn->state = CONN_BUSY;
	conn->id++;
	if (send_fd(conn->fd, command, sizeof(command), conn->scan->fd) < 0)
		(void)shutdown(conn->fd, SHUT_RDWR);
}

static void
prove_again(struct clamd_conn *conn)
{
	static const char command[] = "zFILDES";

	conn->state = CONN_PROBE;
	conn->id++;
	if (send_probe(conn->fd, command, sizeof(command)) < 0)
		(void)shutdown(conn->fd, SHUT_RDWR);
}

void
clamd_conn_send(
    struct clamd_conn *conn, struct clamd_scan *scan, uint64_t proof_usec)
{
	const uint64_t spent = mono_span(scan->started, mono_now());
	const uint64_t limit = conn->options->timeout_usec;

	assert(!conn->scan);
	conn->scan = scan;
	if (conn->state == CONN_IDLE &&
	    mono_span(conn->proved, mono_now()) >= proof_usec)
		prove_again(conn);
	else if (conn->state == CONN_IDLE)
		send_scan(conn);
	wait_for(conn, spent < limit ? limit - spent : 0);
}

static void
go_idle(struct clamd_conn *conn, struct engine_answer *answer)
{
	struct clamd_scan *scan = conn->scan;

	conn->scan = NULL;
	conn->state = CONN_IDLE;
	conn->was_used = true;
	wait_for(conn, IDLE_USEC);
	clamd_on_answer(conn->clamd, conn, scan, answer);
}

static void
on_probe(struct clamd_conn *conn, const char *line)
{
	const char *text = clamd_answer_text(line, conn->id);
	struct engine_answer answer;

	if (!text) {
		end_because(conn, false, "clamd's answer to the probe: ", line);
		return;
	}
	if (!clamd_probe_passed(text, &answer)) {
		end(conn, false, &answer);
		return;
	}
	conn->proved = mono_now();
	if (conn->scan)
		send_scan(conn);
	else
		go_idle(conn, NULL);
}

static void
on_result(struct clamd_conn *conn, const char *line)
{
	const char *text = clamd_answer_text(line, conn->id);
	struct engine_answer answer;

	if (text && clamd_answer_parse(text, &answer))
		go_idle(conn, &answer);
	else
		end_because(conn, false, "clamd's answer is none: ", line);
}

/* False: conn is gone. */
static bool
on_version(struct clamd_conn *conn, const char *line)
{
	const char *version = clamd_version_text(line, ID_VERSION);

	if (!version) {
		end_because(conn, false, "clamd's answer to VERSION: ", line);
		return false;
	}
	clamd_on_version(conn->clamd, version);
	conn->state = CONN_PROBE;
	return true;
}

/* The last answer that is due; conn may be gone afterwards. */
static void
on_last_line(struct clamd_conn *conn, const char *line)
{
	if (conn->len > 0)
		end_because(conn, false, "clamd says more than asked: ", line);
	else if (conn->state == CONN_PROBE)
		on_probe(conn, line);
	else if (conn->state == CONN_BUSY)
		on_result(conn, line);
	else /* "COMMAND READ TIMED OUT" of an idle session */
		end_because(conn, false, "unasked: ", line);
}

static void
on_eof(struct clamd_conn *conn, int error)
{
	const bool cut = conn->len > 0;
	const char *why = error ? strerror(error) : "closed";

	/* A session that worked and is dead before the first octet of this
	 * answer: clamd was restarted meanwhile, or this very file killed
	 * it.  One more try tells. */
	end_because(conn, conn->was_used && !cut,
	    cut ? "clamd's answer was cut off: " : "connection to clamd: ",
	    why);
}

/* Take the first line out of conn's buffer; false: there is none yet. */
static bool
next_line(struct clamd_conn *conn, char *line)
{
	const char *nul = memchr(conn->line, '\0', conn->len);
	size_t used;

	if (!nul)
		return false;
	used = (size_t)(nul - conn->line) + 1;
	memcpy(line, conn->line, used);
	conn->len -= used;
	memmove(conn->line, conn->line + used, conn->len);
	return true;
}

static void
on_input(struct clamd_conn *conn)
{
	char line[CLAMD_LINE_MAX];

	if (conn->state == CONN_VERSION && next_line(conn, line) &&
	    !on_version(conn, line))
		return;
	if (conn->state != CONN_VERSION && next_line(conn, line))
		on_last_line(conn, line);
	else if (conn->len == sizeof(conn->line))
		end_because(conn, false, "clamd's answer has no end", "");
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct clamd_conn *conn = arg;
	ssize_t n;

	(void)what;
	assert(conn->magic == CONN_MAGIC);
	n = read(fd, conn->line + conn->len, sizeof(conn->line) - conn->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		on_eof(conn, n < 0 ? errno : 0);
		return;
	}
	conn->len += (size_t)n;
	on_input(conn);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct clamd_conn *conn = arg;

	(void)fd;
	(void)what;
	assert(conn->magic == CONN_MAGIC);
	end_because(conn, false, "no answer from clamd in time", "");
}
