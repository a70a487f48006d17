/*
 * tests/unit/test_detector.c - events to behaviours, by rules of the tests'
 * own: what the language of the rules means.
 */
#include "tests/support/detector_site.h"

#define EVENTS_MAX 12

struct row {
	const char *rules; /* below "behaviour b 10 T1000 "B"" */
	const char *events[EVENTS_MAX];
	bool found;
};

static void
check(const struct row *row)
{
	CLEANUP(free_ptr)
	char *text = xasprintf(
	    "class docs /d/*\nbehaviour b 10 T1000 \"B\"\n%s", row->rules);
	struct rules *rules = rules_of(text);
	struct detector *d = detector_of(rules, row->events);
	char ids[100];

	(void)evidence_ids(d, ids, sizeof(ids));
	if ((strcmp(ids, "b") == 0) != row->found)
		fail_msg("%s with %s: %s", row->rules, row->events[0],
		    row->found ? "not found" : "found");
	detector_free(d);
	rules_free(rules);
}

static void
check_all(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(&rows[i]);
}

static void
conditions_mean_what_they_say(void **state)
{
	static const struct row rows[] = {
	    {"when file.write", {"file.write|path=/x"}, true},
	    {"when file.write", {"file.create|path=/x"}, false},
	    {"when file.create,file.write", {"file.write|path=/x"}, true},
	    {"when file.write path /X", {"file.write|path=/x"}, true},
	    {"when file.write path /x", {"file.write|path=/X"}, true},
	    {"when file.write path /x", {"file.write|path=/xy"}, false},
	    {"when file.write path /a /x", {"file.write|path=/x"}, true},
	    {"when file.write path not /a /x", {"file.write|path=/x"}, false},
	    {"when file.write path not /a /y", {"file.write|path=/x"}, true},
	    {"when file.write path @docs", {"file.write|path=/d/1"}, true},
	    {"when file.write path not @docs", {"file.write|path=/d/1"}, false},
	    {"when file.write path /x and data *b*",
		{"file.write|path=/x|data=abc"}, true},
	    {"when file.write path /x and data *b*",
		{"file.write|path=/x|data=ac"}, false},
	    {"when file.write data *", {"file.write|path=/x"}, false},
	    {"when file.write data not *b*", {"file.write|path=/x"}, true},
	    {"when file.write data", {"file.write|path=/x"}, false},
	    {"when file.write data", {"file.write|path=/x|data=1"}, true},
	    {"when file.write base x.doc", {"file.write|path=/a/x.doc"}, true},
	    {"when file.write dir /a/b", {"file.write|path=/a/b/x"}, true},
	    {"when file.write dir /a", {"file.write|path=/a/b/x"}, false},
	    {"when net.connect port 25", {"net.connect|port=25"}, true},
	    {"when file.write\nwhen file.delete", {"file.delete|path=/x"},
		true},
	};

	(void)state;
	check_all(rows, ARRAY_SIZE(rows));
}

static void
words_of_a_command_line_are_looked_at_one_by_one(void **state)
{
	static const char rule[] = "when process.start args /t/x.exe";
	static const struct row rows[] = {
	    {rule, {"process.start|args=/t/x.exe"}, true},
	    {rule, {"process.start|args=run /t/x.exe -q"}, true},
	    {rule, {"process.start|args=run \\\"/t/x.exe\\\" -q"}, true},
	    {rule, {"process.start|args=run='/t/x.exe'"}, true},
	    {rule, {"process.start|args=a&&/t/x.exe"}, true},
	    {rule, {"process.start|args=\\\\t\\\\X.EXE"}, true},
	    {rule, {"process.start|args=run /t/x.exes"}, false},
	    {"when process.start args \"/a b/c\"",
		{"process.start|args=x \\\"/a b/c\\\""}, true},
	    {"when process.start args \"/a b/c\"",
		{"process.start|args=x /a b/c"}, false},
	    {"when process.start args \"*del a*\"",
		{"process.start|args=d^el   a"}, true},
	    {"when file.write path /t/x", {"file.write|path=run /t/x"}, false},
	};

	(void)state;
	check_all(rows, ARRAY_SIZE(rows));
}

static void
steps_must_come_in_their_order(void **state)
{
	static const char two[] = "when file.create path /a\n"
				  "then file.delete path /b";
	static const char three[] = "when file.create\nthen file.write\n"
				    "then file.delete";
	static const char burst[] = "when file.create\n"
				    "then file.delete times 2 within 15ms";
	static const char soon[] = "when file.create\n"
				   "then file.delete within 25ms";
	static const struct row rows[] = {
	    {two, {"file.create|path=/a", "file.delete|path=/b"}, true},
	    {two, {"file.delete|path=/b", "file.create|path=/a"}, false},
	    {two, {"file.create|path=/b", "file.delete|path=/b"}, false},
	    {three,
		{"file.create|path=/", "file.write|path=/",
		    "file.delete|path=/"},
		true},
	    {three,
		{"file.create|path=/", "file.delete|path=/",
		    "file.write|path=/"},
		false},
	    {burst,
		{"file.create|path=/", "5*file.read|path=/",
		    "2*file.delete|path=/"},
		true},
	    {burst,
		{"file.create|path=/", "file.delete|path=/",
		    "5*file.read|path=/", "file.delete|path=/"},
		false},
	    {soon, {"file.create|path=/", "file.delete|path=/"}, true},
	    {soon,
		{"file.create|path=/", "5*file.read|path=/",
		    "file.delete|path=/"},
		false},
	};

	(void)state;
	check_all(rows, ARRAY_SIZE(rows));
}

static void
a_variable_is_the_same_in_all_steps(void **state)
{
	static const char run[] = "when file.create path $\n"
				  "then process.start path $";
	static const char args[] = "when file.create path $ and path /t/*\n"
				   "then process.start args $";
	static const char late[] = "when net.data\nthen file.create path $\n"
				   "then process.start path $";
	static const char gone[] = "when file.create path $\nthen file.mode "
				   "path $\nthen net.data";
	static const char to[] = "when file.create path $\n"
				 "then file.rename path $ and to @docs";
	static const struct row rows[] = {
	    {run, {"file.create|path=/a", "process.start|path=/a"}, true},
	    {run, {"file.create|path=/a", "process.start|path=/b"}, false},
	    {run,
		{"file.create|path=/a", "file.create|path=/b",
		    "process.start|path=/a"},
		true},
	    {run, {"process.start|path=/a", "file.create|path=/a"}, false},
	    {args, {"file.create|path=/t/a", "process.start|args=sh /t/a"},
		true},
	    {args, {"file.create|path=/u/a", "process.start|args=sh /u/a"},
		false},
	    {late,
		{"net.data|addr=1", "file.create|path=/a",
		    "process.start|path=/a"},
		true},
	    {late,
		{"file.create|path=/a", "net.data|addr=1",
		    "process.start|path=/a"},
		false},
	    {gone,
		{"file.create|path=/a", "file.mode|path=/a", "net.data|addr=1"},
		true},
	    {gone,
		{"file.create|path=/a", "file.mode|path=/b", "net.data|addr=1"},
		false},
	    {to, {"file.create|path=/a", "file.rename|path=/a|to=/d/x"}, true},
	    {to, {"file.create|path=/a", "file.rename|path=/b|to=/d/x"}, false},
	};

	(void)state;
	check_all(rows, ARRAY_SIZE(rows));
}

static void
events_are_counted(void **state)
{
	static const char five[] = "when file.write times 5";
	static const char differ[] = "when file.write path @docs times 5 "
				     "different path";
	static const char span[] = "when file.write times 5 different path "
				   "within 50ms";
	static const char fast[] = "when file.write times 5 within 50ms";
	static const char base[] = "when file.create base $ times 3 different "
				   "dir";
	static const char same[] = "when file.delete path $\nthen file.create "
				   "path $ times 3 different path";
	static const char then[] = "when file.read times 2\n"
				   "then net.mail times 2 different to";
	static const struct row rows[] = {
	    {five, {"5*file.write|path=/a"}, true},
	    {five, {"4*file.write|path=/a"}, false},
	    {differ, {"9*file.write|path=/d/a"}, false},
	    {differ, {"5*file.write|path=/d/#"}, true},
	    {differ, {"4*file.write|path=/d/#", "file.write|path=/d/1"}, false},
	    {differ, {"4*file.write|path=/d/#", "file.write|path=/x"}, false},
	    {span, {"5*file.write|path=/d/#"}, true},
	    {span,
		{"3*file.write|path=/d/#", "3*file.read|path=/",
		    "2*file.write|path=/e/#"},
		false},
	    {span,
		{"3*file.write|path=/d/#", "6*file.read|path=/",
		    "5*file.write|path=/d/#"},
		true},
	    {span,
		{"file.write|path=/d/1", "3*file.read|path=/",
		    "file.write|path=/d/1", "3*file.read|path=/",
		    "4*file.write|path=/d/2#"},
		false},
	    {span,
		{"file.write|path=/d/1", "9*file.read|path=/",
		    "file.write|path=/d/1", "4*file.write|path=/e/#"},
		true},
	    {span,
		{"file.write|path=/d/1", "3*file.read|path=/",
		    "file.write|path=/d/1", "file.read|path=/",
		    "file.write|path=/d/1", "4*file.write|path=/e/#"},
		true},
	    {five, {"file.write|path=/a|n=5"}, true},
	    {five, {"file.write|path=/a|n=4"}, false},
	    {differ, {"file.write|path=/d/a|n=5"}, false},
	    {fast, {"file.write|path=/a", "file.write|path=/a|n=4"}, true},
	    {fast, {"file.write|path=/a|n=2000000000"}, true},
	    {fast, {"file.write|path=/a|n=4"}, false},
	    {fast,
		{"file.write|path=/a|n=4", "5*file.read|path=/",
		    "file.write|path=/a|n=4"},
		false},
	    {base, {"3*file.create|path=/#/a"}, true},
	    {base, {"3*file.create|path=/a/#"}, false},
	    {base, {"2*file.create|path=/#/a", "2*file.create|path=/#/b"},
		false},
	    {same, {"3*file.delete|path=/#", "3*file.create|path=/#"}, true},
	    {same, {"3*file.delete|path=/#", "3*file.create|path=/a#"}, false},
	    {same,
		{"2*file.delete|path=/#", "3*file.create|path=/#",
		    "2*file.create|path=/#"},
		false},
	    {then, {"2*file.read|path=/", "2*net.mail|to=#"}, true},
	    {then,
		{"1*file.read|path=/", "2*net.mail|to=#", "1*file.read|path=/"},
		false},
	    {then, {"2*file.read|path=/", "2*net.mail|to=a"}, false},
	};

	(void)state;
	check_all(rows, ARRAY_SIZE(rows));
}

static void
files_of_the_run_and_the_sample_are_known(void **state)
{
	static const char old[] = "when file.write path not @new";
	static const char new[] = "when registry.set data @new";
	static const char self[] = "when file.delete path @sample";
	static const struct row rows[] = {
	    {old, {"file.write|path=/a"}, true},
	    {old, {"file.create|path=/a", "file.write|path=/a"}, false},
	    {old,
		{"file.create|path=/a", "file.rename|path=/a|to=/b",
		    "file.write|path=/b"},
		false},
	    {old, {"file.rename|path=/a|to=/b", "file.write|path=/b"}, true},
	    {"when file.create path @new", {"file.create|path=/a"}, false},
	    {new, {"file.create|path=/a", "registry.set|data=/a -q"}, true},
	    {new, {"file.create|path=/a", "registry.set|data=/b -q"}, false},
	    {new,
		{"file.create|path=C:\\\\a b.exe",
		    "registry.set|data=c:\\\\a b.exe"},
		true},
	    {self, {"file.delete|path=/x/Sample.bin"}, true},
	    {self, {"file.delete|path=/x/sample.bin2"}, false},
	    {"when process.start image /a",
		{"process.start|path=/a", "process.start|path=/b"}, true},
	    {"when process.start parent /a",
		{"process.start|path=/a", "process.start|path=/b|parent=30"},
		true},
	    {"when process.start parent /a",
		{"process.start|path=/a", "process.start|path=/b|parent=31"},
		false},
	};

	(void)state;
	check_all(rows, ARRAY_SIZE(rows));
}

/* 30 and 542 share a place among the processes that are remembered. */
static void
a_process_is_not_taken_for_another(void **state)
{
	static const struct row rows[] = {
	    {"when net.data image /a",
		{"process.start|path=/a", "net.data|addr=1"}, true},
	    {"when process.start parent /a",
		{"process.start|path=/a", "process.start|path=/b|parent=542"},
		false},
	};

	(void)state;
	check_all(rows, ARRAY_SIZE(rows));
}

/* Two vantage points, of which one is late. */
static void
time_does_not_go_back_in_a_span(void **state)
{
	static const char text[] = "{\"t\":2,\"ev\":\"file.create\"}\n"
				   "{\"t\":1,\"ev\":\"file.delete\"}\n";
	struct rules *rules = rules_of("behaviour b 10 T1000 \"B\"\n"
				       "when file.create\n"
				       "then file.delete within 500ms\n");
	struct detector *d = detector_new(rules);
	char ids[50];

	(void)state;
	detector_feed(d, text, strlen(text));
	assert_int_equal(evidence_ids(d, ids, sizeof(ids)), 10);
	detector_free(d);
	rules_free(rules);
}

static void
weights_add_up_to_the_threshold(void **state)
{
	static const char text[] = "threshold 50\n"
				   "behaviour a 20 T1000 \"A\"\n"
				   " when file.create\n when file.delete\n"
				   "behaviour b 30 T1001.001 \"B\"\n"
				   " when file.write\n";
	static const char *const half[] = {
	    "file.create|path=/", "3*file.delete|path=/", NULL};
	static const char *const whole[] = {
	    "file.create|path=/", "file.write|path=/", NULL};
	struct rules *rules = rules_of(text);
	struct detector *d = detector_of(rules, half);
	char ids[100];

	(void)state;
	assert_int_equal(evidence_ids(d, ids, sizeof(ids)), 20);
	assert_false(detector_is_proven(d));
	assert_string_equal(detector_reason(d), "A");
	detector_free(d);
	d = detector_of(rules, whole);
	assert_int_equal(evidence_ids(d, ids, sizeof(ids)), 50);
	assert_string_equal(ids, "b a");
	assert_true(detector_is_proven(d));
	assert_string_equal(detector_reason(d), "B");
	detector_free(d);
	rules_free(rules);
}

static void
proof_is_known_at_once(void **state)
{
	static const char first[] = "{\"ev\":\"file.create\",\"path\":\"/\"}\n";
	struct rules *rules =
	    rules_of("behaviour a 100 T1000 \"A\"\n when file.create");
	struct detector *d = detector_new(rules);

	(void)state;
	assert_string_equal(detector_reason(d), "");
	detector_feed(d, first, sizeof(first) - 2);
	assert_false(detector_is_proven(d));
	detector_feed(d, "\n", 1);
	assert_true(detector_is_proven(d));
	detector_free(d);
	rules_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(conditions_mean_what_they_say),
	    cmocka_unit_test(words_of_a_command_line_are_looked_at_one_by_one),
	    cmocka_unit_test(steps_must_come_in_their_order),
	    cmocka_unit_test(a_variable_is_the_same_in_all_steps),
	    cmocka_unit_test(events_are_counted),
	    cmocka_unit_test(files_of_the_run_and_the_sample_are_known),
	    cmocka_unit_test(a_process_is_not_taken_for_another),
	    cmocka_unit_test(time_does_not_go_back_in_a_span),
	    cmocka_unit_test(weights_add_up_to_the_threshold),
	    cmocka_unit_test(proof_is_known_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
