#include "vmm/qemu_priv.h"

#include "common/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(QEMU_FD_STATE == 7, "named in a command below");

/* The id is sent with each; QEMU sends it back. */
static const char *const commands[QMP_IDS] = {
    [QMP_CAPABILITIES] = "'execute':'qmp_capabilities'",
    [QMP_IGNORE_SHARED] =
	"'execute':'migrate-set-capabilities','arguments':{'capabilities':"
	"[{'capability':'x-ignore-shared','state':true}]}",
    [QMP_INCOMING] = "'execute':'migrate-incoming','arguments':{'uri':'fd:7'}",
    [QMP_STOP] = "'execute':'stop'",
    [QMP_CONT] = "'execute':'cont'",
    [QMP_GETFD] = "'execute':'getfd','arguments':{'fdname':'state'}",
    [QMP_MIGRATE] = "'execute':'migrate','arguments':{'uri':'fd:state'}",
    [QMP_QUERY] = "'execute':'query-migrate'",
};

/* After these a guest runs no more, or is not what it was. */
static const char *const ends[] = {
    "SHUTDOWN", "RESET", "GUEST_PANICKED", "GUEST_CRASHLOADED"};

static void
take_text(struct qmp_line *line, const json_t *string)
{
	const char *text = json_string_value(string);

	(void)snprintf(line->text, sizeof(line->text), "%s", text ? text : "");
}

int
qmp_parse(const char *line, size_t n, struct qmp_line *ret)
{
	CLEANUP(json_decrefp) json_t *o = json_loadb(line, n, 0, NULL);
	const char *event = json_string_value(json_object_get(o, "event"));
	const json_t *error = json_object_get(o, "error");
	const json_t *answer = json_object_get(o, "return");
	json_int_t id = json_integer_value(json_object_get(o, "id"));
	struct qmp_line l = {.id = QMP_NONE};

	if (!json_is_object(o))
		return -EBADMSG;
	if ((answer || error) && id > QMP_NONE && id < QMP_IDS)
		l.id = (enum qmp_id)id;
	if (error) {
		l.is_error = true;
		take_text(&l, json_object_get(error, "desc"));
	} else if (answer) {
		take_text(&l, json_object_get(answer, "status"));
	}
	for (size_t i = 0; event && i < ARRAY_SIZE(ends); i++)
		l.is_end |= strcmp(event, ends[i]) == 0;
	*ret = l;
	return 0;
}

static int
fill(struct qmp *qmp, int fd)
{
	ssize_t n;

	if (qmp->used > 0) {
		qmp->n -= qmp->used;
		memmove(qmp->buf, qmp->buf + qmp->used, qmp->n);
		qmp->used = 0;
	}
	if (qmp->n == sizeof(qmp->buf))
		return -EBADMSG;
	n = recv(
	    fd, qmp->buf + qmp->n, sizeof(qmp->buf) - qmp->n, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	qmp->n += (size_t)n;
	return n == 0 ? -EPIPE : 0;
}

static const char *
line_end(const struct qmp *qmp)
{
	return memchr(qmp->buf + qmp->used, '\n', qmp->n - qmp->used);
}

int
qmp_next(struct qmp *qmp, int fd, struct qmp_line *ret)
{
	const char *end = line_end(qmp), *begin;
	int r;

	if (!end) {
		r = fill(qmp, fd);
		if (r < 0)
			return r;
		end = line_end(qmp);
		if (!end)
			return qmp->n == sizeof(qmp->buf) ? -EBADMSG : -EAGAIN;
	}
	begin = qmp->buf + qmp->used;
	qmp->used = (size_t)(end + 1 - qmp->buf);
	return qmp_parse(begin, (size_t)(end - begin), ret);
}

static void
attach(struct msghdr *msg, void *room, size_t size, int fd)
{
	struct cmsghdr *c;

	memset(room, 0, size);
	msg->msg_control = room;
	msg->msg_controllen = size;
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

int
qmp_send(int fd, enum qmp_id id, int pass_fd)
{
	char text[256];
	int n = snprintf(
	    text, sizeof(text), "{%s,'id':%d}\n", commands[id], (int)id);
	struct iovec iov = {text, (size_t)n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	ssize_t sent;

	assert(commands[id] && n < (int)sizeof(text));
	for (int i = 0; i < n; i++)
		if (text[i] == '\'')
			text[i] = '"';
	if (pass_fd >= 0)
		attach(&msg, control.room, sizeof(control.room), pass_fd);
	sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0)
		return -errno;
	/* A stream socket of ours is either empty or not read at all. */
	return sent == n ? 0 : -EAGAIN;
}
