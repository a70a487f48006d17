#include "worker/url.h"

#include "common/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX32 "9f86d081884c7d659a2feaa0c55ad015"

static const struct {
	const char *base, *raw, *url; /* NULL: not one to be asked */
} forms[] = {
    {NULL, "http://a.test/b.exe", "http://a.test/b.exe"},
    {NULL, " \n HTTP://A.Test/B.exe\t", "http://a.test/B.exe"},
    {NULL, "ht\ntp://a.te\r\nst/b\t.exe", "http://a.test/b.exe"},
    {NULL, "https:\\\\a.test\\b.exe?c\\d", "https://a.test/b.exe?c%5Cd"},
    {NULL, "http:a.test/b", "http://a.test/b"},
    {NULL, "http:////a.test/b", "http://a.test/b"},
    {NULL, "http://a.test", "http://a.test/"},
    {NULL, "http://a.test?b", "http://a.test/?b"},
    {NULL, "http://a.test/b#c?d", "http://a.test/b"},
    {NULL, "http://u:p@a.test/b", "http://a.test/b"},
    {NULL, "http://bank.test@a.test:8080/b", "http://a.test:8080/b"},
    {NULL, "http://a.test:80/b", "http://a.test/b"},
    {NULL, "https://a.test:443/b", "https://a.test/b"},
    {NULL, "http://a.test:0443/b", "http://a.test:443/b"},
    {NULL, "http://a.test./b", "http://a.test/b"},
    {NULL, "http://a%2Etest/b", "http://a.test/b"},
    {NULL, "http://a.test/b c\"d<e>\303\244",
	"http://a.test/b%20c%22d%3Ce%3E%C3%A4"},
    {NULL, "http://2130706433/b", "http://127.0.0.1/b"},
    {NULL, "http://0x7f.1/b", "http://127.0.0.1/b"},
    {NULL, "http://0177.0.0.01/b", "http://127.0.0.1/b"},
    {NULL, "http://[::FFFF:127.0.0.1]:81/b", "http://[::ffff:127.0.0.1]:81/b"},
    {NULL, "ftp://a.test/b", NULL},
    {NULL, "file:///etc/passwd", NULL},
    {NULL, "javascript:http://a.test/", NULL},
    {NULL, "gopher://a.test:25/x", NULL},
    {NULL, "mailto:a@b.test", NULL},
    {NULL, "//a.test/b", NULL},
    {NULL, "b.exe", NULL},
    {NULL, "", NULL},
    {NULL, "http://", NULL},
    {NULL, "http:///", NULL},
    {NULL, "http://a.test:99999/b", NULL},
    {NULL, "http://a.test:8x/b", NULL},
    {NULL, "http://a test/b", NULL},
    {NULL, "http://a%00.test/b", NULL},
    {NULL, "http://a%0d%0aHost:b/", NULL},
    {NULL, "http://\303\244.test/b", NULL},
    {NULL, "http://a.test../b", NULL},
    {NULL, "http://.a.test/b", NULL},
    {NULL, "http://a..test/b", NULL},
    {NULL, "http://./b", NULL},
    {NULL, "http://[::1", NULL},
    {NULL, "http://[fe80::1%25lo]/b", NULL},
    {NULL, "http://[1.2.3.4]/b", NULL},
    {"https://a.test/b/c?d", "e.exe", "https://a.test/b/e.exe"},
    {"https://a.test/b/c?d", "/e.exe", "https://a.test/e.exe"},
    {"https://a.test/b/c?d/e", "?f", "https://a.test/b/c?f"},
    {"https://a.test/b", "//c.test/d", "https://c.test/d"},
    {"https://a.test/b", "\\\\c.test\\d", "https://c.test/d"},
    {"https://a.test/b", "http://c.test/d", "http://c.test/d"},
    {"https://a.test/b", "ftp://c.test/d", NULL},
    {"https://a.test/b", "#d", NULL},
};

static void
an_address_is_read_as_browsers_read_it(void **state)
{
	char url[URL_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const int r = url_read(
		    forms[i].base, forms[i].raw, strlen(forms[i].raw), url);

		if (r < 0 ? forms[i].url != NULL
			  : !forms[i].url || strcmp(forms[i].url, url) != 0)
			fail_msg("%s: %s, not %s", forms[i].raw,
			    r < 0 ? strerror(-r) : url,
			    forms[i].url ? forms[i].url : "refused");
	}
}

static void
an_address_that_was_read_is_read_as_itself(void **state)
{
	char once[URL_MAX + 1], twice[URL_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!forms[i].url)
			continue;
		assert_int_equal(
		    url_read(NULL, forms[i].url, strlen(forms[i].url), once),
		    0);
		assert_int_equal(url_read(NULL, once, strlen(once), twice), 0);
		assert_string_equal(once, twice);
		assert_string_equal(once, forms[i].url);
	}
}

static void
a_long_address_is_not_cut(void **state)
{
	char raw[URL_MAX + 2] = "http://a.test/",
			   url[URL_MAX + 1] = "as it was";

	(void)state;
	memset(raw + 14, 'a', sizeof(raw) - 14);
	assert_int_equal(url_read(NULL, raw, URL_MAX + 1, url), -ENAMETOOLONG);
	assert_string_equal(url, "as it was");
	assert_int_equal(url_read(NULL, raw, URL_MAX, url), 0);
	assert_int_equal(strlen(url), URL_MAX);
	/* Each octet that becomes three counts three times. */
	raw[URL_MAX - 1] = ' ';
	raw[URL_MAX - 2] = 'a';
	raw[500] = '"';
	assert_int_equal(url_read(NULL, raw, URL_MAX - 1, url), -ENAMETOOLONG);
}

static void
host_and_port_are_those_of_the_address(void **state)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
	} rows[] = {
	    {"http://a.test/b:99/", "a.test", 80},
	    {"https://a.test/", "a.test", 443},
	    {"https://a.test:8443/", "a.test", 8443},
	    {"http://[::1]/", "::1", 80},
	    {"http://[2001:db8::1]:81/", "2001:db8::1", 81},
	};
	char host[URL_HOST_MAX + 1];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		url_host(rows[i].url, host, &port);
		assert_string_equal(host, rows[i].host);
		assert_int_equal(port, rows[i].port);
	}
}

static const char *const files[] = {
    "http://a.test/setup.exe",
    "http://a.test/b/Report.PDF",
    "http://a.test/b.zip?v=3&lang=de",
    "http://a.test/invoice%2Ejs",
    "http://a.test/invoice.p%64f",
    "http://a.test/x.exe;v=1",
    "http://a.test/x.exe.",
    "http://a.test/x.exe%20",
    "http://a.test/a.b.docm",
    "http://192.0.2.7:8080/x.sh",
    "http://a.test/x.settingcontent-ms",
};

static const char *const no_files[] = {
    "http://a.test/",
    "http://a.exe/",
    "http://a.test/page",
    "http://a.test/page.html",
    "http://a.test/get.php?file=x.exe",
    "http://a.test/x.exe/",
    "http://a.test/x.exe/y",
    "http://a.test/logo.png",
    "http://a.test/.exe",
    "http://a.test/exe",
    "http://a.test/x.exes",
    "http://a.test/?x.exe",
    "http://a.test/x.exe%00.png",
};

static void
a_file_is_told_by_the_end_of_the_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!url_is_file(files[i]))
			fail_msg("%s: no file", files[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no_files) - 1; i++)
		if (url_is_file(no_files[i]))
			fail_msg("%s: a file", no_files[i]);
	/* The name ends at the NUL, as in C: x.exe is what is saved. */
	assert_true(url_is_file(no_files[ARRAY_SIZE(no_files) - 1]));
}

static const char *const acts[] = {
    "http://a.test/unsubscribe.exe",
    "http://a.test/Un%53ubscribe/list.pdf",
    "http://unsubscribe.a.test/x.pdf",
    "http://a.test/opt-out/x.pdf",
    "http://a.test/x.pdf?optout=1",
    "http://a.test/confirm.pdf",
    "http://a.test/verify/x.zip",
    "http://a.test/x.pdf?email-verification=1",
    "http://a.test/activate/x.pdf",
    "http://a.test/x.pdf?token=1",
    "http://a.test/x.pdf?id=1&one-time=1",
    "http://a.test/reset/x.pdf",
    "http://a.test/login/x.pdf",
    "http://a.test/x.pdf?delete",
    "http://a.test/abmelden/x.pdf",
    "http://a.test/best%C3%A4tigen.pdf",
    "http://a.test/x.pdf?to=joe@a.test",
    "http://a.test/x.pdf?to=joe%40a.test",
    "http://a.test/" HEX32 "/x.pdf",
    "http://a.test/" HEX32 ".pdf",
    "http://a.test/x.pdf?" HEX32,
    "http://a.test/x.pdf?id=" HEX32 "&b=1",
    "http://a.test/x.pdf?a=1&b=x." HEX32,
    "http://a.test/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x.pdf",
    "http://a.test/x.pdf?u=V1StGXR8Z5jdHi6BmyT7",
    "http://a.test/x.pdf?u=dGhpcyBpcyBhIHNlY3JldCB2",
    "http://a.test/x.pdf?u=k3j9x0q2m7v5b1n8",
    "http://a.test/x.pdf?u=qwrtzpsdfghjklxcvbnmq",
    "http://a.test/x.pdf?u=123456789012345678901",
    "http://a.test/x.pdf?u=%39f86d081884c7d659a2feaa0c55ad015",
};

static const char *const no_acts[] = {
    "http://a.test/setup.exe",
    "http://a.test/AnnualReport2023FinalVersion.pdf",
    "http://a.test/2023/annual-report-of-the-company-2023.pdf",
    "http://a.test/annualfinancialstatements.pdf",
    "http://a.test/INVOICE_20240131_000123.zip",
    "http://a.test/attachments/1098765432109876543/1098765432109876544/x.exe",
    "http://a.test/x.pdf?version=1.2.3&lang=en",
    "http://a.test/remover.exe",
    "http://a.test/devote.zip",
    "http://a.test/presentation.pptx",
    "http://a.test/firefox-115.0.2esr-win64-setup.exe",
    "http://a.test/pool/main/s/sl/sl_5.02-1_amd64.deb",
    "http://a.test/wp-content/uploads/2024/01/Rechnung.doc",
};

static void
what_does_something_for_its_receiver_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		if (!url_is_act(acts[i]))
			fail_msg("%s: may be asked", acts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no_acts); i++)
		if (url_is_act(no_acts[i]))
			fail_msg("%s: %s", no_acts[i], url_is_act(no_acts[i]));
}

static void
a_file_has_the_name_that_a_browser_gives_it(void **state)
{
	char name[16];

	(void)state;
	assert_int_equal(
	    url_name("http://a.test/b/c%20d.exe?e/f", name, sizeof(name)), 7);
	assert_string_equal(name, "c d.exe");
	assert_int_equal(url_name("http://a.test/", name, sizeof(name)), 0);
	assert_int_equal(
	    url_name("http://a.test/0123456789abcdefgh", name, sizeof(name)),
	    15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_read_as_browsers_read_it),
	    cmocka_unit_test(an_address_that_was_read_is_read_as_itself),
	    cmocka_unit_test(a_long_address_is_not_cut),
	    cmocka_unit_test(host_and_port_are_those_of_the_address),
	    cmocka_unit_test(a_file_is_told_by_the_end_of_the_path),
	    cmocka_unit_test(what_does_something_for_its_receiver_is_told),
	    cmocka_unit_test(a_file_has_the_name_that_a_browser_gives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
