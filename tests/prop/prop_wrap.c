/*
 * tests/prop/prop_wrap.c - random messages and warnings, wrapped, and read
 * back by a MIME library that had no part in it: the warning and the original
 * come out, octet by octet.
 */
#include "queues/message.h"
#include "queues/wrap.h"
#include "tests/support/prop_draw.h"
#include "tests/support/tmpspool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <gmime/gmime.h>

#define RUNS     400
#define TEXT_MAX 3000

struct text {
	char *octets;
	size_t len;
};

/* The disk is not what is tried here. */
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

struct piece {
	const char *text;
	size_t len;
};
#define PIECE(text) \
	{ \
		text, sizeof(text) - 1 \
	}

static struct text
draw_text(const struct piece *pieces, size_t n, size_t most)
{
	struct text t = {xcalloc(1, most + 64), 0};
	const size_t want = draw(most + 1);

	while (t.len < want) {
		const struct piece *p = &pieces[draw(n)];

		memcpy(t.octets + t.len, p->text, p->len);
		t.len += p->len;
	}
	return t;
}

/* What a sender could hope to get out of its part with. */
static struct text
draw_body(void)
{
	static const struct piece pieces[] = {PIECE("\n"), PIECE("\n\n"),
	    PIECE("--"), PIECE("--\n"), PIECE("\n--=_sluice_"),
	    PIECE("\n--=_sluice_00000000000000000000000000000000--\n"),
	    PIECE("Content-Type: message/rfc822\n"), PIECE("boundary=\"x\"\n"),
	    PIECE("\n--x--\n"), PIECE("From x\n"), PIECE(".\n"), PIECE("\r\n"),
	    PIECE("\r"), PIECE("\0"), PIECE("\xff"), PIECE("\xc3\xa4"),
	    PIECE(" "), PIECE("\t"), PIECE("="), PIECE("=3D"), PIECE("word "),
	    PIECE("begin 644 x\n")};
	const bool is_large = draw(20) == 0;

	return draw_text(
	    pieces, ARRAY_SIZE(pieces), is_large ? 300000 : draw(2000));
}

static struct text
draw_warning(void)
{
	static const struct piece pieces[] = {PIECE("\n"), PIECE("\n\n"),
	    PIECE(" \n"), PIECE("\t\n"), PIECE("--"), PIECE("=\n"), PIECE("="),
	    PIECE("=_sluice_"), PIECE("word "), PIECE("\xc3\xa4"),
	    PIECE("\xf0\x9f\x98\x80"), PIECE(".\n"), PIECE("From x\n"),
	    PIECE("{{names}}"), PIECE("a long word of some more letters ")};

	return draw_text(pieces, ARRAY_SIZE(pieces), TEXT_MAX);
}

static struct text
draw_qf(void)
{
	static const struct piece pieces[] = {PIECE("H??Subject: s\n"),
	    PIECE("H??MIME-Version: 1.0\n"),
	    PIECE("H??Content-Type: multipart/mixed; boundary=x\n"),
	    PIECE("H??Content-Type: text/html;\n\tcharset=y\n"),
	    PIECE("H??content-transfer-encoding: base64\n"),
	    PIECE("H??Content-Encoding: gzip\n"),
	    PIECE("H??DKIM-Signature: a;\n b\n"), PIECE("H?M?Date: d\n"),
	    PIECE("H??Return-Path: <>\n"), PIECE("H??X: \xe4\n"),
	    PIECE("H??X:\377\231\n"), PIECE("H??X: \201g\n"),
	    PIECE("H??From: a@b\n"), PIECE("H??Y:\n --x\n")};
	struct text h = draw_text(pieces, ARRAY_SIZE(pieces), 300);
	struct text qf = {NULL, 0};

	qf.octets = xasprintf("V8\nT1\n%s%sS<a@b>\nRPFD:<c@d>\n%s.\n",
	    draw(2) ? "F8b\n" : "", draw(2) ? "B7BIT\n" : "", h.octets);
	qf.len = strlen(qf.octets);
	free(h.octets);
	return qf;
}

static struct text
build(const struct spool *spool, const struct claim *claim)
{
	const char *reason = NULL;
	struct text t;
	uint64_t bytes;
	struct qf *qf;
	int fd;

	assert_int_equal(message_build(spool, claim, UINT64_C(1) << 30, &fd,
			     &bytes, &qf, &reason),
	    0);
	assert_int_equal(read_fd(fd, 1 << 30, &t.octets, &t.len), 0);
	(void)close(fd);
	(void)qf_free(qf);
	return t;
}

static GMimeMessage *
parse(const struct text *t)
{
	GMimeStream *stream =
	    g_mime_stream_mem_new_with_buffer(t->octets, t->len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	g_object_unref(parser);
	g_object_unref(stream);
	assert_non_null(message);
	return message;
}

static GMimeObject *
child(GMimeMessage *message, int i)
{
	GMimeObject *top = g_mime_message_get_mime_part(message);

	assert_true(GMIME_IS_MULTIPART(top));
	assert_string_equal(g_mime_content_type_get_media_subtype(
				g_mime_object_get_content_type(top)),
	    "mixed");
	assert_int_equal(g_mime_multipart_get_count(GMIME_MULTIPART(top)), 2);
	return g_mime_multipart_get_part(GMIME_MULTIPART(top), i);
}

static void
content_is(GMimeObject *part, const struct text *want)
{
	GMimeStream *mem = g_mime_stream_mem_new();
	GByteArray *bytes;

	assert_true(GMIME_IS_PART(part));
	(void)g_mime_data_wrapper_write_to_stream(
	    g_mime_part_get_content(GMIME_PART(part)), mem);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
	assert_int_equal(bytes->len, want->len);
	if (want->len)
		assert_memory_equal(bytes->data, want->octets, want->len);
	g_object_unref(mem);
}

/* GMime takes a message/rfc822 apart; of a type that it does not know it gives
 * the octets, and between the same boundaries they are the same. */
static void
hide_type(struct text *t)
{
	static const char type[] = "\nContent-Type: message/rfc822\n";
	char *p = memmem(t->octets, t->len, "\n--=_sluice_", 12);

	/* Behind the first boundary there is the text, which can't have it. */
	p = memmem(p, (size_t)(t->octets + t->len - p), type, strlen(type));
	assert_non_null(p);
	memcpy(p, "\nContent-Type: original/unknown", strlen(type) - 1);
}

static void
read_back(
    struct text *whole, const struct text *warning, const struct text *original)
{
	GMimeMessage *message = parse(whole);

	content_is(child(message, 0), warning);
	assert_true(GMIME_IS_MESSAGE_PART(child(message, 1)));
	g_object_unref(message);
	hide_type(whole);
	message = parse(whole);
	content_is(child(message, 1), original);
	g_object_unref(message);
}

static void
wrap_one(const struct spool *spool)
{
	struct text qf = draw_qf(), body = draw_body(), text = draw_warning();
	struct text original, whole;
	const char *reason = NULL;
	const int fd = spool->fds[SPOOL_FEED1];
	struct claim claim;

	tmp_put(fd, "dfA1", body.octets, body.len);
	tmp_put(fd, "qfA1", qf.octets, qf.len);
	assert_int_equal(
	    claim_take(spool, SPOOL_FEED1, "A1", &claim, &reason), 0);
	original = build(spool, &claim);
	assert_int_equal(wrap_message(spool, &claim, text.octets, &reason), 0);
	whole = build(spool, &claim);
	read_back(&whole, &text, &original);
	claim_drop(&claim);
	assert_int_equal(unlinkat(fd, "qfA1", 0), 0);
	assert_int_equal(unlinkat(fd, "dfA1", 0), 0);
	free(qf.octets);
	free(body.octets);
	free(text.octets);
	free(original.octets);
	free(whole.octets);
}

static void
prop_what_was_wrapped_comes_out_octet_by_octet(void **state)
{
	char *path = tmpspool_make();
	struct spool *spool = tmpspool_open(path);

	(void)state;
	for (int i = 0; i < RUNS; i++)
		wrap_one(spool);
	(void)spool_free(spool);
	tmp_remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prop_what_was_wrapped_comes_out_octet_by_octet),
	};

	g_mime_init();
	draw_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
