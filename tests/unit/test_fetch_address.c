#include "worker/fetch_address.h"

#include "common/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* First and last of each range that is not to be asked. */
static const char *const special[] = {"0.0.0.0", "0.255.255.255", "10.0.0.0",
    "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.0.0.1",
    "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255",
    "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.170", "192.0.0.255",
    "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255", "192.168.0.0",
    "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0",
    "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "224.0.0.1",
    "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255",
    "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:0.0.0.0",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8",
    "::ffff:255.255.255.255", "::ffff:0:8.8.8.8",
    "64:ff9b::", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b::ffff:ffff",
    "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "100::", "100::1",
    "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001::1",
    "2001:0:7f00:1::", "2001:2::1", "2001:20::1",
    "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2002::", "2002:7f00:1::1", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5f00::1",
    "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::1",
    "fe80::", "fe80::1", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::1",
    "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

/* The neighbours of these ranges, and some that everybody knows. */
static const char *const open_ones[] = {"1.0.0.0", "1.1.1.1", "8.8.8.8",
    "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
    "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
    "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0",
    "203.0.112.255", "203.0.114.0", "223.255.255.255",
    "2000::", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::1",
    "2001:db9::", "2003::", "2606:4700:4700::1111", "3ffe::1",
    "3fff:1000::", "2001:dc7::7f00:1"};

static struct sockaddr_storage
address_of(const char *text)
{
	struct sockaddr_storage ss = {0};

	if (strchr(text, ':')) {
		struct sockaddr_in6 *in6 = (void *)&ss;

		in6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	} else {
		struct sockaddr_in *in = (void *)&ss;

		in->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	}
	return ss;
}

static bool
may(const char *address, const char *allow, const char *refuse)
{
	const struct sockaddr_storage ss = address_of(address);
	struct address_rule rule;
	char err[100] = "";

	assert_int_equal(
	    address_list_read(allow, &rule.allow, err, sizeof(err)), 0);
	assert_int_equal(
	    address_list_read(refuse, &rule.refuse, err, sizeof(err)), 0);
	return address_may((const void *)&ss, &rule);
}

static void
no_special_address_is_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		const struct sockaddr_storage ss = address_of(special[i]);

		if (address_is_public((const void *)&ss) ||
		    may(special[i], "none", "none"))
			fail_msg("%s", special[i]);
	}
}

static void
addresses_beside_the_special_ones_are_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(open_ones); i++)
		if (!may(open_ones[i], "", ""))
			fail_msg("%s", open_ones[i]);
}

static void
another_family_is_not_asked(void **state)
{
	const struct sockaddr_storage ss = {.ss_family = AF_UNIX};
	struct address_rule all;
	char err[100];

	(void)state;
	assert_int_equal(
	    address_list_read("0.0.0.0/0 ::/0", &all.allow, err, sizeof(err)),
	    0);
	assert_int_equal(
	    address_list_read("", &all.refuse, err, sizeof(err)), 0);
	assert_false(address_may((const void *)&ss, &all));
}

static void
what_is_allowed_is_asked_and_what_is_refused_is_not(void **state)
{
	(void)state;
	assert_true(may("127.0.0.1", "127.0.0.1", ""));
	assert_false(may("127.0.0.2", "127.0.0.1", ""));
	assert_true(may("127.0.0.2", "10.0.0.0/8  127.0.0.0/30", ""));
	assert_false(may("127.0.0.4", "10.0.0.0/8 127.0.0.0/30", ""));
	assert_true(may("fd00::1", "fd00::/8", ""));
	assert_false(may("::1", "fd00::/8", ""));
	/* Of IPv4 alone: the mapped form stays what it is. */
	assert_false(may("::ffff:127.0.0.1", "127.0.0.1 0.0.0.0/0", ""));
	assert_false(may("8.8.8.8", "", "8.8.0.0/16"));
	assert_false(may("8.8.8.8", "8.8.8.8", "8.8.0.0/16"));
	assert_true(may("8.9.8.8", "", "8.8.0.0/16"));
	assert_false(may("2606:4700::1", "", "2606:4700::/32"));
	assert_false(may("8.8.8.8", "", "0.0.0.0/0"));
}

static void
a_list_that_is_none_is_refused_with_its_word(void **state)
{
	static const char *const wrong[] = {"localhost", "127.0.0.1/33",
	    "127.0.0.1/", "127.0.0.1/-1", "127.0.0.1/8x", "::1/129", "127.0.0",
	    "127.0.0.1,::1", "fe80::1%lo",
	    "1111111111111111111111111111111111111111111111111111"};
	struct address_list list;
	char err[100], text[2 * ADDRESS_LIST_MAX * 8] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		*err = '\0';
		if (address_list_read(wrong[i], &list, err, sizeof(err)) !=
			-EINVAL ||
		    !strstr(err, wrong[i]))
			fail_msg("%s: \"%s\"", wrong[i], err);
	}
	for (int i = 0; i < ADDRESS_LIST_MAX; i++)
		(void)strcat(text, "1.1.1.1 ");
	assert_int_equal(address_list_read(text, &list, err, sizeof(err)), 0);
	(void)strcat(text, "1.1.1.1");
	assert_int_equal(
	    address_list_read(text, &list, err, sizeof(err)), -EINVAL);
}

static void
ports_of_other_services_are_not_asked(void **state)
{
	static const uint16_t no[] = {
	    0, 1, 22, 25, 53, 79, 81, 110, 139, 445, 465, 587, 1023};
	static const uint16_t yes[] = {80, 443, 1024, 8080, 65535};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(address_port_may(no[i]));
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(address_port_may(yes[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_special_address_is_asked),
	    cmocka_unit_test(addresses_beside_the_special_ones_are_asked),
	    cmocka_unit_test(another_family_is_not_asked),
	    cmocka_unit_test(
		what_is_allowed_is_asked_and_what_is_refused_is_not),
	    cmocka_unit_test(a_list_that_is_none_is_refused_with_its_word),
	    cmocka_unit_test(ports_of_other_services_are_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
