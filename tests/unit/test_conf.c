#include "common/conf.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

DEFINE_CLEANUP(struct conf *, conf_free);

static int
load(const char *dir, const char *text, size_t len, struct conf **ret_conf,
    char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/c", dir);
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	assert_int_equal(write_all(fd, text, len), 0);
	r = conf_load(path, ret_conf, err, err_size);
	/* The name of the temporary directory is not part of the answer. */
	if (r < 0 && strncmp(err, path, strlen(path)) == 0)
		memmove(err, err + strlen(path) - 1,
		    strlen(err) - strlen(path) + 2);
	return r;
}

/* text -> the whole error, of the file "c". */
static const struct {
	const char *text, *err;
} wrong[] = {
    {"feed {\n\n queues = 65\n}\n",
	"c:3: feed.queues: 65: too large; write 1 .. 64"},
    {"feed { queues = 0 }", "c:1: feed.queues: 0: too small; write 1 .. 64"},
    {"feed {\n scan_interval = 30\n}\n",
	"c:2: feed.scan_interval: 30: not a number that is understood; write "
	"a number with us, ms, s, m, h or d behind it, as in 30s"},
    {"flow {\n learn_ham = 0.1.2\n}\n",
	"c:2: flow.learn_ham: 0.1.2: not a number that is understood; write "
	"one in decimal digits, as in 0.5"},
    {"flow { weight = -0.5 }",
	"c:1: flow.weight: -0.5: too small; write 0 .. 100"},
    {"flow { learn_ham = 12 }",
	"c: flow.learn_ham: 12: must be below flow.learn_spam, 12; write "
	"learn_ham < learn_spam"},
    {"worker { engines = \"policy flow\" }",
	"c: worker.engines: flow: there are no connections to ask for without "
	"flow.interface; name the one on which mail comes in, or leave out "
	"flow"},
    {"budget {\n memory = 1GB\n}\n",
	"c:2: budget.memory: 1GB: not a number that is understood; write a "
	"number of octets, or one with KiB, MiB or GiB behind it, as in "
	"64KiB"},
    {"budget { memory = 99999999999999999999GiB }",
	"c:1: budget.memory: 99999999999999999999GiB: not a number that is "
	"understood; write a number of octets, or one with KiB, MiB or GiB "
	"behind it, as in 64KiB"},
    {"mef {\n threshold = half\n}\n",
	"c:2: mef.threshold: half: not a number that is understood; write "
	"percent in decimal digits, as in 2.5"},
    {"mef { threshold = 0.00001 }",
	"c:1: mef.threshold: 0.00001: not a number that is understood; write "
	"percent in decimal digits, as in 2.5"},
    {"mef {\n threshold = 100.1\n}\n",
	"c:2: mef.threshold: 100.1: too large; write 0 .. 100"},
    {"mef { archive = here }",
	"c: mef.archive: here: not an absolute path; write one, or none"},
    {"feed {\n limits = \"2000 1000 5000\"\n}\n",
	"c:2: feed.limits: 2000 1000 5000: does not ascend; write every size "
	"larger than the one before it"},
    {"feed {\n limits = \"2000 2000 5000\"\n}\n",
	"c:2: feed.limits: 2000 2000 5000: does not ascend; write every size "
	"larger than the one before it"},
    {"feed {\n\n queues = 3\n}\n",
	"c:3: feed.limits: 3 given by default, but 3 queues take 2 at most "
	"(the last queue has none); write limits = \"...\" with no more "
	"ascending sizes, or "
	"queues = 4"},
    {"feed {\n limits = \"1KiB 2KiB 3KiB 4KiB\"\n}\n",
	"c:2: feed.limits: 4 given, but 4 queues take 3 at most (the last "
	"queue has none); write limits = \"...\" with no more ascending sizes, "
	"or queues = 5"},
    {"feed {\n qeues = 4\n}\n",
	"c:2: feed: no such option 'qeues'; write one of those that `sluice "
	"config dump` shows there"},
    {"\nqueues = 4\n",
	"c:2: no such option 'queues'; write settings inside their section, "
	"as `sluice config dump` shows them"},
    {"feed {\n queues = 4\n queues = 5\n}\n",
	"c:3: feed.queues: set twice; write it once"},
    {"feed {\n queues = 4\n",
	"c:3: feed: the section is not closed; write } behind its last "
	"setting"},
    {"feed {\n queues = 4\n}\n/* half",
	"c: the file ends inside a comment or a section; write its end"},
    {"}\n", "c:1: unexpected closing brace; write SECTION { NAME = VALUE ... "
	    "}, one setting a line"},
    {"site { spool = \"spool\" }",
	"c:1: site.spool: spool: not an absolute path; write one that begins "
	"with /"},
    {"site { user = \"\" }",
	"c:1: site.user: : empty; write 1 .. 255 characters"},
    {"site { user = \"a\\nb\" }",
	"c:1: site.user: a\\x0ab: has a control character or one of \" ' \\ "
	"$; write it without"},
    {"site { require_sandbox = yes }",
	"c:1: site.require_sandbox: yes: neither yes nor no; write true or "
	"false"},
    {"worker { engines = \"policy virus\" }",
	"c:1: worker.engines: policy virus: virus: unknown; write each at "
	"most once out of: policy clamd spam mef vm flow"},
    {"worker { engines = \"clamd clamd\" }",
	"c:1: worker.engines: clamd clamd: clamd: said twice; write each at "
	"most once out of: policy clamd spam mef vm flow"},
    {"worker { engines = \"a\\nb\" }",
	"c:1: worker.engines: a\\x0ab: a\\x0ab: unknown; write each at most "
	"once out of: policy clamd spam mef vm flow"},
    {"worker { engines = \" \" }",
	"c:1: worker.engines:  : empty; write one or more of: policy clamd "
	"spam mef vm flow"},
    {"spam { backend = \"spamd rspamd\" }",
	"c:1: spam.backend: spamd rspamd: several words; write one of: spamd "
	"rspamd"},
    {"worker { cells = 20 }", "c: worker.cells: 20: more than "
			      "worker.cells_max, 8; write cells <= "
			      "cells_max"},
    {"gate { full_wait = 15m }",
	"c: gate.resume_wait: must be shorter than gate.full_wait; write "
	"resume_wait < full_wait"},
    {"gate { resume_disk = 90 }",
	"c: gate.resume_disk: 90: must be below gate.full_disk, 90; write "
	"resume_disk < full_disk"},
    {"spread { key = \"etc/key\" }",
	"c: spread.key: etc/key: not an absolute path; write one, or none"},
    {"budget { message = 600MiB }",
	"c: budget.memory: a cell maps the message, its output and itself, so "
	"that budget.message + budget.output + 64MiB must fit; write memory "
	">= 920MiB, or less of the others"},
    {"budget { memory = 419MiB }",
	"c: budget.memory: a cell maps the message, its output and itself, so "
	"that budget.message + budget.output + 64MiB must fit; write memory "
	">= 420MiB, or less of the others"},
};

static void
what_is_wrong_is_said_with_file_line_and_remedy(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct conf *conf = NULL;
		char err[1024] = "";

		assert_int_equal(
		    load(*state, wrong[i].text, strlen(wrong[i].text), &conf,
			err, sizeof(err)),
		    -EINVAL);
		assert_null(conf);
		assert_string_equal(err, wrong[i].err);
	}
}

static void
a_long_error_is_cut_and_not_overrun(void **state)
{
	char err[32];
	struct conf *conf = NULL;

	for (size_t size = 1; size < sizeof(err); size++) {
		memset(err, 'x', sizeof(err));
		assert_int_equal(
		    load(*state, "feed { queues = 99 }", 20, &conf, err, size),
		    -EINVAL);
		assert_true(memchr(err, '\0', size) != NULL);
		assert_int_equal(err[size], 'x');
	}
}

static void
every_kind_of_value_is_read(void **state)
{
	static const char text[] =
	    "# a comment\n"
	    "site { spool = \"/a b\" require_sandbox = true }\n"
	    "feed { queues = 3  limits = \"1KiB 2MiB\" scan_interval = 500ms "
	    "}\n";
	static const char good[] =
	    "site { spool = '/a' } // half\n"
	    "feed {\n queues = 3\n limits = \" 1KiB   2MiB \"\n"
	    " scan_interval = 2m }\n"
	    "worker { engines = \"spam  policy\" hold_max = 1d }\n"
	    "clamd { settle = 0s } /* end */\n"
	    "mef { threshold = 0.0625 }\n"
	    "flow { learn_ham = -1.25 weight = 3 }\n"
	    "budget { message = 700MiB output = 260MiB memory = 1GiB }\n";
	CLEANUP(conf_freep) struct conf *c = NULL;
	char err[512] = "";

	/* 500 ms is below the least scan_interval. */
	assert_int_equal(
	    load(*state, text, sizeof(text) - 1, &c, err, sizeof(err)),
	    -EINVAL);
	assert_int_equal(
	    load(*state, good, sizeof(good) - 1, &c, err, sizeof(err)), 0);
	assert_string_equal(c->site.spool, "/a");
	assert_int_equal(c->feed.queues, 3);
	assert_int_equal(c->feed.limits.count, 2);
	assert_int_equal(c->feed.limits.bytes[0], 1024);
	assert_int_equal(c->feed.limits.bytes[1], 2097152);
	assert_int_equal(c->feed.scan_interval_usec, 120000000);
	assert_string_equal(c->worker.engines, "spam policy");
	assert_true(conf_has_word(c->worker.engines, "policy"));
	assert_false(conf_has_word(c->worker.engines, "pol"));
	assert_false(conf_has_word(c->worker.engines, "clamd"));
	assert_true(c->worker.hold_max_usec == UINT64_C(86400000000));
	assert_int_equal(c->clamd.settle_usec, 0);
	assert_int_equal(c->mef.threshold_ppm, 625);
	assert_true(c->flow.learn_ham == -1.25 && c->flow.weight == 3);
	assert_true(c->flow.learn_spam == 12); /* a default */
	assert_true(c->budget.memory_bytes == UINT64_C(1) << 30);
	assert_string_equal(c->site.user, "sluice"); /* a default */
}

static void
files_that_are_none_are_told_apart(void **state)
{
	struct conf *c = NULL;
	char err[512];
	CLEANUP(free_ptr) char *missing = xasprintf("%s/none", (char *)*state);
	CLEANUP(free_ptr) char *large = xcalloc(1, (1 << 20) + 1);

	assert_int_equal(conf_load(missing, &c, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "none: cannot be read: No such file"));
	assert_int_equal(conf_load(*state, &c, err, sizeof(err)), -EISDIR);
	assert_int_equal(conf_load("/dev/null", &c, err, sizeof(err)), -EINVAL);
	assert_int_equal(
	    load(*state, "a\0b", 3, &c, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "c: has a NUL octet; write plain text");
	memset(large, '\n', (1 << 20) + 1);
	assert_int_equal(
	    load(*state, large, (1 << 20) + 1, &c, err, sizeof(err)), -EFBIG);
	assert_null(c);
}

static char *
dump(const struct conf *conf, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	assert_non_null(f);
	conf_dump(conf, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void
a_dump_is_read_back_to_the_same_values(void **state)
{
	static const char text[] =
	    "feed { queues = 2 limits = \"3001\" scan_interval = 90s }\n"
	    "site { smtp = \"[::1]:25\" log_level = debug }\n"
	    "worker { trace_header = true }\n"
	    "flow { learn_ham = -0.3 learn_spam = 12.75 }\n";
	CLEANUP(conf_freep) struct conf *a = NULL;
	CLEANUP(conf_freep) struct conf *b = NULL;
	CLEANUP(free_ptr) char *first = NULL;
	CLEANUP(free_ptr) char *second = NULL;
	char err[512] = "";
	size_t n, m;

	assert_int_equal(
	    load(*state, text, sizeof(text) - 1, &a, err, sizeof(err)), 0);
	first = dump(a, &n);
	assert_int_equal(load(*state, first, n, &b, err, sizeof(err)), 0);
	assert_int_equal(b->feed.scan_interval_usec, 90000000);
	assert_int_equal(b->feed.limits.bytes[0], 3001);
	assert_string_equal(b->site.smtp, "[::1]:25");
	assert_true(b->worker.trace_header);
	assert_true(b->flow.learn_ham == -0.3 && b->flow.learn_spam == 12.75);
	second = dump(b, &m);
	assert_string_equal(first, second);
}

static void
the_sample_file_is_the_dump_of_the_defaults(void **state)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	CLEANUP(free_ptr) char *want = NULL;
	CLEANUP(free_ptr) char *have = NULL;
	char err[512];
	size_t n, m;

	(void)state;
	assert_int_equal(conf_load(NULL, &c, err, sizeof(err)), 0);
	assert_null(c->path);
	want = dump(c, &n);
	assert_int_equal(
	    read_file(AT_FDCWD, TEST_SOURCE_DIR "/../../etc/sluice.conf",
		1 << 20, &have, &m),
	    0);
	assert_string_equal(have, want);
}

static int
set_up(void **state)
{
	*state = tmp_new();
	return 0;
}

static int
tear_down(void **state)
{
	tmp_remove(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_wrong_is_said_with_file_line_and_remedy),
	    cmocka_unit_test(a_long_error_is_cut_and_not_overrun),
	    cmocka_unit_test(every_kind_of_value_is_read),
	    cmocka_unit_test(files_that_are_none_are_told_apart),
	    cmocka_unit_test(a_dump_is_read_back_to_the_same_values),
	    cmocka_unit_test(the_sample_file_is_the_dump_of_the_defaults),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
