/* What the guest's sink answers: names, mail; and the paths of the guest. */
#include "vmm/guest/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/guest/path.h"
#include "vmm/guest/smtp.h"

#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define NAME "\4evil\7example\0"

static size_t
ask(const char *octets, size_t n, char *name, unsigned char *reply)
{
	unsigned char *copy = malloc(n); /* what lies behind is not read */
	size_t got;

	memcpy(copy, octets, n);
	got = dns_answer(copy, n, name, reply);
	free(copy);
	return got;
}

static void
every_name_has_the_address(void **state)
{
	static const char question[] = HEAD NAME "\0\1\0\1";
	const size_t n = sizeof(question) - 1;
	unsigned char reply[DNS_REPLY_MAX];
	char name[DNS_NAME_MAX];

	(void)state;
	assert_int_equal(ask(question, n, name, reply), n + 16);
	assert_string_equal(name, "evil.example");
	assert_memory_equal(reply, "\x12\x34\x81\x80\0\1\0\1\0\0\0\0", 12);
	assert_memory_equal(reply + n + 12, "\xcb\0\x71\7", 4);
}

static void
mail_for_a_domain_goes_to_the_domain(void **state)
{
	static const char question[] = HEAD NAME "\0\17\0\1";
	unsigned char reply[DNS_REPLY_MAX];
	char name[DNS_NAME_MAX];
	size_t n = sizeof(question) - 1;

	(void)state;
	assert_int_equal(ask(question, n, name, reply), n + 16);
	assert_memory_equal(reply + n + 12, "\0\12\xc0\14", 4);
}

static void
other_questions_have_no_answer_but_a_reply(void **state)
{
	static const char question[] = HEAD NAME "\0\34\0\1";
	unsigned char reply[DNS_REPLY_MAX];
	char name[DNS_NAME_MAX];

	(void)state;
	assert_int_equal(ask(question, sizeof(question) - 1, name, reply),
	    sizeof(question) - 1);
	assert_int_equal(reply[7], 0);
}

static void
what_is_no_question_is_not_answered(void **state)
{
	char long_name[600] = HEAD;
	unsigned char reply[DNS_REPLY_MAX];
	char name[DNS_NAME_MAX];
	static const char whole[] = HEAD NAME "\0\1\0\1";

	(void)state;
	for (size_t n = 1; n < sizeof(whole) - 1; n++) /* cut anywhere */
		assert_int_equal(ask(whole, n, name, reply), 0);
	assert_int_equal(
	    ask("\0\0\x80\0\0\1\0\0\0\0\0\0\0\0\1\0\1", 17, name, reply), 0);
	assert_int_equal(ask(HEAD "\xc0\x0c\0\1\0\1", 18, name, reply), 0);
	for (size_t at = 12; at + 64 < sizeof(long_name); at += 64)
		memset(long_name + at, 63, 64);
	assert_int_equal(ask(long_name, sizeof(long_name), name, reply), 0);
}

/* The replies to a whole session, their first digits. */
static void
talk(const char *text, char *ret_codes, char *ret_to)
{
	struct smtp smtp = {.n = 0};
	char to[SMTP_ADDRESS_MAX];

	*ret_codes = *ret_to = '\0';
	for (; *text; text++) {
		const char *reply = smtp_octet(&smtp, *text, to);

		if (reply)
			(void)snprintf(
			    ret_codes + strlen(ret_codes), 5, "%.3s ", reply);
		if (*to)
			(void)sprintf(ret_to + strlen(ret_to), "%s ", to);
	}
}

static void
a_mail_is_taken_and_its_recipients_are_told(void **state)
{
	char codes[200], to[200];

	(void)state;
	talk("EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<anna@example.net>\r\n"
	     "rcpt to: bert@example.org NOTIFY=NEVER\r\nDATA\r\n"
	     "RCPT TO:<no@example.net>\r\n\r\nquit\r\n.\r\nQUIT\r\n",
	    codes, to);
	assert_string_equal(codes, "250 250 250 250 354 250 221 ");
	assert_string_equal(to, "anna@example.net bert@example.org ");
}

static void
long_lines_are_cut_not_believed(void **state)
{
	char text[3000] = "RCPT TO:<", codes[200], to[1000];

	(void)state;
	memset(text + 9, 'a', 2000);
	(void)strcpy(text + 2009, ">\r\n");
	talk(text, codes, to);
	assert_string_equal(codes, "250 ");
	assert_int_equal(strlen(to), SMTP_ADDRESS_MAX - 1 + 1);
}

static void
paths_become_absolute(void **state)
{
	static const struct {
		const char *base, *path, *want;
	} rows[] = {
	    {"/root", "a", "/root/a"},
	    {"/root", "/etc/../bin//./sh", "/bin/sh"},
	    {"/root", "../../../etc/passwd", "/etc/passwd"},
	    {"/", "", "/"},
	    {"/root/", "..", "/"},
	    {"/a/b", ".hidden/..x", "/a/b/.hidden/..x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[PATH_MAX];

		path_absolute(rows[i].base, rows[i].path, path);
		assert_string_equal(path, rows[i].want);
	}
}

static void
a_path_that_is_too_long_is_cut(void **state)
{
	char path[PATH_MAX], longest[PATH_MAX];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 0; i < sizeof(longest); i += 100)
		longest[i] = '/';
	longest[sizeof(longest) - 1] = '\0';
	path_absolute("/root/Downloads", longest + 1, path);
	assert_true(strlen(path) > PATH_MAX - 200);
	assert_true(strlen(path) < PATH_MAX);
}

static void
a_name_from_a_mail_stays_in_its_directory(void **state)
{
	static const char *const rows[][2] = {
	    {"a.sh", "a.sh"},
	    {"../../etc/passwd", "passwd"},
	    {"/", "attachment"},
	    {"", "attachment"},
	    {"a/..", "attachment"},
	    {".", "attachment"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[64];

		(void)strcpy(name, rows[i][0]);
		path_file_name(name);
		assert_string_equal(name, rows[i][1]);
	}
}

static void
whose_file_of_proc_it_is(void **state)
{
	(void)state;
	assert_int_equal(path_proc_pid("/proc/12/mem", 3), 12);
	assert_int_equal(path_proc_pid("/proc/self/mem", 3), 3);
	assert_int_equal(path_proc_pid("/proc/sys/kernel", 3), 0);
	assert_int_equal(path_proc_pid("/root/proc/12", 3), 0);
	assert_true(path_is_in("/dev/input/event0", "/dev/input"));
	assert_true(path_is_in("/dev/input", "/dev/input"));
	assert_false(path_is_in("/dev/inputs", "/dev/input"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_has_the_address),
	    cmocka_unit_test(mail_for_a_domain_goes_to_the_domain),
	    cmocka_unit_test(other_questions_have_no_answer_but_a_reply),
	    cmocka_unit_test(what_is_no_question_is_not_answered),
	    cmocka_unit_test(a_mail_is_taken_and_its_recipients_are_told),
	    cmocka_unit_test(long_lines_are_cut_not_believed),
	    cmocka_unit_test(paths_become_absolute),
	    cmocka_unit_test(a_path_that_is_too_long_is_cut),
	    cmocka_unit_test(a_name_from_a_mail_stays_in_its_directory),
	    cmocka_unit_test(whose_file_of_proc_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
