/*
 * tests/unit/test_rpc_call.c - calls of XML-RPC: what is read of them, and
 * what is none.
 */
#include "flow/rpc/call.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CALL(params) \
	"<methodCall>\n <methodName>a.b</methodName>" \
	"<params>" params "</params></methodCall>"
#define ONE(value) CALL("<param><value>" value "</value></param>")

static struct rpc_call call;

static int
parse(const char *xml, const char **ret_why)
{
	return rpc_call_parse(xml, strlen(xml), &call, ret_why);
}

static const struct rpc_value *
value_of(const char *xml)
{
	const char *why = "";

	if (parse(xml, &why) < 0)
		fail_msg("%s: %s", xml, why);
	return rpc_param(&call, 0);
}

static void
values_of_each_type_are_read(void **state)
{
	static const struct {
		const char *xml;
		enum rpc_type type;
		const char *text;
		double number;
	} cases[] = {
	    {ONE("<int>42</int>"), RPC_INT, NULL, 42},
	    {ONE(" <i4> -7 </i4>\n"), RPC_INT, NULL, -7},
	    {ONE("<i8>+9000000000</i8>"), RPC_INT, NULL, 9e9},
	    {ONE("<double>-1.5</double>"), RPC_DOUBLE, NULL, -1.5},
	    {ONE("<double>1e-3</double>"), RPC_DOUBLE, NULL, 1e-3},
	    {ONE("<boolean>1</boolean>"), RPC_BOOLEAN, NULL, 1},
	    {ONE("<string>a b</string>"), RPC_STRING, "a b", 0},
	    {ONE("<string/>"), RPC_STRING, "", 0},
	    {ONE(""), RPC_STRING, "", 0},
	    {ONE(" untyped "), RPC_STRING, " untyped ", 0},
	    {ONE("&lt;a@b&gt;&#233;"), RPC_STRING, "<a@b>\xc3\xa9", 0},
	    {ONE("<![CDATA[<a@b>]]>"), RPC_STRING, "<a@b>", 0},
	    {ONE("<nil/>"), RPC_NIL, NULL, 0},
	    {ONE("<base64>AAAA</base64>"), RPC_OTHER, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct rpc_value *v = value_of(cases[i].xml);

		assert_int_equal(v->type, cases[i].type);
		assert_true(v->number == cases[i].number);
		if (cases[i].text)
			assert_string_equal(v->text, cases[i].text);
		assert_string_equal(call.method, "a.b");
		assert_null(rpc_next(&call, v));
	}
}

static void
arrays_and_structs_keep_their_order_and_names(void **state)
{
	const struct rpc_value *v = value_of(
	    CALL("<param><value><struct>"
		 "<member><name>x</name><value><array><data>"
		 "<value><int>1</int></value><value>two</value>"
		 "</data></array></value></member>"
		 "<member><name>y</name><value><struct/></value></member>"
		 "</struct></value></param><param><value>z</value></param>"));
	const struct rpc_value *x = rpc_first(&call, v);
	const struct rpc_value *y = rpc_next(&call, x);

	(void)state;
	assert_int_equal(v->type, RPC_STRUCT);
	assert_string_equal(x->name, "x");
	assert_int_equal(x->type, RPC_ARRAY);
	assert_true(rpc_first(&call, x)->number == 1);
	assert_null(rpc_first(&call, x)->name);
	assert_string_equal(rpc_next(&call, rpc_first(&call, x))->text, "two");
	assert_string_equal(y->name, "y");
	assert_int_equal(y->type, RPC_STRUCT);
	assert_null(rpc_first(&call, y));
	assert_null(rpc_next(&call, y));
	assert_string_equal(rpc_param(&call, 1)->text, "z");
	assert_null(rpc_param(&call, 2));
}

static void
what_is_no_call_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *xml, *why;
	} cases[] = {
	    {"", "not well-formed"},
	    {"no xml", "not well-formed"},
	    {"<methodCall>", "not well-formed"},
	    {"<methodCall/>", "no methodName"},
	    {"<methodCall><methodName/></methodCall>", "no method"},
	    {"<methodResponse/>", "no place"},
	    {"<methodCall><methodName>a</methodName><methodName>b</methodName>"
	     "</methodCall>",
		"no place"},
	    {"<methodCall><params/><methodName>a</methodName></methodCall>",
		"no place"},
	    {"<methodCall>a<methodName>a</methodName></methodCall>",
		"no place"},
	    {CALL("<value>1</value>"), "no place"},
	    {CALL("<param/>"), "lacks"},
	    {CALL("<param><value/><value/></param>"), "no place"},
	    {ONE("<int>1</int><int>2</int>"), "no place"},
	    {ONE("a<int>1</int>"), "no place"},
	    {ONE("<int>1</int>a"), "no place"},
	    {ONE("<int></int>"), "not a number"},
	    {ONE("<int>1.5</int>"), "not a number"},
	    {ONE("<int>1 2</int>"), "not a number"},
	    {ONE("<double>nan</double>"), "not a number"},
	    {ONE("<double>0x1p3</double>"), "not a number"},
	    {ONE("<double>1e999</double>"), "not a number"},
	    {ONE("<boolean>2</boolean>"), "not a number"},
	    {ONE("<boolean>11</boolean>"), "0 or 1"},
	    {ONE("<array/>"), "lacks"},
	    {ONE("<struct><member><name>a</name></member></struct>"), "lacks"},
	    {ONE("<struct><member><value/></member></struct>"), "no place"},
	    {ONE("<float>1</float>"), "no place"},
	    {ONE("<int><int>1</int></int>"), "no place"},
	    {ONE("\x01"), "not well-formed"},
	    {ONE("\xff"), "not well-formed"},
	    {"<!DOCTYPE a [<!ENTITY b \"c\">]>" ONE("&b;"), "document type"},
	    {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" ONE(""),
		"document type"},
	    {ONE("&b;"), "not well-formed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;

		if (parse(cases[i].xml, &why) != -EBADMSG)
			fail_msg("taken: %s", cases[i].xml);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].xml, why);
	}
}

/* n times text, between begin and end. */
static char *
repeat(const char *begin, const char *text, size_t n, const char *end)
{
	char *all = NULL;
	size_t size;
	FILE *f = open_memstream(&all, &size);

	(void)fputs(begin, f);
	while (n--)
		(void)fputs(text, f);
	(void)fputs(end, f);
	(void)fclose(f);
	return all;
}

#define HEAD "<methodCall><methodName>a</methodName><params>"
#define TAIL "</params></methodCall>"

static void
each_limit_is_reached_and_not_passed(void **state)
{
	static const struct {
		const char *begin, *text, *end;
		size_t most;
		const char *why;
	} cases[] = {
	    {HEAD, "<param><value/></param>", TAIL, RPC_VALUES_MAX, "too many"},
	    {"<methodCall><methodName>", "m", "</methodName></methodCall>",
		RPC_METHOD_MAX - 1, "no method"},
	    {HEAD "<param><value>", "x", "</value></param>" TAIL,
		RPC_XML_MAX -
		    sizeof(HEAD TAIL "<param><value></value></param>") + 1,
		"too long"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;
		CLEANUP(free_ptr)
		char *good = repeat(
		    cases[i].begin, cases[i].text, cases[i].most, cases[i].end);
		CLEANUP(free_ptr)
		char *bad = repeat(cases[i].begin, cases[i].text,
		    cases[i].most + 1, cases[i].end);

		if (parse(good, &why) < 0)
			fail_msg("%zu: %s", i, why);
		assert_int_equal(parse(bad, &why), -EBADMSG);
		assert_non_null(strstr(why, cases[i].why));
	}
}

static void
values_lie_only_so_deep_in_each_other(void **state)
{
	(void)state;
	for (size_t n = 1; n < 2 * RPC_DEPTH_MAX; n++) {
		CLEANUP(free_ptr)
		char *begin = repeat(
		    HEAD "<param><value>", "<array><data><value>", n - 1, "");
		CLEANUP(free_ptr)
		char *all = repeat(begin, "</value></data></array>", n - 1,
		    "</value></param>" TAIL);
		const char *why = NULL;
		const int r = parse(all, &why);

		assert_int_equal(r, n <= RPC_DEPTH_MAX ? 0 : -EBADMSG);
		if (r < 0)
			assert_non_null(strstr(why, "too deep"));
	}
}

/* Twice as long as UTF-8, and there is room for it. */
static void
other_encodings_become_utf8(void **state)
{
	CLEANUP(free_ptr)
	char *all =
	    repeat("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" HEAD
		   "<param><value>",
		"\xe9", 16000, "</value></param>" TAIL);
	const struct rpc_value *v = value_of(all);

	(void)state;
	assert_int_equal(strlen(v->text), 32000);
	assert_memory_equal(v->text, "\xc3\xa9\xc3\xa9", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_of_each_type_are_read),
	    cmocka_unit_test(arrays_and_structs_keep_their_order_and_names),
	    cmocka_unit_test(what_is_no_call_is_refused_with_a_reason),
	    cmocka_unit_test(each_limit_is_reached_and_not_passed),
	    cmocka_unit_test(values_lie_only_so_deep_in_each_other),
	    cmocka_unit_test(other_encodings_become_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
