/*
 * One small message for each way to show different readers different mail.
 * Each hides a zip with the test virus: it must be found or the mail held.
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
#define FILE_ "Content-Type: application/octet-stream; name=a.zip\n"
#define B64   "Content-Transfer-Encoding: base64\n"
#define END   "--x--\n"

/* In the patterns: @ is the zip in base64. */
static const struct {
	const char *what;
	const char *before;
	const char *after;
} cases[] = {
    {"two encodings, good first",
	MIX TEXT "--x\n" FILE_ B64 "Content-Transfer-Encoding: 7bit\n\n", END},
    {"two encodings, good last",
	MIX TEXT "--x\n" FILE_ "Content-Transfer-Encoding: 7bit\n" B64 "\n",
	END},
    {"two encodings in a line",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding: base64, 7bit\n\n", END},
    {"junk before the encoding",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding: xbase64\n\n", END},
    {"junk behind the encoding",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding: base645\n\n", END},
    {"quoted encoding",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding: \"base64\"\n\n", END},
    {"comment in the encoding",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding: bas(x)e64\n\n", END},
    {"encoded encoding",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding: =?UTF-8?Q?base64?=\n\n",
	END},
    {"empty encoding", MIX "--x\n" FILE_ "Content-Transfer-Encoding:\n\n", END},
    {"no colon", MIX "--x\n" FILE_ "Content-Transfer-Encoding base64\n\n", END},
    {"two colons", MIX "--x\n" FILE_ "Content-Transfer-Encoding:: base64\n\n",
	END},
    {"blank before the name",
	MIX "--x\n" FILE_ " Content-Transfer-Encoding: base64\n\n", END},
    {"tab before the colon",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding\t: base64\n\n", END},
    {"folded colon",
	MIX "--x\n" FILE_ "Content-Transfer-Encoding\n : base64\n\n", END},
    {"junk line among the fields", MIX "--x\n" FILE_ "\1\2\3\n" B64 "\n", END},
    {"field behind a bare CR", MIX "--x\nX: y\r" FILE_ B64 "\n", END},
    {"no blank line", MIX "--x\n" FILE_ B64, END},
    {"blank in the blank line", MIX "--x\n" FILE_ B64 " \n", END},
    {"type twice, text first",
	TOP "Content-Type: text/plain\n"
	    "Content-Type: multipart/mixed; boundary=x\n\n--x\n" FILE_ B64 "\n",
	END},
    {"type twice, text last",
	TOP "Content-Type: multipart/mixed; boundary=x\n"
	    "Content-Type: text/plain\n\n--x\n" FILE_ B64 "\n",
	END},
    {"boundary twice, wrong first",
	TOP
	"Content-Type: multipart/mixed; boundary=y; boundary=x\n\n--x\n" FILE_
	    B64 "\n",
	END},
    {"boundary twice, wrong last",
	TOP
	"Content-Type: multipart/mixed; boundary=x; boundary=y\n\n--x\n" FILE_
	    B64 "\n",
	END},
    {"boundary by RFC 2231, out of order",
	TOP "Content-Type: multipart/mixed; boundary*1=x; boundary*0=x\n\n"
	    "--xx\n" FILE_ B64 "\n",
	"--xx--\n"},
    {"boundary that is half quoted",
	TOP "Content-Type: multipart/mixed; boundary=\"x\n\n--x\n" FILE_ B64
	    "\n",
	END},
    {"empty boundary",
	TOP "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n" FILE_ B64
	    "\n",
	"----\n"},
    {"boundary of a blank",
	TOP "Content-Type: multipart/mixed; boundary=\" \"\n\n-- \n" FILE_ B64
	    "\n",
	"-- --\n"},
    {"no boundary", TOP "Content-Type: multipart/mixed\n\n--x\n" FILE_ B64 "\n",
	END},
    {"boundary on text",
	TOP "Content-Type: text/plain; boundary=x\n\n--x\n" FILE_ B64 "\n",
	END},
    {"delimiter with more behind it", MIX TEXT "--x more\n" FILE_ B64 "\n",
	END},
    {"in the preamble", MIX FILE_ B64 "\n", TEXT END},
    {"in the epilogue", MIX TEXT END FILE_ B64 "\n", ""},
    {"type with a slash more",
	TOP "Content-Type: multipart//mixed; boundary=x\n\n--x\n" FILE_ B64
	    "\n",
	END},
    {"unknown multipart",
	TOP "Content-Type: x-multipart/mixed; boundary=x\n\n--x\n" FILE_ B64
	    "\n",
	END},
    {"mail within text", TOP "Content-Type: text/plain\n\n" TOP FILE_ B64 "\n",
	""},
    {"message in a digest",
	TOP "Content-Type: multipart/digest; boundary=x\n\n--x\n\n" FILE_ B64
	    "\n",
	END},
    {"partial message",
	TOP
	"Content-Type: message/partial; id=a; number=1; total=1\n\n" TOP FILE_
	    B64 "\n",
	""},
    {"no MIME-Version",
	"Content-Type: multipart/mixed; boundary=x\n\n--x\n" FILE_ B64 "\n",
	END},
    {"in the preamble, without a header", MIX, TEXT END},
    {"in the epilogue, without a header", MIX TEXT END, ""},
    {"no header at all", "\n", ""},
    {"outside of everything", TOP "\nhello\n\n", "\nbye\n"},
};

static size_t
compose(char *out, const char *before, const char *zip64, const char *after)
{
	return (size_t)sprintf(out, "%s%s%s", before, zip64, after);
}

static bool
is_found_or_held(const char *mail, size_t len)
{
	struct reading *r = cell_run(mail, len);
	const bool fine =
	    cell_has_eicar(r) || r->hold || r->status != READING_COMPLETE;

	reading_free(r);
	return fine;
}

static void
no_case_hides_the_file(void **state)
{
	char zip[400], zip64[2000], mail[8000];
	unsigned missed = 0;

	(void)state;
	(void)to_base64(zip64, zip, eicar_zip(zip), 76, "\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t len =
		    compose(mail, cases[i].before, zip64, cases[i].after);

		if (!is_found_or_held(mail, len)) {
			(void)printf("missed: %s\n", cases[i].what);
			missed++;
		}
	}
	assert_int_equal(missed, 0);
}

/* A script has no octets by which carving could know it. */
static void
a_script_behind_a_strange_structure_is_found_with_its_name(void **state)
{
	static const char script[] = "WScript.Echo 1\r\n";
	static const char *const befores[] = {
	    TOP "Content-Type: multipart/mixed; boundary=y\n\n--x\n",
	    TOP "Content-Type: text/plain\n"
		"Content-Type: multipart/mixed; boundary=x\n\n--x\n",
	    TOP "Content-Type: multipart/mixed; boundary*1=x; boundary*0=\n\n"
		"--x\n",
	    MIX,
	    MIX "--x\n\1\n",
	    MIX "--x\nX: y\r",
	    MIX TEXT END "--x\n",
	};
	static const char part[] =
	    "Content-Type: application/octet-stream; name=a.vbs\n" B64
	    "Content-Transfer-Encoding: 7bit\n\n"
	    "V1NjcmlwdC5FY2hvIDENCg==\n";

	(void)state;
	for (size_t i = 0; i < sizeof(befores) / sizeof(befores[0]); i++) {
		char mail[2000];
		const size_t len = compose(mail, befores[i], part, END);
		struct reading *r = cell_run(mail, len);
		const struct reading_part *p =
		    cell_find(r, script, sizeof(script) - 1);

		if (!p || !part_has_name(p, "a.vbs")) {
			(void)printf("missed: %s\n", befores[i]);
			fail();
		}
		assert_true(r->ambiguity != 0);
		reading_free(r);
	}
}

static void
ordinary_mail_is_neither_held_nor_ambiguous(void **state)
{
	static const char mail[] = MIX TEXT
	    "--x\nContent-Type: application/pdf; name=\"a b.pdf\"\n"
	    "Content-Disposition: attachment; filename=\"a b.pdf\"\n" B64
	    "\nJVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoK\n" END;
	struct reading *r = cell_run(mail, sizeof(mail) - 1);

	(void)state;
	assert_int_equal(r->status, READING_COMPLETE);
	assert_false(r->hold);
	assert_int_equal(r->ambiguity, 0);
	assert_int_equal(r->n_parts, 2);
	assert_string_equal(r->parts[0].type, "text/plain");
	assert_int_equal(r->parts[0].flags, PART_BODY);
	assert_string_equal(r->parts[1].type, "application/pdf");
	assert_int_equal(r->parts[1].flags, PART_ATTACHMENT);
	assert_true(part_has_name(&r->parts[1], "a b.pdf"));
	assert_int_equal(r->parts[1].n_names, 1);
	reading_free(r);
}

static void
the_same_content_stands_once_with_all_its_names(void **state)
{
	static const char mail[] =
	    MIX "--x\nContent-Type: a/b; name=one.bin\n\nsame\n"
		"--x\nContent-Type: a/b; name=two.bin\n\nsame\n" END;
	struct reading *r = cell_run(mail, sizeof(mail) - 1);

	(void)state;
	assert_int_equal(r->n_parts, 1);
	assert_true(part_has_name(&r->parts[0], "one.bin"));
	assert_true(part_has_name(&r->parts[0], "two.bin"));
	reading_free(r);
}

static void
an_embedded_message_is_read(void **state)
{
	char zip[400], zip64[2000], mail[8000];
	size_t len;
	struct reading *r;

	(void)state;
	(void)to_base64(zip64, zip, eicar_zip(zip), 76, "\n");
	len = compose(mail,
	    MIX TEXT "--x\nContent-Type: message/rfc822\n\n" TOP FILE_ B64 "\n",
	    zip64, END);
	r = cell_run(mail, len);
	assert_true(cell_has_eicar(r));
	assert_false(r->hold);
	assert_int_equal(r->ambiguity, 0);
	reading_free(r);
}

/* n levels of multipart or of message/rfc822. */
static size_t
nest(char *out, unsigned n, bool messages)
{
	size_t len = (size_t)sprintf(out, TOP);

	for (unsigned i = 0; i < n; i++)
		len +=
		    (size_t)(messages ? sprintf(out + len,
					    "Content-Type: message/rfc822\n\n")
				      : sprintf(out + len,
					    "Content-Type: multipart/mixed; "
					    "boundary=b%u\n\n"
					    "--b%u\n",
					    i, i));
	return len + (size_t)sprintf(out + len, "X: y\n\nleaf\n");
}

static void
nesting_beyond_the_limit_is_said(void **state)
{
	static char mail[200000];

	(void)state;
	for (int messages = 0; messages < 2; messages++) {
		struct reading *r = cell_run(mail, nest(mail, 15, messages));

		assert_int_equal(r->status, READING_COMPLETE);
		assert_non_null(cell_find(r, "leaf\n", 5));
		reading_free(r);
		r = cell_run(mail, nest(mail, 16, messages));
		assert_int_equal(r->status, READING_TOO_DEEP);
		reading_free(r);
		r = cell_run(mail, nest(mail, 2000, messages));
		assert_true(r->status != READING_COMPLETE);
		reading_free(r);
	}
}

static void
budgets_of_parts_and_headers_are_kept(void **state)
{
	static char mail[3000000];
	size_t len = (size_t)sprintf(mail, MIX);
	struct reading *r;

	(void)state;
	for (int i = 0; i < 100000; i++)
		len += (size_t)sprintf(mail + len, "--x\n\n%d\n", i);
	r = cell_run(mail, len);
	assert_int_equal(r->status, READING_TOO_MANY);
	reading_free(r);
	for (len = 0; len < 100000; len += 5)
		(void)memcpy(mail + len, "X: y\n", 5);
	r = cell_run(mail, len);
	assert_int_equal(r->status, READING_HEADERS);
	reading_free(r);
}

static void
a_budget_of_octets_is_kept(void **state)
{
	static char mail[400000];
	struct cell_limits limits = cell_usual;
	struct reading *r;

	(void)state;
	limits.output_bytes = 1 << 17;
	(void)memset(mail, 'a', sizeof(mail));
	(void)memcpy(mail, "From: a\n\n", 9);
	r = cell_run_limits(mail, sizeof(mail), &limits);
	assert_int_equal(r->status, READING_TOO_LARGE);
	reading_free(r);
}

static void
strange_sizes_are_survived(void **state)
{
	struct reading *r = cell_run("", 0);

	(void)state;
	assert_int_equal(r->status, READING_COMPLETE);
	reading_free(r);
	r = cell_run("\n", 1);
	assert_int_equal(r->status, READING_COMPLETE);
	reading_free(r);
	r = cell_run("\0\0\0", 3);
	assert_int_equal(r->status, READING_COMPLETE);
	reading_free(r);
}

static void
parameters_without_end_are_over_the_budget(void **state)
{
	static const char parameter[] = "a=b;";
	static char mail[100000];
	size_t len = (size_t)sprintf(mail, TOP "Content-Type: text/plain;");
	struct reading *r;

	(void)state;
	for (unsigned i = 0; i <= cell_usual.headers + 16; i++) {
		(void)memcpy(mail + len, parameter, 4);
		len += 4;
	}
	len += (size_t)sprintf(mail + len, "\n\nhello\n");
	r = cell_run(mail, len);
	assert_int_equal(r->status, READING_HEADERS);
	reading_free(r);
}

/* The same octets twice: whoever opens them by the second type must show. */
static void
each_declared_type_of_a_content_is_a_part(void **state)
{
#define TWICE(type) "--x\nContent-Type: " type "\n\n<b>the same</b>\n"
	static const char mail[] =
	    MIX TWICE("application/octet-stream") TWICE("application/hta")
		TWICE("Application/HTA") TWICE("application/octet-stream") END;
	struct reading *r = cell_run(mail, sizeof(mail) - 1);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < r->n_parts; i++)
		n += strcmp(r->parts[i].declared, "application/hta") == 0;
	assert_int_equal(r->status, READING_COMPLETE);
	assert_int_equal(n, 1);
	assert_int_equal(r->n_parts, 2);
	reading_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_case_hides_the_file),
	    cmocka_unit_test(each_declared_type_of_a_content_is_a_part),
	    cmocka_unit_test(
		a_script_behind_a_strange_structure_is_found_with_its_name),
	    cmocka_unit_test(ordinary_mail_is_neither_held_nor_ambiguous),
	    cmocka_unit_test(the_same_content_stands_once_with_all_its_names),
	    cmocka_unit_test(an_embedded_message_is_read),
	    cmocka_unit_test(nesting_beyond_the_limit_is_said),
	    cmocka_unit_test(budgets_of_parts_and_headers_are_kept),
	    cmocka_unit_test(parameters_without_end_are_over_the_budget),
	    cmocka_unit_test(a_budget_of_octets_is_kept),
	    cmocka_unit_test(strange_sizes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
