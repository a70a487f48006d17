/*
 * Records as sendmail 8.17.1.9 writes them, checked against what it then
 * sends to the next hop (docs/queue-states.md, "What a qf says").
 */
#include "queues/qf.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/qf_priv.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define QF_VERSION "8"

/* sendmail puts it in front of octets that have a meaning of their own. */
#define QUOTE '\377'
/* Starts a macro that is expanded only when the header is sent. */
#define MACRO '\201'

/* What sendmail can send of one line of a header. */
#define LINE_ROOM ((size_t)2303)

struct parsing {
	struct qf *qf;
	const char *reason;
	bool keeps_bcc; /* else F has b: sendmail takes them out */
	bool has_end;
};

static int
bad(struct parsing *p, const char *reason)
{
	p->reason = reason;
	return -EBADMSG;
}

struct qf_record
qf_next_record(const char **text, const char *end)
{
	struct qf_record rec = {*text, 0};
	const char *p = *text;

	do {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		rec.len = (size_t)((nl ? nl : end) - rec.text);
		p = nl ? nl + 1 : end;
	} while (p < end && (*p == ' ' || *p == '\t'));
	*text = p;
	return rec;
}

/* Copy len octets without sendmail's quoting; returns how many came out. */
static size_t
unquote(char *to, const char *from, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (from[i] == QUOTE && ++i == len)
			break; /* the octet behind it was cut off */
		to[n++] = from[i];
	}
	return n;
}

static char *
copy_text(const char *from, size_t len)
{
	char *text = malloc(len + 1);

	if (text)
		text[unquote(text, from, len)] = '\0';
	return text;
}

/* An address without the <> around it. */
static char *
copy_address(const char *from, size_t len)
{
	if (len >= 2 && from[0] == '<' && from[len - 1] == '>') {
		from++;
		len -= 2;
	}
	return copy_text(from, len);
}

static int
set_text(struct parsing *p, char **field, char *text, const char *twice)
{
	if (!text)
		return -ENOMEM;
	if (*field) {
		free(text);
		return bad(p, twice);
	}
	*field = text;
	return 0;
}

static int
take_time(struct parsing *p, const char *v, size_t len)
{
	uint64_t sec = 0;

	if (len == 0 || len > 11)
		return bad(p, "impossible T record");
	for (size_t i = 0; i < len; i++) {
		if (v[i] < '0' || v[i] > '9')
			return bad(p, "impossible T record");
		sec = sec * 10 + (uint64_t)(v[i] - '0');
	}
	p->qf->created.usec = sec * USEC_PER_SEC;
	return 0;
}

static void
take_flags(struct parsing *p, const char *v, size_t len)
{
	if (memchr(v, '8', len))
		p->qf->eight_bit = true;
	if (memchr(v, 'b', len))
		p->keeps_bcc = false;
}

/* "RPFD:<a@b>": flags, colon, address. */
static int
take_rcpt(struct parsing *p, const char *v, size_t len)
{
	struct qf *qf = p->qf;
	const char *colon = memchr(v, ':', len);
	char *rcpt;

	if (!colon)
		return bad(p, "R record without its colon");
	qf->recipients++;
	if (qf->n_rcpt == QF_MAX_RCPT)
		return 0;
	len -= (size_t)(colon + 1 - v);
	rcpt = copy_address(colon + 1, len);
	if (!rcpt)
		return -ENOMEM;
	qf->rcpt[qf->n_rcpt++] = rcpt;
	return 0;
}

bool
qf_is_named(const char *header, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && strncasecmp(header, name, n) == 0 && header[n] == ':';
}

/*
 * Does sendmail keep this header to itself?  The first three are tied to
 * mailer flags that a relay doesn't have, also when they came with the
 * message; Bcc goes when F says so.
 */
static bool
is_held_back(const struct parsing *p, const char *header, size_t len)
{
	if (qf_is_named(header, len, "Return-Path") ||
	    qf_is_named(header, len, "Full-Name") ||
	    qf_is_named(header, len, "Content-Length"))
		return true;
	return !p->keeps_bcc && (qf_is_named(header, len, "Bcc") ||
				    qf_is_named(header, len, "Resent-Bcc"));
}

/* A macro in it that sendmail would expand only for the mailer. */
static bool
has_macro(const char *v, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (v[i] == QUOTE)
			i++;
		else if (v[i] == MACRO)
			return true;
	}
	return false;
}

static void
put_line(struct qf *qf, bool has_blank, const char *text, size_t len)
{
	if (has_blank)
		qf->headers[qf->headers_len++] = ' ';
	qf->headers_len += unquote(qf->headers + qf->headers_len, text, len);
	qf->headers[qf->headers_len++] = '\n';
}

/*
 * The lines of a header as sendmail sends them, from a buffer of LINE_ROOM
 * octets: of an overlong line with another one behind it, one octet is
 * swallowed and the rest goes on in a line of its own; the last line is cut.
 */
static void
put_header(struct qf *qf, const char *text, size_t len)
{
	const char *end = text + len, *nl;
	bool has_blank = false;

	while ((nl = memchr(text, '\n', (size_t)(end - text)))) {
		size_t n = (size_t)(nl - text), room = LINE_ROOM - has_blank;

		if (n > room)
			n = room;
		put_line(qf, has_blank, text, n);
		text += n + 1;
		has_blank = text == end || (*text != ' ' && *text != '\t');
	}
	len = (size_t)(end - text);
	if (len > LINE_ROOM - has_blank)
		len = LINE_ROOM - has_blank;
	put_line(qf, has_blank, text, len);
}

/* A name as sendmail takes it, and its colon. */
static bool
has_name(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && (unsigned char)text[i] > ' ' && text[i] != ':')
		i++;
	return i > 0 && i < len && text[i] == ':';
}

/* "H?flags?Name: value"; with flags it is only for mailers that have one. */
static int
take_header(struct parsing *p, const char *v, size_t len)
{
	const char *end;
	size_t skip;

	if (len < 2 || v[0] != '?' || !(end = memchr(v + 1, '?', len - 1)))
		return bad(p, "H record without its flags");
	skip = (size_t)(end + 1 - v);
	v += skip;
	len -= skip;
	if (!has_name(v, len))
		return bad(p, "H record without a name");
	if (skip > 2 || is_held_back(p, v, len) || has_macro(v, len))
		return 0;
	put_header(p->qf, v, len);
	return 0;
}

static int
take_record(struct parsing *p, const struct qf_record *rec)
{
	const char *v = rec->text + 1;
	size_t len = rec->len - 1;

	switch (rec->text[0]) {
	case 'T':
		return take_time(p, v, len);
	case 'S':
		return set_text(
		    p, &p->qf->sender, copy_address(v, len), "two S records");
	case 'R':
		return take_rcpt(p, v, len);
	case 'F':
		take_flags(p, v, len);
		return 0;
	case 'B':
		if (len == 8 && strncasecmp(v, "8BITMIME", 8) == 0)
			p->qf->eight_bit = true;
		return 0;
	case '$':
		if (len == 0 || v[0] != '_')
			return 0;
		return set_text(p, &p->qf->client, copy_text(v + 1, len - 1),
		    "two $_ records");
	case 'H':
		return take_header(p, v, len);
	case 'd':
		return bad(p,
		    "df in another directory (d record): several queue "
		    "groups");
	case 'q':
		return bad(p, "in sendmail's own quarantine (q record)");
	case 'V':
		return bad(p, "two V records");
	case '.':
		p->has_end = true;
		return len == 0 ? 0 : bad(p, "octets behind the . line");
	case 'A': /* AUTH of MAIL FROM */
	case 'C': /* user to run as */
	case 'D': /* name of the df, older versions */
	case 'E': /* errors to */
	case 'G': /* queue delay algorithm */
	case 'I': /* inode of the df */
	case 'K': /* last try */
	case 'L': /* Solaris Content-Length */
	case 'M': /* why it waits */
	case 'N': /* tries */
	case 'P': /* priority */
	case 'Q': /* original recipient */
	case 'X': /* character set */
	case 'Y': /* delivery by a time */
	case 'Z': /* envelope id */
	case 'r': /* final recipient */
	case '!': /* deliver by */
		return 0;
	default:
		return bad(p, "unknown record");
	}
}

static int
take_version(struct parsing *p, const struct qf_record *rec)
{
	if (rec->len < 2 || rec->text[0] != 'V')
		return bad(p, "no V record first");
	if (rec->len != 2 || rec->text[1] != QF_VERSION[0])
		return bad(p, "unknown version of the queue file");
	return 0;
}

static int
parse_records(struct parsing *p, const char *text, size_t len)
{
	const char *end = text + len;
	struct qf_record rec = qf_next_record(&text, end);
	int r = take_version(p, &rec);

	while (r == 0 && text < end && !p->has_end) {
		rec = qf_next_record(&text, end);
		r = rec.len > 0 ? take_record(p, &rec) : bad(p, "empty line");
	}
	if (r < 0)
		return r;
	if (!p->has_end || end[-1] != '\n')
		return bad(p, "no . line at the end");
	if (text != end)
		return bad(p, "octets behind the . line");
	if (!p->qf->sender)
		return bad(p, "no S record");
	return p->qf->recipients > 0 ? 0 : bad(p, "no R record");
}

static struct qf *
qf_new(size_t room)
{
	struct qf *qf = xcalloc(1, sizeof(*qf));

	qf->rcpt = xcalloc(QF_MAX_RCPT, sizeof(*qf->rcpt));
	qf->headers = malloc(room);
	return qf->headers ? qf : qf_free(qf);
}

int
qf_parse(
    const char *text, size_t len, struct qf **ret_qf, const char **ret_reason)
{
	CLEANUP(qf_freep) struct qf *qf = NULL;
	struct parsing p = {.keeps_bcc = true};
	int r;

	if (len == 0 || len > QF_MAX_BYTES || memchr(text, '\0', len)) {
		*ret_reason = len == 0             ? "empty qf"
			      : len > QF_MAX_BYTES ? "qf too large"
						   : "NUL in the qf";
		return -EBADMSG;
	}
	/* Each line of headers is shorter than its record, but for the blank
	 * that put_header() adds, once in LINE_ROOM octets at most. */
	p.qf = qf = qf_new(len + len / LINE_ROOM + 2);
	if (!qf)
		return -ENOMEM;
	r = parse_records(&p, text, len);
	if (r == -EBADMSG)
		*ret_reason = p.reason;
	if (r < 0)
		return r;
	qf->headers[qf->headers_len] = '\0';
	*ret_qf = TAKE_PTR(qf);
	return 0;
}

struct qf *
qf_free(struct qf *qf)
{
	if (!qf)
		return NULL;
	for (size_t i = 0; i < qf->n_rcpt; i++)
		free(qf->rcpt[i]);
	free(qf->rcpt);
	free(qf->sender);
	free(qf->client);
	free(qf->headers);
	free(qf);
	return NULL;
}

void
qf_freep(struct qf **qf)
{
	*qf = qf_free(*qf);
}

bool
qf_header(const struct qf *qf, const char *name, char *buf, size_t size)
{
	const char *p = qf->headers, *end = p + qf->headers_len;

	while (p < end) {
		struct qf_record rec = qf_next_record(&p, end);
		size_t skip = strlen(name) + 1, n = 0;

		if (!qf_is_named(rec.text, rec.len, name))
			continue;
		while (skip < rec.len && strchr(" \t\n", rec.text[skip]))
			skip++;
		for (size_t i = skip; i < rec.len && n + 1 < size; i++)
			if (rec.text[i] != '\n')
				buf[n++] = rec.text[i];
		if (size > 0)
			buf[n] = '\0';
		return true;
	}
	return false;
}
