#include "tools/sluice/mail_find.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* RFC 5322 allows 998 octets, base64 76; a longer line is no base64. */
#define LINE_MAX_BYTES 4096

/* Base64 of a magic, without the last digits, which the next octets share. */
#define MAGIC_DIGITS 10u

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A stream of digits, decoded as it comes. */
struct decoding {
	uint32_t bits;
	unsigned int n_digits; /* of a group of four */
	bool is_ended;         /* by padding */
	uint64_t bytes, max_bytes;
	int out_fd;
};

/* Octets of the group so far: 2 digits are one, 3 two, 4 three. */
static void
take_group(struct decoding *d, unsigned char *out, size_t *n)
{
	for (unsigned int i = 0; i + 1 < d->n_digits; i++)
		out[(*n)++] = (unsigned char)(d->bits >> (16 - 8 * i));
	d->bits = 0;
	d->n_digits = 0;
}

/* 0; -EBADMSG: no line of base64, nothing was taken of it; or -errno. */
static int
take_line(struct decoding *d, const char *line, size_t n)
{
	unsigned char out[LINE_MAX_BYTES];
	size_t n_out = 0, padding = 0;

	if (n == 0 || n > sizeof(out) || d->is_ended)
		return -EBADMSG;
	while (padding < 2 && padding < n && line[n - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i + padding < n; i++)
		if (value_of(line[i]) < 0)
			return -EBADMSG;
	for (size_t i = 0; i + padding < n; i++) {
		d->bits |= (uint32_t)value_of(line[i])
			   << (18 - 6 * d->n_digits++);
		if (d->n_digits == 4)
			take_group(d, out, &n_out);
	}
	if (padding > 0) {
		take_group(d, out, &n_out);
		d->is_ended = true;
	}
	d->bytes += n_out;
	if (d->bytes > d->max_bytes)
		return -EFBIG;
	return write_all(d->out_fd, out, n_out);
}

/* The digits that base64 of the magic begins with. */
static void
encode_magic(const char *magic, char ret[MAGIC_DIGITS])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (unsigned int i = 0; i < MAGIC_DIGITS; i++) {
		const unsigned int bit = 6 * i, at = bit / 8;
		const unsigned int two =
		    (unsigned int)(unsigned char)magic[at] << 8 |
		    (at + 1 < MAIL_MAGIC ? (unsigned char)magic[at + 1] : 0);

		ret[i] = digits[two >> (10 - bit % 8) & 63];
	}
}

int
mail_find(FILE *in, const char *magic, uint64_t max_bytes, int out_fd)
{
	struct decoding d = {.max_bytes = max_bytes, .out_fd = out_fd};
	char begin[MAGIC_DIGITS], line[LINE_MAX_BYTES];
	bool is_within = false, is_new = true; /* a line begins here */
	int r = 0;

	encode_magic(magic, begin);
	while (r == 0 && fgets(line, sizeof(line), in)) {
		const bool begins = is_new;
		size_t n = strcspn(line, "\r\n");

		is_new = strchr(line, '\n') != NULL;
		if (!is_within)
			is_within = begins && n >= sizeof(begin) &&
				    memcmp(line, begin, sizeof(begin)) == 0;
		if (!is_within)
			continue;
		r = is_new || feof(in) ? take_line(&d, line, n) : -EBADMSG;
		if (r == -EBADMSG) /* no more of it */
			return 0;
	}
	if (r < 0 || ferror(in))
		return r < 0 ? r : -EIO;
	return is_within ? 0 : -ENODATA;
}

static int
say(int r, char *err, size_t err_size, const char *text)
{
	(void)snprintf(err, err_size, "%s", text);
	return r;
}

/* Standard input, or a regular file. */
static FILE *
open_input(const char *path)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;
	FILE *in;

	fd = strcmp(path, "-") == 0
		 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (strcmp(path, "-") != 0 && !S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	in = fdopen(fd, "r");
	if (in)
		fd = -1;
	return in;
}

int
mail_or_file(const char *path, const char *magic, uint64_t max_bytes,
    int *ret_fd, char *err, size_t err_size)
{
	CLEANUP(close_fd) int out = -1;
	FILE *in = open_input(path);
	char begin[MAIL_MAGIC];
	int r;

	if (!in)
		return say(-errno, err, err_size, strerror(errno));
	if (strcmp(path, "-") != 0 &&
	    pread_all(fileno(in), begin, sizeof(begin), 0) == 0 &&
	    memcmp(begin, magic, sizeof(begin)) == 0) {
		*ret_fd = fcntl(fileno(in), F_DUPFD_CLOEXEC, 3);
		r = *ret_fd < 0 ? -errno : 0;
		(void)fclose(in);
		return r;
	}
	out = memfd_new("mail");
	r = out < 0 ? out : mail_find(in, magic, max_bytes, out);
	(void)fclose(in);
	if (r == -ENODATA)
		return say(-EBADMSG, err, err_size,
		    "neither a file of that kind nor a mail that has one in "
		    "base64");
	if (r == -EFBIG)
		return say(r, err, err_size, "what the mail has is too long");
	if (r < 0)
		return say(r, err, err_size, strerror(-r));
	*ret_fd = TAKE_FD(out);
	return 0;
}
