/*
 * tests/unit/test_evidence_parts.c - which parts are files, and how bad.
 */
#include "worker/evidence_parts.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH(c)    c c c c c c c c c c c c c c c c
#define A          HASH("aaaa")
#define B          HASH("b0b1")
#define WHOLE(all) "{\"engines\":[],\"reading\":{" all "}}"
#define PART(hash, names, bytes, view, flags, verdicts) \
	"{\"sha256\":\"" hash "\",\"names\":[" names "],\"type\":\"a/b\"," \
	"\"bytes\":" bytes ",\"view\":\"" view "\",\"flags\":[" flags "]," \
	"\"verdicts\":[" verdicts "]}"
#define SAYS(engine, answer) \
	"{\"engine\":\"" engine "\",\"answer\":\"" answer "\"}"
#define CALLS(answer, label) \
	"{\"engine\":\"mef\",\"answer\":\"" answer "\",\"label\":\"" label "\"}"
#define FILE_OF(verdicts) \
	WHOLE("\"parts\":[" PART( \
	    A, "\"n\"", "7", "mime", "\"attachment\"", verdicts) "]")

static int
note(void *arg, const struct evidence_part *p)
{
	char *at = (char *)arg + strlen(arg), hex[DIGEST_HEX];

	(void)sprintf(at, "%.8s %ju %s %s %s;", digest_hex(&p->digest, hex),
	    (uintmax_t)p->bytes, p->name, p->verdict, p->engine);
	return 0;
}

static void
gives(const char *json, const char *want)
{
	char have[2000] = "";

	assert_int_equal(evidence_parts(json, note, have), 0);
	assert_string_equal(have, want);
}

static void
files_are_given_and_texts_are_not(void **state)
{
	(void)state;
	gives(WHOLE("\"parts\":[" PART(A, "\"a.exe\",\"b\"", "7", "mime",
		  "\"attachment\",\"container\"",
		  SAYS("policy", "refuse")) "," PART(B, "", "5", "archive", "",
		  "") "," PART(A, "", "5", "mime", "\"body\"", "") "," PART(A,
		  "", "5", "mime", "\"container\"", "") "," PART(A, "\"x\"",
		  "0", "mime", "\"attachment\",\"no content\"", "") "]"),
	    "aaaaaaaa 7 a.exe refuse policy;b0b1b0b1 5  none ;");
}

static void
files_behind_links_are_given_too(void **state)
{
	(void)state;
	gives(WHOLE("\"parts\":[],\"links\":[{\"url\":\"u\"},{\"parts\":[" PART(
		  A, "\"l.zip\"", "9", "mime", "\"attachment\"",
		  SAYS("clamd", "clean")) "],\"url\":\"u\"}]"),
	    "aaaaaaaa 9 l.zip clean clamd;");
}

static void
the_worst_verdict_is_given(void **state)
{
	(void)state;
	gives(FILE_OF(SAYS("policy", "hold") "," SAYS("clamd", "hit") "," SAYS(
		  "vm", "unknown(system)")),
	    "aaaaaaaa 7 n hit clamd;");
	gives(
	    FILE_OF(SAYS("clamd", "clean") "," SAYS("vm", "unknown(message)")),
	    "aaaaaaaa 7 n unknown(message) vm;");
	gives(FILE_OF(SAYS("mef", "borderline") "," SAYS("clamd", "clean")),
	    "aaaaaaaa 7 n borderline mef;");
	/* What the model calls it, unless clones have cleared it. */
	gives(FILE_OF(CALLS("warn", "malicious") "," SAYS("clamd", "clean")),
	    "aaaaaaaa 7 n malicious mef;");
	gives(FILE_OF(CALLS("clean", "malicious")), "aaaaaaaa 7 n clean mef;");
	gives(FILE_OF(CALLS("hit", "malicious") "," SAYS("clamd", "hit")),
	    "aaaaaaaa 7 n hit clamd;");
	gives(FILE_OF(SAYS("new", "odd") "," SAYS("clamd", "clean")),
	    "aaaaaaaa 7 n odd new;");
	gives(FILE_OF(SAYS("e", "0123456789012345678901234567890123456789")),
	    "aaaaaaaa 7 n 01234567890123456789012345678901 e;");
}

static void
what_is_no_evidence_has_no_parts(void **state)
{
	static const char *const all[] = {"", "\"attachment\"",
	    "[\"attachment\"", "{\"reading\":null,\"attachment\":1}",
	    "{\"reading\":[\"attachment\"]}",
	    WHOLE("\"parts\":{\"attachment\":1}"),
	    WHOLE("\"parts\":[\"attachment\",1,null,[]],\"links\":[1]"),
	    WHOLE("\"parts\":[" PART(
		"zz", "", "1", "mime", "\"attachment\"", "") "]")};

	(void)state;
	gives(NULL, "");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		gives(all[i], "");
	/* Numbers and names of other kinds are none. */
	gives(WHOLE("\"parts\":[" PART(A, "3", "-1", "mime", "\"attachment\"",
		  "{\"answer\":1},4") "]"),
	    "aaaaaaaa 0   ;");
}

static int
stop(void *arg, const struct evidence_part *p)
{
	(void)arg;
	(void)p;
	return -7;
}

static void
the_callers_no_ends_it(void **state)
{
	(void)state;
	assert_int_equal(evidence_parts(FILE_OF(""), stop, NULL), -7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_are_given_and_texts_are_not),
	    cmocka_unit_test(files_behind_links_are_given_too),
	    cmocka_unit_test(the_worst_verdict_is_given),
	    cmocka_unit_test(what_is_no_evidence_has_no_parts),
	    cmocka_unit_test(the_callers_no_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
