#include "tools/sluice/repository_notice.h"

#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define SENDMAIL "/usr/sbin/sendmail"

/* Octets of a line of base64: 76 digits (RFC 2045, 6.8). */
#define LINE_OCTETS 57u

#define ADDRESS_MAX 254u /* RFC 5321, 4.5.3.1.3, without the brackets */

extern char **environ;

bool
notice_is_address(const char *text)
{
	const char *at = strchr(text, '@');

	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("<>,;:\\\"()", *c))
			return false;
	return at && at > text && at[1] && *text != '-' &&
	       strlen(text) <= ADDRESS_MAX;
}

static void
write_base64(const unsigned char *at, size_t n, FILE *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		const uint32_t bits = (uint32_t)at[i] << 16 |
				      (i + 1 < n ? at[i + 1] : 0u) << 8 |
				      (i + 2 < n ? at[i + 2] : 0u);

		(void)fputc(digits[bits >> 18], out);
		(void)fputc(digits[bits >> 12 & 63], out);
		(void)fputc(i + 1 < n ? digits[bits >> 6 & 63] : '=', out);
		(void)fputc(i + 2 < n ? digits[bits & 63] : '=', out);
		if (i % LINE_OCTETS == LINE_OCTETS - 3 || i + 3 >= n)
			(void)fputc('\n', out);
	}
}

static const char *
base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void
write_head(
    const struct notice *n, uint64_t now_sec, const char *boundary, FILE *out)
{
	const time_t now = (time_t)now_sec;
	const uint64_t release = mef_update_head(n->whole)->to.release;
	char date[64];
	struct tm tm;

	/* The C locale: this program sets none. */
	if (!gmtime_r(&now, &tm) ||
	    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm) ==
		0)
		abort();
	(void)fprintf(out, "Date: %s\nFrom: %s\nTo: ", date, n->from);
	for (size_t i = 0; i < n->n_to; i++)
		(void)fprintf(out, "%s%s", i > 0 ? ",\n\t" : "", n->to[i]);
	(void)fprintf(out,
	    "\nSubject: Release %" PRIu64 " of the model\n"
	    "Message-ID: <release-%" PRIu64 ".%" PRIu64 "%s>\n"
	    "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n",
	    release, release, now_sec, strchr(n->from, '@'));
	if (n->is_enclosing)
		(void)fprintf(out,
		    "Content-Type: multipart/mixed; boundary=\"%s\"\n\n--%s\n",
		    boundary, boundary);
	(void)fprintf(out, "Content-Type: text/plain; charset=us-ascii\n\n");
}

/* An update: where it is, and by what it is known. */
static void
write_update(const struct notice *n, const char *what,
    const struct mef_update *update, const char *path, FILE *out)
{
	const struct mef_update_head *h = mef_update_head(update);
	char hex[DIGEST_HEX];

	(void)fprintf(out, "%s\n  location   %s/%s\n  octets     %zu\n", what,
	    n->url, base_of(path), sizeof(*h) + (size_t)h->payload_bytes);
	(void)fprintf(out, "  payload    %s\n", digest_hex(&h->payload, hex));
	(void)fprintf(out, "  signature  ");
	for (size_t i = 0; i < sizeof(h->signature.bytes); i++)
		(void)fprintf(out, "%02x%s", h->signature.bytes[i],
		    i == sizeof(h->signature.bytes) / 2 - 1 ? "\n             "
							    : "");
	(void)fputs("\n\n", out);
}

static void
write_text(const struct notice *n, FILE *out)
{
	const struct mef_update_head *h = mef_update_head(n->whole);
	char hex[DIGEST_HEX];
	struct digest key;

	memcpy(&key, &h->key, sizeof(key)); /* printed as a digest is */
	(void)fprintf(out,
	    "There is a new release of the model of executables.\n\n"
	    "  release    %" PRIu64 "\n  documents  %" PRIu64
	    " malicious, %" PRIu64 " benign\n  SHA-256    %s\n",
	    h->to.release, h->to.n_documents[MEF_MALICIOUS],
	    h->to.n_documents[MEF_BENIGN], digest_hex(&h->to.file, hex));
	(void)fprintf(out, "  key        %s\n\n", digest_hex(&key, hex));
	if (n->step)
		write_update(
		    n, "From the release before:", n->step, n->step_path, out);
	write_update(n, "All of it, for any release or none:", n->whole,
	    n->whole_path, out);
	(void)fputs(
	    "Digests and signatures are hexadecimal; the signature is "
	    "Ed25519, over the\nhead of the update.  `sluice model poll` "
	    "takes it, or `sluice model apply`.\n",
	    out);
}

static int
write_enclosure(const struct notice *n, const char *boundary, FILE *out)
{
	const char *path = n->step ? n->step_path : n->whole_path;
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(free_ptr) char *octets = NULL;
	size_t size = 0;
	int r = fd < 0 ? -errno : read_fd(fd, MEF_UPDATE_MAX, &octets, &size);

	if (r < 0)
		return r;
	(void)fprintf(out,
	    "\n--%s\nContent-Type: application/octet-stream\n"
	    "Content-Transfer-Encoding: base64\n"
	    "Content-Disposition: attachment; filename=\"%s\"\n\n",
	    boundary, base_of(path));
	write_base64((const unsigned char *)octets, size, out);
	(void)fprintf(out, "\n--%s--\n", boundary);
	return 0;
}

int
notice_write(const struct notice *n, uint64_t now_sec, FILE *out)
{
	char hex[DIGEST_HEX], boundary[48];

	/* No line of text or base64 begins with two hyphens. */
	(void)snprintf(boundary, sizeof(boundary), "%.32s",
	    digest_hex(&mef_update_head(n->whole)->payload, hex));
	write_head(n, now_sec, boundary, out);
	write_text(n, out);
	return n->is_enclosing ? write_enclosure(n, boundary, out) : 0;
}

/* sendmail -oi -f FROM -- TO..., its standard input from the file. */
static int
run_sendmail(char **argv, const char *path)
{
	posix_spawn_file_actions_t actions;
	int status, r;
	pid_t pid;

	r = posix_spawn_file_actions_init(&actions);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(
		    &actions, STDIN_FILENO, path, O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status == 0 ? 0 : -EPROTO;
}

int
notice_send(const struct repository *repository, const struct notice *n,
    const char *path)
{
	CLEANUP(free_ptr) char **argv = xcalloc(n->n_to + 6, sizeof(*argv));
	size_t k = 0;
	int r;

	argv[k++] = xstrdup(SENDMAIL);
	argv[k++] = xstrdup("-oi");
	argv[k++] = xstrdup("-f");
	argv[k++] = xstrdup(n->from);
	argv[k++] = xstrdup("--");
	for (size_t i = 0; i < n->n_to; i++)
		argv[k++] = xstrdup(n->to[i]);
	r = run_sendmail(argv, path);
	while (k > 0)
		free(argv[--k]);
	if (r == 0)
		return STATUS_FINE;
	return util_fail(STATUS_SYSTEM, repository->command,
	    "%s: %s does not take it (%s); the release is out, send this file "
	    "by hand",
	    path, SENDMAIL, strerror(-r));
}
