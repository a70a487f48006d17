/*
 * worker/clamd_answer.c - what clamd's answers mean.
 *
 * Every text below was taken from clamd 1.4's own answers or from its table
 * of error texts (docs/decisions/0005-clamd-protocol.md).
 */
#include "worker/clamd_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMITS "Heuristics.Limits.Exceeded"

/* clamd.conf allows MaxRecursion up to 100; its own count may be one more. */
#define PROBE_DEPTH 128

/*
 * Errors that the content of this very file brings about: another try will
 * end the same way.  Everything else (no room for a temporary file, no
 * descriptor, a bad signature) is clamd's own trouble and may pass.
 */
static const char *const errors_of_file[] = {
    "Can't allocate memory",
    "Exceeded time limit",
    "Exceeded max recursion depth",
    "Exceeded max scan size",
    "Exceeded max scan files",
    "Bad format or broken data",
    "Can't unpack some data",
    "Can't parse data",
    "Time limit reached",
};

static const char *
skip_number(const char *p)
{
	const char *start = p;

	while (*p >= '0' && *p <= '9')
		p++;
	return p > start ? p : NULL;
}

static const char *
skip_text(const char *p, const char *text)
{
	const size_t len = strlen(text);

	return p && strncmp(p, text, len) == 0 ? p + len : NULL;
}

static const char *
skip_id(const char *line, uint32_t id)
{
	char head[16];

	(void)snprintf(head, sizeof(head), "%u: ", id);
	return skip_text(line, head);
}

const char *
clamd_answer_text(const char *line, uint32_t id)
{
	const char *p = skip_text(skip_id(line, id), "fd[");

	p = p ? skip_number(p) : NULL;
	return skip_text(p, "]: ");
}

const char *
clamd_version_text(const char *line, uint32_t id)
{
	const char *p = skip_id(line, id);

	return skip_text(p, "ClamAV ") ? p : NULL;
}

/* The length of text without its last word, or 0: it doesn't end so. */
static int
before(const char *text, const char *last)
{
	const size_t len = strlen(text), tail = strlen(last);

	if (len <= tail || strcmp(text + len - tail, last) != 0)
		return 0;
	return (int)(len - tail);
}

static enum answer
error_kind(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors_of_file); i++)
		if (strstr(text, errors_of_file[i]))
			return ANSWER_UNKNOWN_MESSAGE;
	return ANSWER_UNKNOWN_SYSTEM;
}

bool
clamd_answer_parse(const char *text, struct engine_answer *ret)
{
	int len;

	if (strcmp(text, "OK") == 0) {
		answer_set(ret, "clamd", ANSWER_CLEAN, "%s", "");
		return true;
	}
	len = before(text, " FOUND");
	if (len && skip_text(text, LIMITS)) {
		answer_set(ret, "clamd", ANSWER_UNKNOWN_MESSAGE,
		    "clamd's limit: %.*s", len, text);
		return true;
	}
	if (len) {
		answer_set(ret, "clamd", ANSWER_HIT, "%.*s", len, text);
		return true;
	}
	len = before(text, " ERROR");
	if (len) {
		answer_set(
		    ret, "clamd", error_kind(text), "clamd: %.*s", len, text);
		return true;
	}
	return false;
}

int
clamd_probe_new(void)
{
	static const char top[] = "Received: by localhost\n";
	static const char layer[] = "From: probe@localhost\n"
				    "MIME-Version: 1.0\n"
				    "Content-Type: message/rfc822\n\n";
	CLEANUP(close_fd) int fd = memfd_new("clamd-probe");
	char mail[sizeof(top) + PROBE_DEPTH * sizeof(layer)];
	char *p = stpcpy(mail, top);
	int r;

	if (fd < 0)
		return fd;
	for (int i = 0; i < PROBE_DEPTH; i++)
		p = stpcpy(p, layer);
	r = write_all(fd, mail, (size_t)(p - mail));
	return r < 0 ? r : TAKE_FD(fd);
}

bool
clamd_probe_passed(const char *text, struct engine_answer *ret)
{
	if (skip_text(text, LIMITS) && before(text, " FOUND") &&
	    !strstr(text, ".UNOFFICIAL"))
		return true;
	if (strcmp(text, "OK") == 0)
		answer_set(ret, "clamd", ANSWER_UNKNOWN_SYSTEM,
		    "clamd calls mail clean that exceeds its limits: write "
		    "\"AlertExceedsMax yes\" into /etc/clamav/clamd.conf and "
		    "restart it (or it has \"ScanMail no\" or lost its "
		    "TemporaryDirectory)");
	else
		answer_set(ret, "clamd", ANSWER_UNKNOWN_SYSTEM,
		    "clamd's answer to the probe of AlertExceedsMax: %s", text);
	return false;
}
