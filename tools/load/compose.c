/* tools/load/compose.c - headers, bodies and parts of artificial mail. */
#include "compose.h"

#include "attach.h"
#include "words.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The headers and the markup of parts take about this much of a size. */
#define OVERHEAD_BYTES 500

const char *
class_name(enum msg_class c)
{
	static const char *const names[CLASS_COUNT] = {
	    [CLASS_HAM] = "ham",
	    [CLASS_SPAM] = "spam",
	    [CLASS_EICAR] = "eicar",
	    [CLASS_EXT] = "ext",
	    [CLASS_ATTACH] = "attach",
	    [CLASS_CORPUS] = "corpus",
	};

	assert(c < CLASS_COUNT);
	return names[c];
}

static size_t
draw_bytes(struct rng *r, double mu, double sigma, uint64_t max)
{
	const double x = rng_lognormal(r, mu, sigma);

	return x < (double)max ? (size_t)x : (size_t)max;
}

static size_t
less_overhead(size_t bytes)
{
	return bytes > OVERHEAD_BYTES ? bytes - OVERHEAD_BYTES : 1;
}

static void
add_headers(struct buf *b, struct rng *r, const struct stamp *s)
{
	const time_t now = time(NULL);
	struct tm tm;
	char date[64];

	(void)gmtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	buf_addf(b, "From: Traffic <%s>\nTo: <%s>\nSubject: ", s->sender,
	    s->recipient);
	words_add(b, r, 3 + (unsigned)rng_below(r, 5));
	buf_addf(b, "\nDate: %s\nMessage-ID: <%s@%s>\nMIME-Version: 1.0\n",
	    date, s->id, s->domain);
}

static void
add_type(struct buf *b, const char *type, const char *encoding)
{
	buf_addf(b, "Content-Type: %s\nContent-Transfer-Encoding: %s\n\n", type,
	    encoding);
}

/* Text with some words that aren't ASCII, so that it wants an encoding. */
static void
accented(struct buf *b, struct rng *r, size_t bytes)
{
	static const char *const foreign[] = {"caf\xc3\xa9",
	    "Gr\xc3\xbc\xc3\x9f"
	    "e",
	    "ma\xc3\xb1"
	    "ana",
	    "\xe2\x82\xac 20"};

	while (b->len < bytes) {
		text_add(b, r, 200);
		buf_addf(
		    b, "%s, %s!\n", foreign[rng_below(r, 4)], word_pick(r));
	}
}

static void
add_plain(struct buf *b, struct rng *r, size_t bytes)
{
	add_type(b, "text/plain; charset=us-ascii", "7bit");
	text_add(b, r, bytes);
}

static void
add_encoded(struct buf *b, struct rng *r, size_t bytes)
{
	const bool quoted = rng_below(r, 2) == 0;
	struct buf text = {0};

	accented(&text, r, quoted ? bytes : bytes * 3 / 4);
	add_type(b, "text/plain; charset=utf-8",
	    quoted ? "quoted-printable" : "base64");
	if (quoted)
		quoted_add(b, text.data, text.len);
	else
		base64_add(b, text.data, text.len);
	buf_done(&text);
}

/* "=_" can't occur in base64 or quoted-printable, nor in our words. */
static void
open_multipart(
    struct buf *b, struct rng *r, const char *subtype, char ret_boundary[32])
{
	(void)snprintf(
	    ret_boundary, 32, "=_%016llx", (unsigned long long)rng_next(r));
	buf_addf(b,
	    "Content-Type: multipart/%s;\n\tboundary=\"%s\"\n\n"
	    "This is a message of several parts in MIME format.\n\n--%s\n",
	    subtype, ret_boundary, ret_boundary);
}

static void
add_alternative(struct buf *b, struct rng *r, size_t bytes)
{
	char boundary[32];
	struct buf html = {0};

	open_multipart(b, r, "alternative", boundary);
	add_plain(b, r, bytes * 2 / 5);
	buf_addf(b, "\n--%s\n", boundary);
	add_type(b, "text/html; charset=utf-8", "quoted-printable");
	buf_adds(&html, "<html><body>\n<p class=\"first\">");
	accented(&html, r, bytes * 3 / 5);
	buf_adds(&html, "</p>\n</body></html>\n");
	quoted_add(b, html.data, html.len);
	buf_done(&html);
	buf_addf(b, "\n--%s--\n", boundary);
}

static void
add_text_body(struct buf *b, struct rng *r, size_t bytes)
{
	const uint64_t dice = rng_below(r, 20);

	if (dice < 10)
		add_plain(b, r, bytes);
	else if (dice < 15)
		add_encoded(b, r, bytes);
	else
		add_alternative(b, r, bytes);
}

static void
add_spam_body(struct buf *b, struct rng *r, size_t bytes)
{
	/* GTUBE, in two halves like EICAR. */
	static const char *const halves[] = {
	    "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI",
	    "-UBE-TEST-EMAIL*C.34X",
	};

	add_type(b, "text/plain; charset=us-ascii", "7bit");
	text_add(b, r, bytes / 2);
	buf_addf(b, "\n%s%s\n\n", halves[0], halves[1]);
	text_add(b, r, bytes / 2);
}

static void
add_attachment(struct buf *b, const struct attachment *a, const char *boundary)
{
	buf_addf(b,
	    "\n--%s\nContent-Type: %s; name=\"%s\"\n"
	    "Content-Disposition: attachment; filename=\"%s\"\n"
	    "Content-Transfer-Encoding: base64\n\n",
	    boundary, a->type, a->name, a->name);
	base64_add(b, a->content.data, a->content.len);
}

/* Octets of content that give so many octets of base64 lines. */
static size_t
before_base64(size_t bytes)
{
	return bytes / 77 * 57 + 1;
}

static void
add_special(
    struct buf *b, struct rng *r, enum msg_class c, const struct sizes *sizes)
{
	const size_t text = draw_bytes(r, sizes->mu, sizes->sigma, 8192);
	struct attachment a;
	char boundary[32];

	if (c == CLASS_EICAR)
		attachment_eicar(&a, r);
	else
		attachment_refused(&a, r, 2000);
	open_multipart(b, r, "mixed", boundary);
	add_plain(b, r, less_overhead(text));
	add_attachment(b, &a, boundary);
	buf_addf(b, "\n--%s--\n", boundary);
	attachment_done(&a);
}

static void
add_attachments(struct buf *b, struct rng *r, const struct sizes *sizes)
{
	const size_t bytes = less_overhead(draw_bytes(
	    r, sizes->attach_mu, sizes->attach_sigma, sizes->max_bytes));
	const size_t text = bytes / 4 < 1500 ? bytes / 4 : 1500;
	const unsigned parts = rng_below(r, 5) == 0 ? 2 : 1;
	char boundary[32];

	open_multipart(b, r, "mixed", boundary);
	add_plain(b, r, text);
	for (unsigned i = 0; i < parts; i++) {
		struct attachment a;

		attachment_draw(&a, r, before_base64((bytes - text) / parts));
		add_attachment(b, &a, boundary);
		attachment_done(&a);
	}
	buf_addf(b, "\n--%s--\n", boundary);
}

void
compose(struct buf *out, struct rng *r, enum msg_class c,
    const struct sizes *sizes, const struct stamp *stamp)
{
	add_headers(out, r, stamp);
	switch (c) {
	case CLASS_HAM:
		add_text_body(out, r,
		    less_overhead(draw_bytes(
			r, sizes->mu, sizes->sigma, sizes->max_bytes)));
		break;
	case CLASS_SPAM:
		add_spam_body(out, r,
		    less_overhead(draw_bytes(
			r, sizes->mu, sizes->sigma, sizes->max_bytes)));
		break;
	case CLASS_EICAR:
	case CLASS_EXT:
		add_special(out, r, c, sizes);
		break;
	case CLASS_ATTACH:
		add_attachments(out, r, sizes);
		break;
	case CLASS_CORPUS:
	case CLASS_COUNT:
		abort(); /* never asked for */
	}
}
