/*
 * worker/cell.c - worker/cell.h: map the message, run the readers, commit.
 */
#include "worker/cell.h"

#include "common/cleanup.h"
#include "worker/cell_priv.h"
#include "worker/mime.h"
#include "worker/types.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

/* Has one of everything that is set up at its first use. */
static const char sample[] =
    "Received: from a (b [192.0.2.1]) by c; Thu, 1 Jan 1970 00:00:00 +0000\n"
    "From: =?UTF-8?Q?a?= <a@example.org>\n"
    "To: b@example.org\n"
    "Date: Thu, 1 Jan 1970 00:00:00 +0000\n"
    "Message-ID: <a@example.org>\n"
    "Subject: a\n"
    "MIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=\"a\"\n"
    "\n"
    "--a\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: quoted-printable\n"
    "\n"
    "a=20b\n"
    "--a\n"
    "Content-Type: application/octet-stream; name=\"a.gz\"\n"
    "Content-Disposition: attachment; filename=\"a.gz\"\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "H4sIAAAAAAAAA0vkAgAHoerdAgAAAA==\n"
    "--a\n"
    "Content-Type: message/rfc822\n"
    "\n"
    "Subject: b\n"
    "\n"
    "\1\2\3\n"
    "--a--\n";

/* Read the sample once, so that no cell has to bind symbols, register
 * classes and fill tables on pages that it must copy first. */
static int
warm_up(void)
{
	static const struct cell_limits limits = {.message_bytes = UINT32_MAX,
	    .output_bytes = UINT64_C(1) << 20,
	    .parts = 100,
	    .depth = 10,
	    .headers = 100};
	CLEANUP(close_fd)
	int fd = memfd_create("sample", MFD_CLOEXEC);
	struct cell c = {.limits = &limits,
	    .message = {sample, sizeof(sample) - 1},
	    .tidy = true};

	if (fd < 0)
		return -errno;
	c.w = writer_new(fd, limits.output_bytes);
	if (!c.w)
		return -ENOMEM;
	cell_scan(&c);
	(void)writer_commit(c.w, c.status, c.ambiguity, c.hold, c.text);
	cell_done(&c);
	return 0;
}

int
cell_prepare(void)
{
	static bool is_ready;
	int r;

	if (is_ready)
		return 0;
	cell_heap_prepare();
	/* Dates in archives: no file of time zones is to be read. */
	if (setenv("TZ", "UTC0", 1) < 0)
		return -ENOMEM;
	tzset();
	/* Names in archives: libarchive converts them to the locale's. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return -ENOENT;
	r = types_prepare();
	if (r == 0)
		r = mime_prepare();
	if (r == 0)
		r = warm_up();
	if (r == 0)
		cell_heap_settle();
	is_ready = r == 0;
	return r;
}

/* A file of no octets has no mapping. */
int
cell_map(int fd, struct span *ret)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == 0) {
		*ret = (struct span){.at = "", .len = 0};
		return 0;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ,
	    MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*ret = (struct span){.at = map, .len = (size_t)st.st_size};
	return 0;
}

void
cell_scan(struct cell *c)
{
	mime_message(c);
	cell_inner_names(c);
}

int
cell_read(int message_fd, int arena_fd, const struct cell_limits *limits)
{
	struct cell c = {.limits = limits};
	int r = cell_map(message_fd, &c.message);

	if (r < 0)
		return r;
	c.w = writer_new(arena_fd, limits->output_bytes);
	if (!c.w)
		return -ENOMEM;
	cell_scan(&c);
	return writer_commit(c.w, c.status, c.ambiguity, c.hold, c.text);
}
