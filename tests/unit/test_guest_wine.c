/* What Wine prints about a program becomes events. */
#include "vmm/guest/wine_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROOM    (1u << 20)
#define PROGRAM "C:\\users\\root\\Downloads\\plan.exe"

struct site {
	struct report report;
	struct wine_trace trace;
	char *room;
	char *plain; /* the report, with / for \ and ' for " in strings */
};

static int
setup(void **state)
{
	struct site *site = calloc(1, sizeof(*site));

	site->room = calloc(1, ROOM + 1);
	site->plain = calloc(1, ROOM + 1);
	report_init(&site->report, site->room, ROOM);
	wine_trace_init(&site->trace, PROGRAM);
	*state = site;
	return 0;
}

static int
teardown(void **state)
{
	struct site *site = *state;

	free(site->plain);
	free(site->room);
	free(site);
	return 0;
}

static void
look(struct site *site)
{
	char *to = site->plain;

	report_settle(&site->report, 1000, 0);
	for (const char *at = site->room; *at; at++) {
		*to = *at;
		if (strncmp(at, "\\u005c", 6) == 0) {
			*to = '/';
			at += 5;
		} else if (strncmp(at, "\\u0022", 6) == 0) {
			*to = '\'';
			at += 5;
		}
		to++;
	}
	*to = '\0';
}

static void
feed(struct site *site, const char *text)
{
	wine_trace_feed(&site->trace, &site->report, 1000, text, strlen(text));
	look(site);
}

static size_t
lines(const struct site *site)
{
	size_t n = 0;

	for (const char *at = site->room; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

#define assert_told(site, text) assert_non_null(strstr((site)->plain, (text)))
#define assert_silent(site)     assert_int_equal((site)->report.used, 0)

static void
a_value_is_told_with_the_whole_path_of_its_key(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:trace:reg:NtCreateKey ((nil),L\"\\\\Registry\\\\User"
	    "\\\\S-1-5-21-0-0-0-1000\",L\"\",0,2000000,0x21f8b8)\n"
	    "0020:0024:trace:reg:NtCreateKey <- 0x28\n"
	    "0020:0024:trace:reg:NtOpenKeyEx (0x28,L\"Software\\\\Micro"
	    "soft\\\\Windows\\\\CurrentVersion\\\\Run\",f003f,0x21f8b8)\n"
	    "0020:0024:trace:reg:NtOpenKeyEx <- 0x6c\n");
	assert_silent(site);
	feed(site, "0020:0024:trace:reg:NtSetValueKey "
		   "(0x6c,L\"evil\",1,0x37a000,24)\n");
	assert_told(site, "\"ev\":\"registry.set\",\"key\":\"HKCU/Software"
			  "/Microsoft/Windows/CurrentVersion/Run\""
			  ",\"name\":\"evil\"");
	feed(site, "0020:0024:trace:reg:NtDeleteValueKey (0x6c,L\"evil\")\n");
	assert_told(site, "\"ev\":\"registry.delete\",\"key\":\"HKCU/");
}

static void
keys_of_the_machine_are_hklm_and_handles_are_a_processs_own(void **state)
{
	struct site *site = *state;

	feed(site, "0020:0024:trace:reg:NtOpenKeyEx ((nil),L\"\\\\Registry\\\\"
		   "Machine\\\\System\",20019,0x7ffe61af7eb8)\n"
		   "0020:0024:trace:reg:NtOpenKeyEx <- 0x4\n"
		   "0028:002c:trace:reg:NtSetValueKey (0x4,L\"b\",4,0x0,4)\n"
		   "0020:0024:trace:reg:NtSetValueKey (0x4,L\"a\",4,0x0,4)\n");
	assert_told(site, "\"key\":\"?\",\"name\":\"b\"");
	assert_told(site, "\"key\":\"HKLM/System\",\"name\":\"a\"");
}

static bool
peek(void *arg, uint64_t at, void *buf, size_t n)
{
	static const unsigned char text[] = "e\0v\0i\0l\0.\0e\0x\0e\0\0";

	*(uint64_t *)arg = at;
	memset(buf, 0, n);
	memcpy(buf, text, n < sizeof(text) ? n : sizeof(text));
	return true;
}

static void
the_data_of_a_value_is_read_where_the_call_has_it(void **state)
{
	struct site *site = *state;
	uint64_t at = 0;

	site->trace.peek = peek;
	site->trace.peek_arg = &at;
	feed(site, "0020:0024:trace:reg:NtSetValueKey "
		   "(0x6c,L\"evil\",1,0x37a000,18)\n");
	assert_int_equal(at, 0x37a000);
	assert_told(site, "\"data\":\"evil.exe\"");
}

static void
a_program_is_told_with_its_path_its_words_and_who_started_it(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:Call KERNEL32.CreateProcessA(00000000,14000a0b5 "
	    "\"attrib.exe /?\",00000000) ret=14000813b\n"
	    "0020:0024:trace:process:CreateProcessInternalW app (null) cmdline "
	    "L\"attrib.exe /?\"\n"
	    "0020:0024:trace:process:NtCreateUserProcess L\"\\\\??\\\\C:\\\\"
	    "windows\\\\system32\\\\attrib.exe\" image L\"C:\\\\windows\\\\"
	    "system32\\\\attrib.exe\" cmdline L\"attrib.exe /?\" parent "
	    "(nil)\n");
	assert_silent(site);
	feed(site,
	    "0020:0024:trace:process:NtCreateUserProcess L\"\\\\??\\\\C:\\\\"
	    "windows\\\\system32\\\\attrib.exe\" pid 0028 tid 002c handles "
	    "0x10/0x14\n"
	    "0020:0024:Ret  KERNEL32.CreateProcessA() retval=00000001 "
	    "ret=14000813b\n");
	assert_told(site, "\"ev\":\"process.start\",\"path\":"
			  "\"C:/windows/system32/attrib.exe\","
			  "\"args\":\"attrib.exe /?\",\"parent\":\"C:/users"
			  "/root/Downloads/plan.exe\"");
	assert_told(site, "\"pid\":16777256");
	assert_int_equal(lines(site), 1);
}

static void
a_program_that_is_not_there_is_told_when_its_start_fails(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:trace:process:CreateProcessInternalW app (null) cmdline "
	    "L\"vssadmin.exe delete shadows /all\"\n");
	assert_silent(site);
	feed(site, "0020:0024:Ret  KERNEL32.CreateProcessA() retval=00000000 "
		   "ret=14000813b\n");
	assert_told(site, "\"ev\":\"process.start\",\"path\":\"\",\"args\":"
			  "\"vssadmin.exe delete shadows /all\"");
}

static void
a_start_that_was_cut_off_is_told_at_the_end(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:trace:process:CreateProcessInternalW app L\"C:\\\\a\" "
	    "cmdline L\"a b\"\n");
	assert_silent(site);
	wine_trace_end(&site->trace, &site->report, 2000);
	look(site);
	assert_told(site, "\"args\":\"a b\"");
}

static void
memory_and_threads_of_others_are_injection_and_ones_own_are_not(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:Call KERNEL32.WriteProcessMemory(ffffffff,1,2,4,5) "
	    "ret=1\n"
	    "0020:0024:Call KERNEL32.WriteProcessMemory(ffffffffffffffff,1,2,4,"
	    "5) ret=1\n"
	    "0020:0024:Call KERNEL32.CreateRemoteThread(ffffffff,0,0,1,0,0,0) "
	    "ret=1\n");
	assert_silent(site);
	feed(site,
	    "0020:0024:Call KERNEL32.WriteProcessMemory(00000060,00340000,"
	    "0021fae8,00000004,0021fac8) ret=140007e51\n");
	assert_told(site, "\"how\":\"write-memory\"");
	feed(site,
	    "0020:0024:Call KERNEL32.CreateRemoteThread(00000060,00000000,"
	    "00000000,17005dbd0,00000000,100000000,0021fac0) ret=140007e7d\n");
	assert_told(site, "\"how\":\"remote-thread\"");
}

static void
a_hook_for_all_watches_and_a_threads_own_does_not(void **state)
{
	struct site *site = *state;

	feed(site, "0020:0024:Call user32.SetWindowsHookExA(00000002,140007d60,"
		   "00000000,00000024) ret=140007ed0\n");
	assert_silent(site);
	feed(site, "0020:0024:Call user32.SetWindowsHookExA(0000000d,140007d60,"
		   "140000000,00000000) ret=140007ed0\n");
	assert_told(site, "\"ev\":\"hook.set\",\"name\":\"keyboard\"");
}

static void
asking_for_many_keys_watches_and_asking_for_a_games_does_not(void **state)
{
	struct site *site = *state;
	char line[128];

	for (int times = 0; times < 100; times++)
		for (int key = 0x25; key < 0x2d; key++) {
			(void)snprintf(line, sizeof(line),
			    "0020:0024:Call user32.GetAsyncKeyState(%08x) "
			    "ret=140007edb\n",
			    key);
			feed(site, line);
		}
	assert_silent(site);
	for (int key = 8; key < 255; key++) {
		(void)snprintf(line, sizeof(line),
		    "0020:0024:Call user32.GetAsyncKeyState(%08x) ret=1\n",
		    key);
		feed(site, line);
	}
	assert_told(site, "\"ev\":\"hook.set\",\"name\":\"keyboard");
	assert_int_equal(lines(site), 1);
}

static void
a_picture_is_taken_from_the_screens_context_alone(void **state)
{
	struct site *site = *state;

	feed(site, "0020:0024:Call user32.GetDC(00010034) ret=1\n"
		   "0020:0024:Ret  user32.GetDC() retval=00010099 ret=1\n"
		   "0020:0024:Call gdi32.BitBlt(1,0,0,64,64,00010099,0,0,"
		   "cc0020) ret=1\n");
	assert_silent(site);
	feed(site, "0020:0024:Call user32.GetDC(00000000) ret=1\n"
		   "0020:0024:Ret  user32.GetDC() retval=00010077 ret=1\n"
		   "0020:0024:Call gdi32.BitBlt(1,0,0,64,64,00010077,0,0,"
		   "cc0020) ret=1\n");
	assert_told(site, "\"ev\":\"hook.set\",\"name\":\"screen\"");
}

static void
a_service_names_its_program(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:Call advapi32.CreateServiceA(010a1e90,14000a02e "
	    "\"evil,svc\",14000a029 \"Evil\",000f01ff,00000010,100000002,"
	    "00000000,14000a036 \"C:\\\\evil.exe\",00000000,00000000,00000000,"
	    "00000000,00000000) ret=140007f3e\n");
	assert_told(site,
	    "\"ev\":\"registry.set\",\"key\":\"HKLM/System/CurrentControl"
	    "Set/Services/evil,svc\",\"name\":\"ImagePath\",\"data\":"
	    "\"C:/evil.exe\"");
}

static void
names_that_are_looked_up_and_foreign_libraries_are_told(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:Call ws2_32.gethostbyname(14000a09e \"evil.example\") "
	    "ret=14000807f\n"
	    "0020:0024:trace:loaddll:build_module Loaded L\"C:\\\\w\\\\a.dll\" "
	    "at 0000000000340000: builtin\n"
	    "0020:0024:trace:loaddll:build_module Loaded L\"C:\\\\t\\\\b.dll\" "
	    "at 0000000000340000: native\n");
	assert_told(site, "\"ev\":\"net.dns\",\"name\":\"evil.example\"");
	assert_told(site, "\"ev\":\"image.load\",\"path\":\"C:/t/b.dll\"");
	assert_int_equal(lines(site), 2);
}

static void
a_function_is_told_a_few_times_only(void **state)
{
	struct site *site = *state;

	for (int i = 0; i < 1000; i++)
		feed(site, "0020:0024:Call advapi32.CryptEncrypt(1,2,3,4,5,6,7)"
			   " ret=1\n");
	assert_in_range(site->report.used, 1, 1000);
}

static void
strings_are_utf_8_whatever_wine_escapes(void **state)
{
	struct site *site = *state;

	feed(site,
	    "0020:0024:trace:process:CreateProcessInternalW app (null) cmdline "
	    "L\"\\00e4\\4e2d 'x'\\t\"\n"
	    "0020:0024:Ret  KERNEL32.CreateProcessW() retval=0 ret=1\n");
	assert_told(site, "\"args\":\"\xc3\xa4\xe4\xb8\xad 'x'\\u0009\"");
}

static void
what_is_no_line_of_wines_is_passed_over(void **state)
{
	static const char *const texts[] = {"hello from the program\n", "\n",
	    "0020\n", "0020:0024\n", "0020:0024:\n", "zz:0024:Call a.b(\n",
	    "0020:0024:Call \n", "0020:0024:Call user32.SetWindowsHookExA\n",
	    "0020:0024:trace:reg:NtSetValueKey \n",
	    "0020:0024:trace:reg:NtSetValueKey (\n",
	    "0020:0024:trace:reg:NtOpenKeyEx (\"\n",
	    "0020:0024:trace:process:CreateProcessInternalW \n",
	    "0020:0024:trace:process:CreateProcessInternalW app L\"\\\n",
	    "ffffffffffffffff:1:Call ws2_32.gethostbyname(1 \"a\")\n"};
	struct site *site = *state;
	static char big[WINE_LINE_MAX * 3];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		feed(site, texts[i]);
	memset(big, 'a', sizeof(big) - 2);
	big[sizeof(big) - 2] = '\n';
	feed(site, big);
	wine_trace_end(&site->trace, &site->report, 2000);
	report_settle(&site->report, 2000, 0);
	assert_silent(site);
}

static void
lines_may_come_in_pieces(void **state)
{
	struct site *site = *state;
	static const char text[] =
	    "0020:0024:Call ws2_32.getaddrinfo(1 \"evil.example\",0,0,0) "
	    "ret=1\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		wine_trace_feed(&site->trace, &site->report, 1000, text + i, 1);
	look(site);
	assert_told(site, "\"name\":\"evil.example\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_value_is_told_with_the_whole_path_of_its_key),
	    TEST(keys_of_the_machine_are_hklm_and_handles_are_a_processs_own),
	    TEST(the_data_of_a_value_is_read_where_the_call_has_it),
	    TEST(a_program_is_told_with_its_path_its_words_and_who_started_it),
	    TEST(a_program_that_is_not_there_is_told_when_its_start_fails),
	    TEST(a_start_that_was_cut_off_is_told_at_the_end),
	    TEST(
		memory_and_threads_of_others_are_injection_and_ones_own_are_not),
	    TEST(a_hook_for_all_watches_and_a_threads_own_does_not),
	    TEST(asking_for_many_keys_watches_and_asking_for_a_games_does_not),
	    TEST(a_picture_is_taken_from_the_screens_context_alone),
	    TEST(a_service_names_its_program),
	    TEST(names_that_are_looked_up_and_foreign_libraries_are_told),
	    TEST(a_function_is_told_a_few_times_only),
	    TEST(strings_are_utf_8_whatever_wine_escapes),
	    TEST(what_is_no_line_of_wines_is_passed_over),
	    TEST(lines_may_come_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
