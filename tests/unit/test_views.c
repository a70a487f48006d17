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
	return cell_run(mail,
	    (size_t)sprintf(mail, "%s%s%s", m->before, encoded, m->after));
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
	    cmocka_unit_test(headers_that_are_broken_by_accident_hold_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
