#include "tests/support/cell_run.h"

#include "worker/mime_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TOP "From: a\nSubject: b\n\nhello\n\n"
#define PART \
	"From: a\nContent-Type: application/octet-stream; name=a.zip\n" \
	"Content-Transfer-Encoding: %s\n\n"

static char mail[20000];

/* The zip of the test virus, in base64 of one of several kinds. */
struct kind {
	const char *what;
	size_t width;
	const char *end; /* of each line */
};

static const struct kind kinds[] = {
    {"usual lines", 76, "\n"},
    {"one line", 10000, ""},
    {"three characters a line", 3, "\n"},
    {"five characters a line", 5, "\n"},
    {"six characters a line", 6, "\n"},
    {"blank lines", 4, "\n\n"},
    {"CRLF", 76, "\r\n"},
    {"bare CR", 76, "\r"},
    {"LFCR", 76, "\n\r"},
    {"blanks", 1, " "},
    {"tabs", 2, "\t"},
    {"dots", 8, "."},
    {"dashes", 4, "-"},
    {"hashes", 4, "#\n"},
    {"percent signs", 4, "%%"},
    {"colons", 4, ":"},
    {"equals signs", 1, "="},
    {"equals signs at the ends", 76, "=\n"},
    {"four of them", 76, "\n===="},
    {"letters behind whole groups", 4, "XX\n"},
    {"three letters behind whole groups", 4, "XXX\n"},
};

static size_t
zip_as(char *out, const struct kind *kind)
{
	char zip[400];

	return to_base64(out, zip, eicar_zip(zip), kind->width, kind->end);
}

static void
base64_is_found_in_the_text_of_a_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = (size_t)sprintf(mail, TOP);
		struct reading *r;

		len += zip_as(mail + len, &kinds[i]);
		r = cell_run(mail, len);
		if (!cell_has_eicar(r) || !r->hold) {
			(void)printf("%s: %s\n", kinds[i].what,
			    cell_has_eicar(r) ? "not held" : "not found");
			fail();
		}
		assert_true(r->ambiguity & AMBIGUOUS_CARVED);
		assert_string_equal(
		    r->text, "a zip archive that no standard reader shows");
		reading_free(r);
	}
}

static void
base64_with_junk_is_decoded_by_each_style(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = (size_t)sprintf(mail, PART, "base64");
		struct reading *r;

		len += zip_as(mail + len, &kinds[i]);
		r = cell_run(mail, len);
		if (!cell_has_eicar(r)) {
			(void)printf("%s\n", kinds[i].what);
			fail();
		}
		reading_free(r);
	}
}

static void
a_stream_behind_padding_is_decoded(void **state)
{
	size_t len = (size_t)sprintf(mail, PART "QQ==\n", "base64");
	struct reading *r;

	(void)state;
	len += zip_as(mail + len, &kinds[0]);
	r = cell_run(mail, len);
	assert_true(cell_has_eicar(r));
	assert_true(r->hold);
	reading_free(r);
}

/* Every octet as =XX with something in front of it, and a soft break. */
static size_t
to_qp(char *out, const char *in, size_t len, const char *before)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (size_t)sprintf(out + n, "%s=%02X=\n", before,
		    (unsigned)(unsigned char)in[i]);
	return n;
}

static void
quoted_printable_is_decoded_whatever_is_wrong_with_it(void **state)
{
	static const char *const before[] = {"", "=0X", "=XX", "=Z", "=0a"};
	static const char *const names[] = {
	    "quoted-printable", "quotedprint", "qp", ""};
	char zip[400];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 4; k++) {
			size_t len = (size_t)sprintf(mail, PART, names[k]);
			struct reading *r;

			len +=
			    to_qp(mail + len, zip, eicar_zip(zip), before[i]);
			r = cell_run(mail, len);
			if (!cell_has_eicar(r) && !r->hold) {
				(void)printf("%s in %s\n", before[i], names[k]);
				fail();
			}
			reading_free(r);
		}
}

static size_t
to_uu(char *out, const char *in, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 45) {
		const size_t line = len - i < 45 ? len - i : 45;

		out[n++] = (char)(32 + line);
		for (size_t k = 0; k < line; k += 3) {
			uint32_t bits = 0;

			for (size_t m = 0; m < 3; m++)
				bits =
				    bits << 8 |
				    (k + m < line ? (unsigned char)in[i + k + m]
						  : 0u);
			for (int shift = 18; shift >= 0; shift -= 6)
				out[n++] =
				    (char)((bits >> shift & 63) == 0
					       ? '`'
					       : 32 + (bits >> shift & 63));
		}
		out[n++] = '\n';
	}
	return n;
}

static void
uuencode_is_found_by_itself_with_its_name(void **state)
{
	size_t len = (size_t)sprintf(mail, TOP "begin 644 evil.zip\n");
	char zip[400];
	const size_t bytes = eicar_zip(zip);
	const struct reading_part *part;
	struct reading *r;

	(void)state;
	len += to_uu(mail + len, zip, bytes);
	len += (size_t)sprintf(mail + len, "`\nend\n");
	r = cell_run(mail, len);
	part = cell_find(r, zip, bytes);
	if (!part) {
		fail();
		return;
	}
	assert_true(part_has_name(part, "evil.zip"));
	assert_int_equal(part->view, VIEW_CARVED);
	/* Readers of old show it: it contradicts nothing. */
	assert_false(r->hold);
	reading_free(r);
}

static void
a_begin_line_needs_neither_single_blanks_nor_a_name(void **state)
{
	static const char *const begins[] = {"begin  644 evil.bin\n",
	    "begin\t644\tevil.bin\n", "begin 644 \t evil.bin\r\n",
	    "begin 644\n", "begin 0644 \n", "begin 600\r\n"};
	static const char octets[] = "\1\2\3 octets that nobody knows";

	(void)state;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t len = (size_t)sprintf(mail, TOP "%s", begins[i]);
		const struct reading_part *part;
		struct reading *r;

		len += to_uu(mail + len, octets, sizeof(octets) - 1);
		len += (size_t)sprintf(mail + len, "`\nend\nbye\n");
		r = cell_run(mail, len);
		part = cell_find(r, octets, sizeof(octets) - 1);
		if (!part)
			fail_msg("%s", begins[i]);
		assert_int_equal(
		    part_has_name(part, "evil.bin"), i < 3 ? 1 : 0);
		assert_false(r->hold);
		reading_free(r);
	}
}

static void
uuencode_with_base64_is_found_by_its_begin_line(void **state)
{
	static const char *const befores[] = {
	    TOP, "From: a\nContent-Transfer-Encoding: x-uuencode\n\n"};
	static const char script[] = "WScript.Echo 1\r\n";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct reading_part *part;
		struct reading *r;

		r = cell_run(mail, (size_t)sprintf(mail,
				       "%sbegin-base64 644 evil.vbs\n"
				       "V1NjcmlwdC5FY2hvIDENCg==\n====\nbye\n",
				       befores[i]));
		part = cell_find(r, script, sizeof(script) - 1);
		if (!part)
			fail_msg("%s", befores[i]);
		assert_true(part_has_name(part, "evil.vbs"));
		reading_free(r);
	}
}

static void
each_uuencoded_file_of_a_leaf_is_found(void **state)
{
	static const char octets[] = "\1\2\3 octets that nobody knows";
	size_t len = (size_t)sprintf(mail, PART "begin 644 a.txt\n", "x-uue");
	const struct reading_part *part;
	struct reading *r;

	(void)state;
	len += to_uu(mail + len, "text\n", 5);
	len += (size_t)sprintf(mail + len, "`\nend\n\nbegin 644 evil.bin\n");
	len += to_uu(mail + len, octets, sizeof(octets) - 1);
	len += (size_t)sprintf(mail + len, "`\nend\n");
	r = cell_run(mail, len);
	assert_non_null(cell_find(r, "text\n", 5));
	part = cell_find(r, octets, sizeof(octets) - 1);
	assert_non_null(part);
	assert_true(part && part_has_name(part, "evil.bin"));
	assert_false(r->hold);
	reading_free(r);
}

static void
uuencode_without_begin_or_end_is_found(void **state)
{
	static const char *const names[] = {
	    "x-uuencode", "uuencode", "x-uue", "x-uu"};
	char zip[400];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t len = (size_t)sprintf(mail, PART, names[i]);
		struct reading *r;

		len += to_uu(mail + len, zip, eicar_zip(zip));
		r = cell_run(mail, len);
		assert_true(cell_has_eicar(r));
		reading_free(r);
	}
}

static void
yenc_is_found(void **state)
{
	size_t len = (size_t)sprintf(
	    mail, TOP "=ybegin line=128 size=1 name=evil.zip\n");
	char zip[400];
	const size_t bytes = eicar_zip(zip);
	const struct reading_part *part;
	struct reading *r;

	(void)state;
	for (size_t i = 0; i < bytes; i++) {
		const unsigned char c = (unsigned char)(zip[i] + 42);

		if (c == 0 || c == '\n' || c == '\r' || c == '=')
			len +=
			    (size_t)sprintf(mail + len, "=%c", (char)(c + 64));
		else
			mail[len++] = (char)c;
	}
	len += (size_t)sprintf(mail + len, "\n=yend size=1\n");
	r = cell_run(mail, len);
	part = cell_find(r, zip, bytes);
	if (!part) {
		fail();
		return;
	}
	assert_true(part_has_name(part, "evil.zip"));
	reading_free(r);
}

/* BinHex of: name "a.txt", no type, data fork "hello", wrong checksums. */
static void
binhex_gives_name_and_data(void **state)
{
	static const char in[] = "(This file must be converted with BinHex "
				 "4.0)\n:\"@%ZG(Kd!!!!!!!!!!!!!!!!!!&!!!!!!!!"
				 "!KA6VX\"`!!!!!!!:\n";
	char out[sizeof(in) * BINHEX_RUN + 8];
	struct codec_name name;
	uint32_t odd;
	const size_t n = codec_binhex(in, sizeof(in) - 1, out, &odd, &name);

	(void)state;
	assert_int_not_equal(odd & ODD_NOTHING, ODD_NOTHING);
	assert_int_equal(name.len, 5);
	assert_memory_equal(name.at, "a.txt", 5);
	assert_true(n <= sizeof(out));
}

static void
a_program_in_the_open_is_found(void **state)
{
	size_t len = (size_t)sprintf(mail, TOP);
	char zip[400];
	const size_t bytes = eicar_zip(zip);
	struct reading *r;

	(void)state;
	(void)memcpy(mail + len, zip, bytes);
	r = cell_run(mail, len + bytes);
	assert_true(cell_has_eicar(r));
	assert_true(r->hold);
	reading_free(r);
}

static void
prose_signatures_and_patches_are_not_carved(void **state)
{
	static const char text[] = TOP
	    "-----BEGIN PGP SIGNATURE-----\n\n"
	    "iD8DBQE9f0TVQkBN1Yh5XyYRAkXvAJ9yq0Y7uXbSJ0Zb1Qp3m3J6c0dW5QCgmJb7\n"
	    "iD8DBQE9f0TVQkBN1Yh5XyYRAkXvAJ9yq0Y7uXbSJ0Zb1Qp3m3J6c0dW5QCgmJb7\n"
	    "iD8DBQE9f0TVQkBN1Yh5XyYRAkXvAJ9yq0Y7uXbSJ0Zb1Qp3m3J6c0dW5QCgmJb7\n"
	    "iD8DBQE9f0TVQkBN1Yh5XyYRAkXvAJ9yq0Y7uXbSJ0Zb1Qp3m3J6c0dW5QCgmJb7\n"
	    "=x0fI\n-----END PGP SIGNATURE-----\n"
	    "begin with this\nbegin\nbegin 7\nbegin 6449 x\nPK is a "
	    "country\nMZ too\n--- a/x\n+++ b/x\n"
	    "x=3D1\n-- \nThe end.\n";
	struct reading *r = cell_run(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(r->n_parts, 1);
	assert_int_equal(r->ambiguity, 0);
	assert_false(r->hold);
	reading_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64_is_found_in_the_text_of_a_message),
	    cmocka_unit_test(base64_with_junk_is_decoded_by_each_style),
	    cmocka_unit_test(a_stream_behind_padding_is_decoded),
	    cmocka_unit_test(
		quoted_printable_is_decoded_whatever_is_wrong_with_it),
	    cmocka_unit_test(uuencode_is_found_by_itself_with_its_name),
	    cmocka_unit_test(
		a_begin_line_needs_neither_single_blanks_nor_a_name),
	    cmocka_unit_test(uuencode_with_base64_is_found_by_its_begin_line),
	    cmocka_unit_test(each_uuencoded_file_of_a_leaf_is_found),
	    cmocka_unit_test(uuencode_without_begin_or_end_is_found),
	    cmocka_unit_test(yenc_is_found),
	    cmocka_unit_test(binhex_gives_name_and_data),
	    cmocka_unit_test(a_program_in_the_open_is_found),
	    cmocka_unit_test(prose_signatures_and_patches_are_not_carved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
