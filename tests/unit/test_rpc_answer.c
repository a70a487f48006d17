/*
 * tests/unit/test_rpc_answer.c - the methods of XML-RPC: what is asked for a
 * call, and what becomes of the answer.
 */
#include "flow/rpc/answer.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CALL(method, params) \
	"<methodCall><methodName>" method "</methodName><params>" params \
	"</params></methodCall>"
#define P(value)     "<param><value>" value "</value></param>"
#define I(number)    P("<int>" number "</int>")
#define E(number)    "<value><double>" number "</double></value>"
#define M(name, val) "<member><name>" name "</name>" val "</member>"

#define FOUND \
	"found by=client ordinal=2 messages=3 state=open secret=1 " \
	"approximate=0 start=1700000000.000000000 " \
	"at=1700000001.500000000 pkts_in=12 pkts_out=11 bytes_in=100 " \
	"rxmt_in=0 rxmt_out=0 ooo_in=0 dupack_in=0 fin_in=0 fin_out=0 " \
	"rst_in=0 rst_out=0 syn_rxmt=0 hs_time=0.25 rtt_init=0.125 " \
	"rtt_var=null jitter_var=1e-10 idle_max=0.5 win_init=5840 " \
	"win_min=null win_zero=0"
#define OPINION "opinion score=2 points=3 above=1 why=idle_max (+0.8), b=1 <x>"

/* Who is asked, what, and what he says; NULL: nobody is there. */
struct world {
	const char *says[RPC_WHOMS];
	char asked[RPC_WHOMS][RPC_QUESTION_MAX];
	struct rpc_site site;
	char *answer;
};

static int
ask(void *arg, enum rpc_whom whom, const char *question, char *answer)
{
	struct world *w = arg;

	(void)snprintf(w->asked[whom], RPC_QUESTION_MAX, "%s", question);
	if (!w->says[whom])
		return -ENOENT;
	(void)snprintf(answer, RPC_ANSWER_MAX, "%s", w->says[whom]);
	return 0;
}

static bool
counter(void *arg, size_t i, const char **ret_name, uint64_t *ret_value)
{
	(void)arg;
	*ret_name = "packets";
	*ret_value = UINT64_C(9007199254740991); /* 2^53 - 1 */
	return i == 0;
}

static int
start(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->site = (struct rpc_site){
	    .arg = w, .ask = ask, .counter = counter, .may_teach = true};
	w->says[RPC_FLOW] = FOUND;
	w->says[RPC_LEARN] = OPINION;
	*state = w;
	return 0;
}

static int
stop(void **state)
{
	struct world *w = *state;

	free(w->answer);
	free(w);
	return 0;
}

static void
call(struct world *w, const char *xml)
{
	size_t n;

	free(w->answer);
	memset(w->asked, 0, sizeof(w->asked));
	w->answer = rpc_answer(&w->site, xml, strlen(xml), &n);
	assert_int_equal(strlen(w->answer), n);
}

static void
has(const struct world *w, const char *text)
{
	if (!strstr(w->answer, text))
		fail_msg("\"%s\" is not in %s", text, w->answer);
}

static void
has_not(const struct world *w, const char *text)
{
	if (strstr(w->answer, text))
		fail_msg("\"%s\" is in %s", text, w->answer);
}

static void
is_fault(const struct world *w, int code)
{
	char text[64];

	(void)snprintf(text, sizeof(text),
	    "<name>faultCode</name><value><int>%d</int>", code);
	has(w, text);
	has(w, "<fault>");
}

static void
a_query_asks_by_all_that_is_known(void **state)
{
	static const struct {
		const char *params, *question;
	} cases[] = {
	    {P("192.0.2.7") I("40312") P("&lt;a@b&gt;"),
		"client=192.0.2.7 port=40312  id=<a@b>"},
	    {P("::ffff:192.0.2.7") I("1") P("x &lt;a@b&gt; y") P("4ATNw3"),
		"client=192.0.2.7 port=1 queue=4ATNw3 id=<a@b>"},
	    {P("2001:DB8:0::1") I("65535") P("") P(""),
		"client=2001:db8::1 port=65535 "},
	    {P("") I("0") P("&lt;a b@c&gt;") P("4ATN w3"), ""},
	    {P("") I("0") P("&lt;a@b") P("4ATNw3&#10;client=1.2.3.4"), ""},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char xml[1024];

		(void)snprintf(xml, sizeof(xml), CALL("spamflow.query", "%s"),
		    cases[i].params);
		call(w, xml);
		assert_string_equal(w->asked[RPC_FLOW], cases[i].question);
		assert_string_equal(w->asked[RPC_LEARN], "");
	}
}

static void
what_was_found_is_told_in_the_published_types(void **state)
{
	struct world *w = *state;

	call(w, CALL("spamflow.query", P("192.0.2.7") I("40312") P("")));
	has(w, M("found", "<value><boolean>1</boolean></value>"));
	has(w, M("features",
		   "<value><array><data>" E("12.0") E("11.0") E("100.0")
		       E("0.0") E("0.0") E("0.0") E("0.0") E("0.0") E("0.0") E(
			   "0.0") E("0.0") E("0.0") E("0.25000000000000000")
			   E("0.12500000000000000") E("-1.0")
			       E("0.00000000010000000000000000") E(
				   "0.50000000000000000") E("5840.0") E("-1.0")
				   E("0.0") "</data></array></value>"));
	has(w, M("flags", "<value><array><data><value><string>secret</string>"
			  "</value></data></array></value>"));
	has(w, M("state", "<value><string>open</string></value>"));
	has(w, M("by", "<value><string>client</string></value>"));
	has(w, M("ordinal", "<value><int>2</int></value>"));
	has(w, M("at", E("1700000001.5000000")));
	has_not(w, "nil");
	has_not(w, "label");
}

static void
what_is_not_known_is_an_answer_and_no_daemon_a_fault(void **state)
{
	struct world *w = *state;

	w->says[RPC_FLOW] = "none reason=ambiguous";
	call(w, CALL("spamflow.judge", P("192.0.2.7") I("40312") P("")));
	has(w, M("found", "<value><boolean>0</boolean></value>"));
	has(w, M("reason", "<value><string>ambiguous</string></value>"));
	assert_string_equal(w->asked[RPC_LEARN], "");
	w->says[RPC_FLOW] = NULL;
	call(w, CALL("spamflow.judge", P("192.0.2.7") I("40312") P("")));
	is_fault(w, RPC_FAULT_ABSENT);
	has(w, "sluice-flow: No such file");
}

static void
a_judgement_is_found_and_judged(void **state)
{
	struct world *w = *state;

	call(w, CALL("spamflow.judge", P("192.0.2.7") I("40312") P("")));
	assert_memory_equal(w->asked[RPC_LEARN],
	    "judge client=192.0.2.7 port=40312 start=1700000000.000000000 "
	    "pkts_in=12 pkts_out=11 ",
	    80);
	assert_non_null(strstr(w->asked[RPC_LEARN], " rtt_var=null "));
	has(w, M("label", "<value><string>spam</string></value>"));
	has(w, "<name>p_spam</name><value><double>0.880797077977882");
	has(w, M("points", E("3.0")));
	has(w, "<string>idle_max (+0.8), b=1 &lt;x&gt;</string>");

	/* Of the connection, where it was found by another key. */
	w->says[RPC_FLOW] = "found client=192.0.2.9 port=7 pkts_in=1";
	call(w, CALL("spamflow.judge", P("") I("0") P("&lt;a@b&gt;")));
	assert_memory_equal(w->asked[RPC_LEARN],
	    "judge client=192.0.2.9 port=7 pkts_in=1 pkts_out=null", 53);

	/* Without a learner the features are told all the same. */
	w->says[RPC_LEARN] = NULL;
	call(w, CALL("spamflow.judge", P("192.0.2.7") I("40312") P("")));
	has(w, "features");
	has(w, M("why", "<value><string>no answer of the learner</string>"
			"</value>"));
	has_not(w, "label");
}

static void
features_are_classified_as_an_array_or_by_name(void **state)
{
	struct world *w = *state;

	call(w, CALL("classifier.classify",
		    P("<array><data>" E("12") E("0") E("0") E("0") E("0") E(
			"0") E("0") E("0") E("0") E("0") E("0") E("0") E("0")
			    E("0") E("-1") "<value><nil/></value>" E("0") E("0")
				E("0") E("7.5") "</data></array>") P("::1")));
	assert_memory_equal(
	    w->asked[RPC_LEARN], "judge client=::1 pkts_in=12 ", 28);
	assert_non_null(
	    strstr(w->asked[RPC_LEARN], "rtt_var=null jitter_var=null "));
	assert_non_null(strstr(w->asked[RPC_LEARN], " win_zero=7.5"));
	has(w, M("label", "<value><string>spam</string></value>"));

	call(w, CALL("classifier.classify",
		    P("<struct>" M("win_min", "<value><int>5</int></value>")
			    M("rtt_var", E("-1")) "</struct>")));
	assert_non_null(strstr(w->asked[RPC_LEARN], " win_min=5 "));
	assert_non_null(strstr(w->asked[RPC_LEARN], " pkts_in=null "));

	w->says[RPC_LEARN] = "opinion score=null points=0 above=0 why=young";
	call(w, CALL("classifier.classify",
		    P("<struct>" M("win_min", E("5")) "</struct>")));
	has(w, M("label", "<value><string>unknown</string></value>"));
	has(w, M("p_spam", E("0.50000000000000000")));
	w->says[RPC_LEARN] = NULL;
	call(w, CALL("classifier.classify",
		    P("<struct>" M("win_min", E("5")) "</struct>")));
	is_fault(w, RPC_FAULT_ABSENT);
	has_not(w, "<params>");
}

static void
who_may_teach_teaches(void **state)
{
	struct world *w = *state;
	const char *learn = CALL("classifier.learn",
	    P("<struct>" M("win_min", E("5")) "</struct>") P("spam") I("1")
		P("192.0.2.7"));

	w->says[RPC_LEARN] = "learned label=spam";
	call(w, learn);
	assert_memory_equal(w->asked[RPC_LEARN],
	    "learn content=1000 client=192.0.2.7 pkts_in=null ", 49);
	has(w, M("taken", "<value><boolean>1</boolean></value>"));
	w->says[RPC_LEARN] = "refused why=frozen: a b";
	call(w, learn);
	has(w, M("taken", "<value><boolean>0</boolean></value>"));
	has(w, M("why", "<value><string>frozen: a b</string></value>"));
	w->says[RPC_LEARN] = "none reason=bad-question";
	call(w, learn);
	is_fault(w, RPC_FAULT_REFUSED);
	w->says[RPC_LEARN] = "status n_ham=5 n_spam=7 accuracy=null why=a b";
	call(w, CALL("classifier.status", ""));
	assert_string_equal(w->asked[RPC_LEARN], "status");
	has(w, M("n_spam", E("7.0")));
	has(w, M("accuracy", E("-1.0")));
	has(w, M("why", "<value><string>a b</string></value>"));
	w->says[RPC_LEARN] = "retrained";
	call(w, CALL("classifier.retrain", ""));
	assert_string_equal(w->asked[RPC_LEARN], "retrain");
	has_not(w, "fault");
	w->says[RPC_LEARN] = "none reason=bad-question";
	call(w, CALL("classifier.retrain", ""));
	is_fault(w, RPC_FAULT_REFUSED);

	w->site.may_teach = false;
	call(w, learn);
	is_fault(w, RPC_FAULT_REFUSED);
	assert_string_equal(w->asked[RPC_LEARN], "");
	call(w, CALL("classifier.retrain", ""));
	is_fault(w, RPC_FAULT_REFUSED);
	assert_string_equal(w->asked[RPC_LEARN], "");
}

static void
wrong_parameters_are_named_and_nobody_is_asked(void **state)
{
	static const char *const cases[] = {
	    CALL("spamflow.query", ""),
	    CALL("spamflow.query", P("192.0.2.7") I("25")),
	    CALL("spamflow.query", P("192.0.2.7") I("25") P("") P("") P("")),
	    CALL("spamflow.query", P("192.0.2.7") I("0") P("")),
	    CALL("spamflow.query", P("192.0.2.7") I("65536") P("")),
	    CALL("spamflow.query", P("192.0.2.7") I("-1") P("")),
	    CALL("spamflow.query", P("") I("25") P("")),
	    CALL("spamflow.query", P("192.0.2") I("25") P("")),
	    CALL("spamflow.query", P("1.2.3.4 queue=ABCD") I("25") P("")),
	    CALL("spamflow.query", P("192.0.2.7") P("25") P("")),
	    CALL("spamflow.query", P("192.0.2.7") I("25") I("5")),
	    CALL("spamflow.judge", P("192.0.2.7") I("25") P("") I("5")),
	    CALL("spamflow.stats", I("1")),
	    CALL("classifier.classify", I("1")),
	    CALL("classifier.classify", P("<array><data/></array>")),
	    CALL("classifier.classify", P("<struct/>")),
	    CALL("classifier.classify",
		P("<array><data>" E("1") "</data></array>")),
	    CALL("classifier.classify",
		P("<struct>" M("eggs", E("1")) "</struct>")),
	    CALL("classifier.classify",
		P("<struct>" M("win_min", E("-2")) "</struct>")),
	    CALL("classifier.classify",
		P("<struct>" M("win_min", "<value>1</value>") "</struct>")),
	    CALL("classifier.classify",
		P("<struct>" M("win_min", E("1")) "</struct>") P("here")),
	    CALL("classifier.learn",
		P("<struct>" M("win_min", E("1")) "</struct>") P("eggs")),
	    CALL("classifier.learn",
		P("<struct>" M("win_min", E("1")) "</struct>") P("ham") I("2")),
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		call(w, cases[i]);
		if (!strstr(w->answer, "-32602"))
			fail_msg("%s: %s", cases[i], w->answer);
		assert_string_equal(w->asked[RPC_FLOW], "");
		assert_string_equal(w->asked[RPC_LEARN], "");
	}
	call(w, CALL("eggs", ""));
	is_fault(w, RPC_FAULT_METHOD);
	call(w, "<eggs/>");
	is_fault(w, RPC_FAULT_PARSE);
}

static void
counters_are_told(void **state)
{
	struct world *w = *state;

	call(w, CALL("spamflow.stats", ""));
	has(w, M("packets", E("9007199254740991.0")));
	call(w, CALL("system.listMethods", ""));
	has(w, "<string>spamflow.judge</string>");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_query_asks_by_all_that_is_known),
	    TEST(what_was_found_is_told_in_the_published_types),
	    TEST(what_is_not_known_is_an_answer_and_no_daemon_a_fault),
	    TEST(a_judgement_is_found_and_judged),
	    TEST(features_are_classified_as_an_array_or_by_name),
	    TEST(who_may_teach_teaches),
	    TEST(wrong_parameters_are_named_and_nobody_is_asked),
	    TEST(counters_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
