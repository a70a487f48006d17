/*
 * Files whose own headers some readers understand otherwise.  The zip of the
 * test virus stands behind octets that nobody knows, so that nothing tells
 * it but its end: only who decodes it in the right way finds it.
 */
#include "tests/support/cell_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TOP   "From: a\nTo: b\nSubject: c\nMIME-Version: 1.0\n"
#define MIX   TOP "Content-Type: multipart/mixed; boundary=x\n\n"
#define TEXT  "--x\nContent-Type: text/plain\n\nhello\n"
#define FILE_ "Content-Type: application/zip; name=a.zip\n"
#define B64   "Content-Transfer-Encoding: base64\n"
#define END   "\n--x--\n"

struct mail {
	const char *before;
	const char *after;
};

static char mail[8000];

/* The zip behind junk, in base64. */
static void
hidden_zip(char *out)
{
	char junk[500] = "\274\241\336\371\220\203\370\302\273\261\370\371";

	(void)to_base64(out, junk, 12 + eicar_zip(junk + 12), 76, "\n");
}

static struct reading *
run(const struct mail *m, const char *encoded)
{
	const int n = snprintf(
	    mail, sizeof(mail), "%s%s%s", m->before, encoded, m->after);

	assert_in_range(n, 1, sizeof(mail) - 1);
	return cell_run(mail, (size_t)n);
}

static unsigned
count_missed(const struct mail *mails, size_t n, const char *encoded)
{
	unsigned missed = 0;

	for (size_t i = 0; i < n; i++) {
		struct reading *r = run(&mails[i], encoded);

		if (!cell_has_eicar(r)) {
			(void)printf("missed: %s\n", mails[i].before);
			missed++;
		}
		reading_free(r);
	}
	return missed;
}

static void
a_body_without_an_empty_line_before_it_is_read(void **state)
{
	static const struct mail mails[] = {
	    {TOP FILE_ B64, ""},
	    {TOP FILE_ B64 " \n", ""},
	    {TOP FILE_ B64 "\t\n", ""},
	    {MIX TEXT "--x\n" FILE_ B64, END},
	    {MIX TEXT "--x\n" FILE_ B64 " \n", END},
	    {MIX TEXT "--x\n" B64, END},
	    {TOP FILE_ B64, "\nSome text\n"},
	    {TOP FILE_ B64 " \n", "\nSome text\n"},
	    {TOP FILE_ B64, "X: y\n\nSome text\n"},
	    {MIX TEXT "--x\n" FILE_ B64, "\nSome text" END},
	};
	char encoded[2000];

	(void)state;
	hidden_zip(encoded);
	assert_int_equal(
	    count_missed(mails, sizeof(mails) / sizeof(mails[0]), encoded), 0);
}

/* Octets that nothing tells: only their encoding, for who sees the field. */
static void
an_encoding_that_the_standard_reader_overlooks_is_undone(void **state)
{
	static const char *const fields[] = {"Content-Transfer-Encoding base64",
	    "Content-Transfer-Encoding;base64",
	    "Content-Transfer-Encoding\n : base64",
	    "Content-Transfer-Encoding\v: base64",
	    "\357\273\277Content-Transfer-Encoding: base64",
	    "\240Content-Transfer-Encoding: base64"};
	static const char *const types[] = {
	    "application/x; name=a.x", "application/x", "text/plain"};
	static const char octets[] = "\1\2\3 a program for who knows what";
	char encoded[200];

	(void)state;
	(void)to_base64(encoded, octets, sizeof(octets) - 1, 76, "\n");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		for (size_t k = 0; k < 3; k++) {
			struct reading *r = cell_run(mail,
			    (size_t)sprintf(mail,
				MIX TEXT "--x\nContent-Type: %s\n%s\n\n%s" END,
				types[k], fields[i], encoded));

			if (!cell_find(r, octets, sizeof(octets) - 1))
				fail_msg("%s of %s", fields[i], types[k]);
			assert_int_not_equal(
			    r->ambiguity & AMBIGUOUS_ENCODING, 0);
			reading_free(r);
		}
}

static void
a_zip_at_the_end_is_found_in_a_part_without_a_name(void **state)
{
	static const struct mail mails[] = {
	    {TOP "Content-Type: x-multipart/mixed; boundary=x\n\n" TEXT
		 "--x\nContent-Type: application/x\n" B64 "\n",
		END},
	    {TOP "Content-Type: message/partial; boundary=x\n\n" TEXT
		 "--x\nContent-Type: application/x\n" B64 "\n",
		END},
	    {MIX TEXT "--x\nContent-Type: application/zip\n"
		      "Content-Transfer-Encoding: \n\n",
		END},
	    {MIX TEXT "--x\nContent-Transfer-Encoding: base65\n\n", END},
	};
	char encoded[2000];

	(void)state;
	hidden_zip(encoded);
	assert_int_equal(
	    count_missed(mails, sizeof(mails) / sizeof(mails[0]), encoded), 0);
}

static void
a_compound_document_is_known_by_its_first_octets(void **state)
{
	static char document[4096] = "\320\317\021\340\241\261\032\341";
	char encoded[8000];
	struct reading *r;

	(void)state;
	(void)to_base64(encoded, document, sizeof(document), 4, "\n");
	r = run(&(struct mail){TOP "\nhello\n\n", "\n"}, encoded);
	assert_non_null(cell_find(r, document, sizeof(document)));
	assert_true(r->hold);
	reading_free(r);
	r = run(&(struct mail){MIX TEXT "--x\n" FILE_ B64 "\n",
		    "\n_______\nlist@example.org" END},
	    encoded);
	assert_non_null(cell_find(r, document, sizeof(document)));
	assert_false(r->hold);
	reading_free(r);
}

/* To who knows no multipart, or misses its boundary, it is a file. */
static void
a_multipart_without_parts_is_one(void **state)
{
	static const char *const befores[] = {TOP
	    "Content-Type: multipart/mixed; name=a.js\n" B64 "\n",
	    TOP "Content-Type: multipart/mixed; boundary=x\n" B64
		"Content-Disposition: attachment; filename=a.js\n\n",
	    MIX TEXT "--x\nContent-Type: multipart/mixed; name=a.js\n" B64
		     "\n"};
	static const char text[] = "harmless text\n";
	char encoded[200];

	(void)state;
	(void)to_base64(encoded, text, sizeof(text) - 1, 76, "\n");
	for (size_t i = 0; i < sizeof(befores) / sizeof(befores[0]); i++) {
		struct reading *r =
		    run(&(struct mail){befores[i], i == 2 ? END : ""}, encoded);
		const struct reading_part *part =
		    cell_find(r, text, sizeof(text) - 1);

		if (!part || !part_has_name(part, "a.js"))
			fail_msg("%s", befores[i]);
		assert_true(part && (part->flags & PART_ATTACHMENT));
		reading_free(r);
	}
}

static void
a_file_in_a_multipart_without_parts_is_held(void **state)
{
	char zip[400], encoded[2000];
	struct reading *r;

	(void)state;
	(void)to_base64(encoded, zip, eicar_zip(zip), 76, "\n");
	r = run(
	    &(struct mail){TOP "Content-Type: multipart/mixed\n" B64 "\n", ""},
	    encoded);
	assert_true(cell_has_eicar(r));
	assert_true(r->hold);
	assert_string_equal(
	    r->text, "a zip archive that no standard reader shows");
	reading_free(r);
}

static void
a_name_of_a_multipart_is_kept(void **state)
{
	struct reading *r = run(
	    &(struct mail){TOP
		"Content-Type: multipart/mixed; boundary=x; name=a.js\n\n" TEXT,
		END},
	    "");
	bool found = false;

	(void)state;
	for (size_t i = 0; i < r->n_parts; i++)
		found |= part_has_name(&r->parts[i], "a.js");
	assert_true(found);
	assert_int_equal(r->n_parts, 2);
	reading_free(r);
}

static char inner[40000], head[100], packed[80000], big[100000];

/* An attachment that is mail: the hidden zip, behind this header. */
static struct reading *
run_inner(const char *type, const char *before)
{
	char encoded[2000];
	size_t len;

	hidden_zip(encoded);
	len = (size_t)sprintf(inner, "%s%s", before, encoded);
	(void)to_base64(packed, inner, len, 76, "\n");
	return cell_run(
	    big, (size_t)sprintf(
		     big, MIX TEXT "--x\n%s" B64 "\n%s" END, type, packed));
}

static void
mail_within_a_file_is_read_whatever_it_begins_with(void **state)
{
#define ONE "From a@b Mon Jan 1 00:00:00 2024\nFrom: a\nSubject: b\n\nhi\n\n"
	static const char *const heads[] = {
	    "\357\273\277" TOP FILE_ B64 "\n",
	    ONE TOP FILE_ B64 "\n",
	    ONE ONE "From a@b Mon Jan 1 00:00:00 2024\n" TOP FILE_ B64 "\n",
	    "Dear all,\n\n" TOP FILE_ B64 "\n",
	};
	static char received[33000];
	size_t len = 0;
	struct reading *r;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		r = run_inner(
		    "Content-Type: application/x; name=a.eml\n", heads[i]);
		if (!cell_has_eicar(r))
			fail_msg("%s", heads[i]);
		reading_free(r);
	}
	while (len < 32000)
		len += (size_t)sprintf(
		    received + len, "Received: from a by b; some day\n");
	(void)sprintf(received + len, FILE_ B64 "\n");
	r = run_inner("Content-Type: application/x; name=a.eml\n", received);
	assert_true(cell_has_eicar(r));
	reading_free(r);
}

static void
mail_that_only_names_a_file_is_read(void **state)
{
	static const char *const heads[] = {"X: y\n", ""};
	bool found = false;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct reading *r;

		(void)sprintf(head,
		    "%sContent-Disposition: attachment; filename=a.js\n\n",
		    heads[i]);
		r = run_inner("Content-Type: application/x\n", head);
		for (size_t k = 0; k < r->n_parts; k++)
			found |= part_has_name(&r->parts[k], "a.js");
		assert_true(found);
		reading_free(r);
	}
}

/* People do send folders of mail: what stands in them is no contradiction. */
static void
a_file_in_a_folder_of_mail_holds_nothing(void **state)
{
	static const char document[] = "%PDF-1.4\n1 0 obj\n";
	char encoded[100];
	struct reading *r;

	(void)state;
	(void)to_base64(encoded, document, sizeof(document) - 1, 76, "\n");
	(void)sprintf(inner,
	    ONE TOP "Content-Type: application/pdf; name=a.pdf\n" B64 "\n%s",
	    encoded);
	(void)to_base64(packed, inner, strlen(inner), 76, "\n");
	r = run(
	    &(struct mail){MIX TEXT
		"--x\nContent-Type: application/mbox; name=a.mbox\n" B64 "\n",
		END},
	    packed);
	assert_non_null(cell_find(r, document, sizeof(document) - 1));
	assert_false(r->hold);
	assert_int_equal(r->ambiguity, 0);
	reading_free(r);
}

/* What opens the page saves the file that its script holds. */
static void
a_file_within_a_page_is_read(void **state)
{
	static const struct mail mails[] = {
	    {"<html><script>var b=\"", "\";save(atob(b))</script></html>"},
	    {"<html><script>var b='", "';save(atob(b))</script></html>"},
	    {"<html><script>var b=`", "`;save(atob(b))</script></html>"},
	    {"<svg><script>var b=\"", "\";save(atob(b))</script></svg>"},
	    {"<a download href=\"data:application/zip;base64,", "\">"},
	};
	char zip[400], encoded[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		struct reading *r;

		(void)to_base64(encoded, zip, eicar_zip(zip), 5000, "");
		*strchr(encoded, '\n') = '\0';
		(void)sprintf(
		    inner, "%s%s%s", mails[i].before, encoded, mails[i].after);
		(void)to_base64(packed, inner, strlen(inner), 76, "\n");
		r = run(
		    &(struct mail){MIX TEXT
			"--x\nContent-Type: text/html; name=a.htm\n" B64 "\n",
			END},
		    packed);
		if (!cell_has_eicar(r))
			fail_msg("%s", mails[i].before);
		assert_false(r->hold);
		reading_free(r);
	}
}

static void
pictures_in_a_page_are_left_alone(void **state)
{
	static const char picture[100] = "\211PNG\r\n\032\n";
	char encoded[200];
	struct reading *r;

	(void)state;
	(void)to_base64(encoded, picture, sizeof(picture), 5000, "");
	*strchr(encoded, '\n') = '\0';
	r = run(&(struct mail){TOP "Content-Type: text/html\n\n<html><img "
				   "src=\"data:image/png;base64,",
		    "\"></html>\n"},
	    encoded);
	assert_int_equal(r->n_parts, 1);
	reading_free(r);
}

/* A fold that got lost, an empty attachment: nobody is to be held for it. */
static void
headers_that_are_broken_by_accident_hold_nothing(void **state)
{
	static const struct mail mails[] = {
	    {MIX TEXT "--x\nContent-Type: application/pdf;\nname=a.pdf\n" B64
		      "\n",
		END},
	    {MIX TEXT "--x\n" B64
		      "Content-Type: application/x; name=a.x;\nx-y=z\n\n",
		END},
	    {MIX TEXT "--x\n" FILE_ B64 "\n\n--x\n" B64
		      "Content-Disposition: attachment; filename=x.txt\n\n",
		END},
	    {MIX TEXT
		"--x\nContent-Type: text/plain; name=x.txt\n"
		"Content-Transfer-Encoding: quoted-printable\n\n\n\n--x\n" FILE_
		    B64 "\n",
		END},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		struct reading *r =
		    run(&mails[i], "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoK\n");

		if (r->hold)
			fail_msg("%s: %s", mails[i].before, r->text);
		reading_free(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_body_without_an_empty_line_before_it_is_read),
	    cmocka_unit_test(
		an_encoding_that_the_standard_reader_overlooks_is_undone),
	    cmocka_unit_test(
		a_zip_at_the_end_is_found_in_a_part_without_a_name),
	    cmocka_unit_test(a_compound_document_is_known_by_its_first_octets),
	    cmocka_unit_test(a_multipart_without_parts_is_one),
	    cmocka_unit_test(a_file_in_a_multipart_without_parts_is_held),
	    cmocka_unit_test(a_name_of_a_multipart_is_kept),
	    cmocka_unit_test(
		mail_within_a_file_is_read_whatever_it_begins_with),
	    cmocka_unit_test(mail_that_only_names_a_file_is_read),
	    cmocka_unit_test(a_file_in_a_folder_of_mail_holds_nothing),
	    cmocka_unit_test(a_file_within_a_page_is_read),
	    cmocka_unit_test(pictures_in_a_page_are_left_alone),
	    cmocka_unit_test(headers_that_are_broken_by_accident_hold_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
