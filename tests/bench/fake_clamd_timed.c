/*
 * fake_clamd_timed SOCKET FIXED_USEC PER_OCTET_NSEC - no clamd: an engine for
 * tests/bench/true whose time for a message is known.
 *
 * It answers OK after FIXED_USEC + PER_OCTET_NSEC * octets for a whole
 * message, which begins with "Received:", and at once for anything else, a
 * part.  Two files are answered as a clamd would: the probe of worker/clamd.c
 * by a limit's name, and what has EICAR in its first octets as found, since a
 * worker asks for that before its first mail.  Each connection is served by
 * itself, so there are as many servers as connections; it only waits, and so
 * takes no processor time from who is measured.
 *
 * Exit status: 100 wrong usage, 111 no socket; ended by a signal.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Octets of a file that are looked at: EICAR of a self-test is within. */
#define LOOK_OCTETS 512

struct engine {
	struct event_base *base;
	uint64_t fixed_usec, per_octet_nsec;
};

struct session {
	const struct engine *engine;
	int sock, fd; /* fd: received, not used yet, or -1 */
	struct event *readable, *timer;
	unsigned int id; /* of the command, as clamd counts them */
	size_t len;
	char in[200];
};

static void
session_free(struct session *s)
{
	event_free(s->readable);
	event_free(s->timer);
	close_fd(&s->sock);
	close_fd(&s->fd);
	free(s);
}

/* The asker is gone when this fails: its end of the socket says so too. */
static void
say(struct session *s, const char *what, const char *text)
{
	char line[200];
	const int n =
	    snprintf(line, sizeof(line), "%u: %s%s", s->id, what, text);

	(void)send(s->sock, line, (size_t)n + 1, MSG_NOSIGNAL);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	say(arg, "fd[9]: ", "OK");
}

/* No file of ours holds EICAR whole. */
static bool
has_eicar(const char *text, size_t len)
{
	static const char tail[] = "-ANTIVIRUS-TEST-FILE!$H+H*";

	return memmem(text, len, "EICAR-STANDARD", 14) &&
	       memmem(text, len, tail, sizeof(tail) - 1);
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static struct timeval
service(const struct engine *e, uint64_t octets)
{
	return span_timeval(e->fixed_usec + e->per_octet_nsec * octets / 1000);
}

static void
on_file(struct session *s)
{
	char text[LOOK_OCTETS + 1] = "";
	struct timeval tv;
	struct stat st;
	ssize_t n = pread(s->fd, text, LOOK_OCTETS, 0);

	if (n < 0 || fstat(s->fd, &st) < 0) {
		say(s, "fd[9]: ", "Can't read file ERROR");
	} else if (begins(text, "Received: by localhost\n")) {
		say(s,
		    "fd[9]: ", "Heuristics.Limits.Exceeded.MaxRecursion FOUND");
	} else if (has_eicar(text, (size_t)n)) {
		say(s, "fd[9]: ", "Eicar-Test-Signature FOUND");
	} else if (begins(text, "Received:")) {
		tv = service(s->engine, (uint64_t)st.st_size);
		(void)event_add(s->timer, &tv);
	} else {
		say(s, "fd[9]: ", "OK");
	}
	close_fd(&s->fd);
	s->fd = -1;
}

static void
on_command(struct session *s, const char *command)
{
	if (strcmp(command, "zIDSESSION") == 0)
		return;
	s->id++;
	if (strcmp(command, "zVERSION") == 0)
		say(s, "", "ClamAV 1.4.0/1/fake");
	else if (strcmp(command, "zFILDES") == 0)
		on_file(s);
	else
		say(s, "", "UNKNOWN COMMAND");
}

static ssize_t
receive(struct session *s)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {s->in + s->len, sizeof(s->in) - s->len};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.buf,
	    .msg_controllen = sizeof(control.buf)};
	const ssize_t n = recvmsg(s->sock, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (c && c->cmsg_type == SCM_RIGHTS) {
		close_fd(&s->fd);
		memcpy(&s->fd, CMSG_DATA(c), sizeof(s->fd));
	}
	return n;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	const ssize_t n = receive(s);
	char *nul;

	(void)fd;
	(void)what;
	if (n <= 0) {
		session_free(s);
		return;
	}
	s->len += (size_t)n;
	while ((nul = memchr(s->in, '\0', s->len))) {
		char command[sizeof(s->in)];
		const size_t used = (size_t)(nul - s->in) + 1;

		memcpy(command, s->in, used);
		s->len -= used;
		memmove(s->in, s->in + used, s->len);
		if (*command) /* else the octet that carried a descriptor */
			on_command(s, command);
	}
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct engine *e = arg;
	struct session *s = xcalloc(1, sizeof(*s));

	(void)what;
	s->engine = e;
	s->fd = -1;
	s->sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	s->readable =
	    event_new(e->base, s->sock, EV_READ | EV_PERSIST, on_readable, s);
	s->timer = evtimer_new(e->base, on_timer, s);
	(void)event_add(s->readable, NULL);
}

static int
listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(path, 0666) < 0 || listen(fd, 64) < 0)
		return -1;
	return fd;
}

/* Else its timers are as coarse as epoll's milliseconds. */
static struct event_base *
precise_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	(void)event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int
main(int argc, char **argv)
{
	struct engine e;
	struct event *acceptable;
	int fd;

	if (argc != 4 || sscanf(argv[2], "%" SCNu64, &e.fixed_usec) != 1 ||
	    sscanf(argv[3], "%" SCNu64, &e.per_octet_nsec) != 1) {
		(void)fprintf(stderr, "usage: fake_clamd_timed SOCKET "
				      "FIXED_USEC PER_OCTET_NSEC\n");
		return 100;
	}
	fd = listen_at(argv[1]);
	if (fd < 0) {
		perror(argv[1]);
		return 111;
	}
	e.base = precise_base();
	acceptable =
	    event_new(e.base, fd, EV_READ | EV_PERSIST, on_acceptable, &e);
	(void)event_add(acceptable, NULL);
	(void)event_base_dispatch(e.base);
	return 111;
}
