/* The body of a wrapped message. */
#include "queues/wrap_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/qf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define CHUNK ((size_t)64 * 1024)

/* RFC 2045 6.7: lines of at most 76 characters, "=" at the end of a soft one.
 */
#define QP_LINE 75

static bool
has_eight_bit(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)p[i] > 127)
			return true;
	return false;
}

/* Look through the df; with the end of each chunk before the next one, so
 * that a boundary across both is found. */
static int
look_at_df(int df, uint64_t bytes, struct wrap_form *form, bool *is_in_it)
{
	CLEANUP(free_ptr) char *buf = malloc(WRAP_BOUNDARY_SIZE + CHUNK);
	const size_t width = strlen(form->boundary);
	size_t kept = 0;

	if (!buf)
		return -ENOMEM;
	for (uint64_t at = 0; at < bytes;) {
		size_t n = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;
		int r = pread_all(df, buf + kept, n, at);

		if (r < 0)
			return r;
		if (!form->eight_bit)
			form->eight_bit = has_eight_bit(buf + kept, n);
		if (memmem(buf, kept + n, form->boundary, width))
			*is_in_it = true;
		at += n;
		n += kept;
		kept = n < width - 1 ? n : width - 1;
		memmove(buf, buf + n - kept, kept);
	}
	return 0;
}

static int
draw_boundary(struct wrap_form *form)
{
	unsigned char bits[16];
	char *p = form->boundary + strlen(WRAP_BOUNDARY_START);

	if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		return -EIO;
	memcpy(
	    form->boundary, WRAP_BOUNDARY_START, strlen(WRAP_BOUNDARY_START));
	for (size_t i = 0; i < sizeof(bits); i++)
		(void)snprintf(p + 2 * i, 3, "%02x", bits[i]);
	return 0;
}

int
wrap_look(
    const struct qf *qf, int df, uint64_t df_bytes, struct wrap_form *ret_form)
{
	struct wrap_form form = {
	    .eight_bit = has_eight_bit(qf->headers, qf->headers_len)};
	bool is_in_it;
	int r;

	do {
		r = draw_boundary(&form);
		if (r < 0)
			return r;
		is_in_it = memmem(qf->headers, qf->headers_len, form.boundary,
			       strlen(form.boundary)) != NULL;
		r = look_at_df(df, df_bytes, &form, &is_in_it);
	} while (r == 0 && is_in_it);
	if (r == 0)
		*ret_form = form;
	return r;
}

/* One octet as it stands in a line; is it the line's last? */
static size_t
put_octet(char *to, unsigned char c, bool is_last)
{
	bool is_plain = (c > ' ' && c < 0x7f && c != '=') ||
			((c == ' ' || c == '\t') && !is_last);

	if (is_plain) {
		*to = (char)c;
		return 1;
	}
	(void)snprintf(to, 4, "=%02X", c);
	return 3;
}

/* text in quoted-printable; out has room for 4 octets for each of it. */
static size_t
encode(const char *text, char *out)
{
	size_t n = 0, line = 0;

	for (const char *p = text; *p; p++) {
		char one[4];
		size_t len;

		if (*p == '\n') {
			out[n++] = '\n';
			line = 0;
			continue;
		}
		len = put_octet(
		    one, (unsigned char)*p, p[1] == '\n' || p[1] == '\0');
		if (line + len > QP_LINE) {
			memcpy(out + n, "=\n", 2);
			n += 2;
			line = 0;
		}
		memcpy(out + n, one, len);
		n += len;
		line += len;
	}
	return n;
}

static int
write_warning(int fd, const char *text, const struct wrap_form *form)
{
	CLEANUP(free_ptr) char *encoded = malloc(4 * strlen(text) + 1);
	char head[256];
	size_t len;
	int r;

	if (!encoded)
		return -ENOMEM;
	len = (size_t)snprintf(head, sizeof(head),
	    "--%s\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: quoted-printable\n"
	    "Content-Disposition: inline\n"
	    "\n",
	    form->boundary);
	r = write_all(fd, head, len);
	if (r == 0)
		r = write_all(fd, encoded, encode(text, encoded));
	return r;
}

int
wrap_write_body(int fd, const struct qf *qf, int df, uint64_t df_bytes,
    const char *text, const struct wrap_form *form)
{
	char line[256];
	size_t len;
	int r;

	r = write_warning(fd, text, form);
	if (r < 0)
		return r;
	/* The newline in front of a boundary is the boundary's (RFC 2046
	 * 5.1.1), so what is between them is the original, to its last octet.
	 */
	len = (size_t)snprintf(line, sizeof(line),
	    "\n--%s\n"
	    "Content-Type: message/rfc822\n"
	    "Content-Transfer-Encoding: %s\n"
	    "Content-Disposition: attachment; filename=\"original.eml\"\n"
	    "\n",
	    form->boundary, form->eight_bit ? "8bit" : "7bit");
	r = write_all(fd, line, len);
	if (r == 0)
		r = write_all(fd, qf->headers, qf->headers_len);
	if (r == 0)
		r = write_all(fd, "\n", 1);
	if (r == 0)
		r = copy_range(df, 0, df_bytes, fd);
	if (r < 0)
		return r;
	len =
	    (size_t)snprintf(line, sizeof(line), "\n--%s--\n", form->boundary);
	return write_all(fd, line, len);
}
