#include "worker/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool
has(const struct names *names, const char *name)
{
	const char *at = names->buf;

	for (uint32_t i = 0; i < names->n; i++, at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

static void
show(const struct names *names)
{
	const char *at = names->buf;

	for (uint32_t i = 0; i < names->n; i++, at += strlen(at) + 1)
		(void)printf("  [%s]\n", at);
}

/* A header's value, and a name that some reader would show for it. */
static const struct {
	const char *value;
	const char *name;
} headers[] = {
    {"attachment; filename=a.zip", "a.zip"},
    {"attachment; filename=\"a b.zip\"", "a b.zip"},
    {"x/y; NAME=a.zip", "a.zip"},
    {"x/y; name=a.txt; name=a.zip", "a.zip"},
    {"x/y; name=a.txt; filename=a.zip", "a.zip"},
    {"x/y; name*=utf-8''a%2Ezip", "a.zip"},
    {"x/y; name*0=a; name*1=.zip", "a.zip"},
    {"x/y; name*1=.zip; name*0=a", "a.zip"},
    {"x/y; name*0=a; name*2=.zip", "a.zip"},
    {"x/y; name*1*=.zip; name*0*=utf-8''a", "a.zip"},
    {"x/y; name*0=a.txt; name*0=a.zip", "a.zip"},
    {"x/y; name*=utf-16be''%00a%00.%00z%00i%00p", "a.zip"},
    {"x/y; name=\"=?UTF-8?B?YS56aXA=?=\"", "a.zip"},
    {"x/y; name==?UTF-8?Q?a=2Ezip?=", "a.zip"},
    {"x/y; name=\"=?UTF-16BE?B?AGEALgB6AGkAcA==?=\"", "a.zip"},
    {"x/y; name=\"a.z(.gif)ip\"", "a.zip"},
    {"x/y; name=a.z(.gif)ip", "a.zip"},
    {"x/y; na(x)me=a.zip", "a.zip"},
    {"x/y; name(x)=a.zip", "a.zip"},
    {"x/y; name=(x)a.zip", "a.zip"},
    {"x/y; name = a.zip", "a.zip"},
    {"x/y; name=\n a.zip", "a.zip"},
    {"x/y; name=\"a%2ezip\"", "a.zip"},
    {"x/y; name=\"a.zip. \"", "a.zip"},
    {"x/y; name=\"a\".zip\"", "a.zip"},
    {"x/y; name=\"a.z\\ip\"", "a.zip"},
    {"x/y; name=\"a.zip", "a.zip"},
    {"x/y; name=a;.zip", "a;.zip"},
    {"x/y; name=\"a.txt;.zip\"", "a.txt;.zip"},
    {"x/y; name=\"..\\\\..\\\\dir\\\\a.zip\"", "a.zip"},
    {"x/y; name=\"/etc/a.zip\"", "a.zip"},
    {"x/y; name=\"a\xe2\x80\xaepiz.txt\"", "a\\u{202E}piz.txt"},
    {"x/y; name=\"a\x01.zip\"", "a\\x01.zip"},
    {"x/y; name=\"\xe4.zip\"", "\xc3\xa4.zip"},
    {"x/y; name=\"a.\r\n zip\"", "a.zip"},
    {"x/y; name=\"a.\r\n zip\"", "a. zip"},
    {"x/y; name=\"=?UTF-16?B?YQAuAHoAaQBwAA==?=\"", "a.zip"},
    {"x/y; name=\"=?UTF-16?B?AGEALgB6AGkAcA==?=\"", "a.zip"},
    {"x/y; name=\"\033$Ba.z\033(Bip\"", "a.zip"},
};

static void
every_name_of_a_header_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct names names = {.n = 0};

		names_header(
		    &names, headers[i].value, strlen(headers[i].value));
		if (!has(&names, headers[i].name)) {
			(void)printf("%s\n", headers[i].value);
			show(&names);
			fail();
		}
		names_done(&names);
	}
}

/* What people send who don't write ASCII: a name of it, without controls. */
static const struct {
	const char *value;
	const char *name;
} foreign[] = {
    {"x/y; name=\"=?iso-2022-jp?B?GyRCRnxLXBsoQi5wZGY=?=\"", "F|K\\.pdf"},
    {"x/y; name*=iso-2022-jp''%1B$BF|K%5C%1B%28B.pdf", "F|K\\.pdf"},
    {"x/y; name=\"\033$BF|K!\033(B.pdf\"", "F|K!.pdf"},
    {"x/y; name=\"=?iso-2022-kr?B?GyQpQw5JRA8ucGRm?=\"", "ID.pdf"},
    {"x/y; name=\"=?shift_jis?B?lVyOpi5wZGY=?=\"", "?\\?\xc2\xa6.pdf"},
    {"x/y; name=\"=?windows-1252?Q?=93R=94_=96_f.pdf?=\"", "?R? ? f.pdf"},
    {"x/y; name=\"=?windows-1251?B?0e/o8e7q?=\r\n "
     "=?windows-1251?B?LnBkZg==?=\"",
	"\xc3\x91\xc3\xaf\xc3\xa8\xc3\xb1\xc3\xae\xc3\xaa.pdf"},
    {"x/y; name=\"=?utf-8?B?YWJj?=\n\t=?utf-8?B?LnBkZg==?=\"", "abc.pdf"},
    {"x/y; name==?utf-8?B?YWJj?=\n =?utf-8?B?LnBkZg==?=", "abc.pdf"},
    {"x/y; name=\"Report of the\r\n quarter.pdf\"",
	"Report of the quarter.pdf"},
};

static void
foreign_and_folded_names_have_no_controls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct names names = {.n = 0};
		const char *at;

		names_header(
		    &names, foreign[i].value, strlen(foreign[i].value));
		show(&names);
		if (!has(&names, foreign[i].name))
			fail_msg("%zu: no %s", i, foreign[i].name);
		at = names.buf;
		for (uint32_t k = 0; k < names.n; k++, at += strlen(at) + 1)
			if (strstr(at, "\\x"))
				fail_msg("%zu: %s", i, at);
		names_done(&names);
	}
}

/* Not what switches character sets. */
static void
other_escapes_stay(void **state)
{
	struct names names = {.n = 0};

	(void)state;
	names_add(&names, "a\033[31m.txt", 10);
	assert_true(has(&names, "a\\x1B[31m.txt"));
	names_done(&names);
	names_add(&names, "a\n.txt\033(", 8);
	assert_true(has(&names, "a\\x0A.txt\\x1B("));
	names_done(&names);
}

static void
an_ordinary_name_is_one_name(void **state)
{
	struct names names = {.n = 0};

	(void)state;
	names_header(&names, " attachment; filename=\"report 2.pdf\"\n", 37);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.buf, "report 2.pdf");
	names_done(&names);
}

static void
a_header_without_a_name_gives_none(void **state)
{
	struct names names = {.n = 0};

	(void)state;
	names_header(&names, "text/plain; charset=utf-8", 25);
	assert_int_equal(names.n, 0);
	names_done(&names);
}

static void
octets_behind_a_nul_do_not_hide_the_name_before_it(void **state)
{
	struct names names = {.n = 0};

	(void)state;
	names_add(&names, "a.exe\0.txt", 10);
	assert_true(has(&names, "a.exe"));
	assert_true(has(&names, "a.exe\\x00.txt"));
	names_done(&names);
}

static void
a_long_name_keeps_both_ends(void **state)
{
	struct names names = {.n = 0};
	char name[5000];
	const char *at;
	bool has_end = false;

	(void)state;
	(void)memset(name, 'a', sizeof(name));
	(void)memcpy(name + sizeof(name) - 4, ".exe", 4);
	names_add(&names, name, sizeof(name));
	at = names.buf;
	for (uint32_t i = 0; i < names.n; i++, at += strlen(at) + 1) {
		assert_true(strlen(at) <= 255);
		has_end |= strcmp(at + strlen(at) - 4, ".exe") == 0;
	}
	assert_true(has_end);
	names_done(&names);
}

/* Each unit fills the room that a name has, as it is shown if not as it is. */
static void
what_is_shown_longer_does_not_push_out_the_end(void **state)
{
	static const char *const units[] = {
	    "\xe9", "\x81", "\001", "\xe2\x80\x8b", "\xf3\xa0\x80\xa0"};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct names names = {.n = 0};
		char name[512] = "a";
		const char *at;
		bool has_end = false;

		while (strlen(name) < 160)
			(void)strcat(name, units[i]);
		(void)strcat(name, ".exe");
		names_add(&names, name, strlen(name));
		at = names.buf;
		for (uint32_t k = 0; k < names.n; k++, at += strlen(at) + 1)
			has_end |= strcmp(at + strlen(at) - 4, ".exe") == 0;
		if (!has_end)
			fail_msg("%zu: its end is lost", i);
		names_done(&names);
	}
}

/* n times text ("#": names that differ) between head and tail: is something of
 * it left out? */
static bool
is_cut(const char *head, const char *text, int n, const char *tail)
{
	static char value[20000];
	struct names names = {.n = 0};
	size_t at = (size_t)sprintf(value, "%s", head);
	bool cut;

	while (n-- > 0)
		at += text[0] == '#'
			  ? (size_t)sprintf(value + at, "; name=a%d.txt", n)
			  : (size_t)sprintf(value + at, "%s", text);
	(void)strcpy(value + at, tail);
	names_header(&names, value, strlen(value));
	cut = names.is_cut;
	if (!cut)
		assert_true(has(&names, "a.zip"));
	names_done(&names);
	return cut;
}

static void
what_is_left_out_is_told(void **state)
{
	(void)state;
	assert_true(is_cut("x/y; x=\"", "AAAAAAAA", 2100, "\"; name=a.zip"));
	assert_false(is_cut("x/y; x=\"", "AAAAAAAA", 2000, "\"; name=a.zip"));
	assert_true(is_cut("x/y", "; name=a.txt", 70, "; name=a.zip"));
	assert_false(is_cut("x/y", "; name=a.txt", 60, "; name=a.zip"));
	assert_true(is_cut("x/y", "#", 64, "; name=a.zip"));
	assert_true(is_cut("x/y", "; name*0=a", 32, "; name*=''a.zip"));
	assert_false(is_cut("x/y", "; name*0=a", 31, "; name*=''a.zip"));
	assert_true(is_cut("x/y; name*0=a; name*1=", "aaaaaaaa", 130, ".zip"));
}

static void
a_long_word_is_decoded_to_its_end(void **state)
{
	struct names names = {.n = 0};
	char value[2000] = "x/y; name=\"=?utf-8?Q?";
	const char *at;
	bool has_end = false;

	(void)state;
	while (strlen(value) < 1500)
		(void)strcat(value, "=61");
	(void)strcat(value, "=2E=7A?=\"");
	names_header(&names, value, strlen(value));
	at = names.buf;
	for (uint32_t i = 0; i < names.n; i++, at += strlen(at) + 1)
		has_end |= strcmp(at + strlen(at) - 2, ".z") == 0;
	assert_true(has_end);
	names_done(&names);
}

static void
names_of_two_kinds_disagree(void **state)
{
	struct names names = {.n = 0};

	(void)state;
	names_add(&names, "a.txt", 5);
	names_add(&names, "b.TXT", 5);
	assert_false(names_disagree(&names));
	names_add(&names, "b.exe", 5);
	assert_true(names_disagree(&names));
	names_done(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_of_a_header_is_found),
	    cmocka_unit_test(foreign_and_folded_names_have_no_controls),
	    cmocka_unit_test(other_escapes_stay),
	    cmocka_unit_test(an_ordinary_name_is_one_name),
	    cmocka_unit_test(a_header_without_a_name_gives_none),
	    cmocka_unit_test(
		octets_behind_a_nul_do_not_hide_the_name_before_it),
	    cmocka_unit_test(a_long_name_keeps_both_ends),
	    cmocka_unit_test(what_is_shown_longer_does_not_push_out_the_end),
	    cmocka_unit_test(what_is_left_out_is_told),
	    cmocka_unit_test(a_long_word_is_decoded_to_its_end),
	    cmocka_unit_test(names_of_two_kinds_disagree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
