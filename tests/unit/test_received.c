#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "queues/qf.h"
#include "queues/received.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "V8\nT1795967677\nK0\nN0\nP30110\nFs\n"
#define ENVELOPE \
	"S<a@b.test>\nrRFC822; c@d.test\nRPFD:<c@d.test>\n" \
	"H?P?Return-Path: <\201g>\n"
#define OURS(address, port) \
	"H??Received: from x.test (host.test [192.0.2.7])\n" \
	"\t(client [" address "] port " port ")\n" \
	"\tby mx.example.test with ESMTP id 6ATFsbUP018818\n" \
	"\tfor <c@d.test>; Sun, 29 Nov 2026 15:54:37 GMT\n"
#define FORGED \
	"H??Received: from x.test (host.test [192.0.2.7])\n" \
	"\t(client [192.0.2.7] port 77)\n\tby mx.example.test\n"
#define END "H??Subject: s\n.\n"

/* client, header block -> "ADDRESS PORT", "" for nothing. */
static const struct {
	const char *client, *headers, *want;
} rows[] = {
    {"host.test [192.0.2.7]", OURS("192.0.2.7", "46072"), "192.0.2.7 46072"},
    {"[192.0.2.7]", OURS("192.0.2.7", "1"), "192.0.2.7 1"},
    {"host.test [192.0.2.7] (may be forged)", OURS("192.0.2.7", "65535"),
	"192.0.2.7 65535"},
    {"host.test [IPv6:2001:db8::7]", OURS("IPv6:2001:DB8:0::7", "2525"),
	"2001:db8::7 2525"},
    /* What a message brings stands below, and isn't looked at. */
    {"host.test [192.0.2.7]", OURS("192.0.2.7", "46072") FORGED,
	"192.0.2.7 46072"},
    {"host.test [192.0.2.7]",
	"H??Received: from x.test ([192.0.2.7])\n\tby mx\n" FORGED, ""},
    {"host.test [192.0.2.7]", "H??Received: by mx\n" FORGED, ""},
    /* Another line of the same field than ours. */
    {"host.test [192.0.2.7]",
	"H??Received: from x.test ([192.0.2.7])\n\tby mx id A\n"
	"\t(client [192.0.2.7] port 77)\n",
	""},
    {"host.test [192.0.2.7]",
	"H??Received: (client [192.0.2.7] port 77)\n\tby mx\n", ""},
    /* It isn't who was connected. */
    {"host.test [192.0.2.8]", OURS("192.0.2.7", "46072"), ""},
    {"[192.0.2.7] [192.0.2.8]", OURS("192.0.2.7", "46072"), ""},
    {"localhost", OURS("192.0.2.7", "46072"), ""},
    {NULL, OURS("192.0.2.7", "46072"), ""},
    /* No address, no port. */
    {"[192.0.2.7]", OURS("192.0.2.7", "0"), ""},
    {"[192.0.2.7]", OURS("192.0.2.7", "65536"), ""},
    {"[192.0.2.7]", OURS("192.0.2.7", "18446744073709551617"), ""},
    {"[192.0.2.7]", OURS("192.0.2.7", ""), ""},
    {"[192.0.2.7]", OURS("192.0.2.7", "+5"), ""},
    {"[192.0.2.7]", OURS("192.0.2.7", " 5"), ""},
    {"[192.0.2.7]", OURS("192.0.2.7", "5) (x"), ""},
    {"[192.0.2.7]", OURS("192.0.2.7", "5x"), ""},
    {"[192.0.2.7]", OURS("192.0.2", "5"), ""},
    {"[2001:db8::7]", OURS("2001:db8::7", "5"), ""},
    {"[192.0.2.7]", "H??Received: from x\n\t(client [192.0.2.7\n\t] port 5)\n",
	""},
    {"[192.0.2.7]", "H??Received: from x\n\t(client [192.0.2.7]\n", ""},
    {"[192.0.2.7]", "", ""},
};

static void
only_the_line_of_our_own_sendmail_names_the_client(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = xasprintf(HEAD "%s%s%s" ENVELOPE "%s" END,
		    rows[i].client ? "$_" : "", rows[i].client ?: "",
		    rows[i].client ? "\n" : "", rows[i].headers);
		char address[RECEIVED_ADDRESS] = "", got[64] = "";
		const char *reason = NULL;
		struct qf *qf = NULL;
		uint16_t port = 0;

		assert_int_equal(qf_parse(text, strlen(text), &qf, &reason), 0);
		if (received_client(qf, address, &port))
			(void)snprintf(
			    got, sizeof(got), "%s %u", address, port);
		else
			assert_true(!*address && port == 0);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg(
			    "row %zu: '%s', not '%s'", i, got, rows[i].want);
		(void)qf_free(qf);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		only_the_line_of_our_own_sendmail_names_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
