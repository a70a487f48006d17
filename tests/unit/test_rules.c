/*
 * tests/unit/test_rules.c - what is wrong with a rule file is said with its
 * file, its line and what to write; globs and spellings of its words.
 */
#include "tests/support/detector_site.h"
#include "vmm/glob.h"
#include "vmm/rules_priv.h"
#include "vmm/spelling.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define B "behaviour b 1 T1000 \"B\"\n"

struct wrong {
	const char *text, *says;
};

static const struct wrong wrongs[] = {
    {"behavior x", "t:1: \"behavior\" begins no line: write behaviour"},
    {"\n\nthreshold x", "t:3: threshold: write a number from 1"},
    {"threshold 0", "t:1: threshold 0: write a number from 1"},
    {"threshold 5 6", "\"6\" is one word too many"},
    {"class", "t:1: class: write its name"},
    {"class new /a", "t:1: class: write its name"},
    {"class a", "class a of what? write globs"},
    {"class a @b", "there is no class \"b\" above: write \"class b"},
    {"class a x\nclass b @a", "t:2: a class of classes"},
    {"behaviour", "t:1: an id is missing: write one"},
    {"behaviour B 1", "an id is missing"},
    {"behaviour b x", "weight: write a number from 0 to 1000"},
    {"behaviour b 1001 T1000 \"B\"", "weight 1001: write a number"},
    {"behaviour b 1 T1", "write the ATT&CK technique, like T1547.001"},
    {"behaviour b 1 T1000.1 \"B\"", "write the ATT&CK technique"},
    {"behaviour b 1 T1000", "the name in \"...\" at the end is missing"},
    {"behaviour b 1 T1000 \"B\xc3\xa9\"", "write it in ASCII"},
    {"behaviour b 1 T1000 \"B\" x", "\"x\" is one word too many"},
    {B, "behaviour b has no \"when\": write one below it"},
    {B B, "behaviour b has no \"when\""},
    {B "when file.read\n" B, "t:3: \"b\" is there already: write"},
    {B "then file.read", "t:2: \"then\" without \"when\": write when"},
    {"when file.read", "\"when\" and \"then\" belong below"},
    {B "when file.read\nthreshold 5\nthen file.read",
	"t:4: \"when\" and \"then\" belong below"},
    {B "when", "t:2: which event? write its kind"},
    {B "when file.eat", "\"file.eat\" is no kind of event: write"},
    {B "when file.read,", "\"\" is no kind of event"},
    {B "when file.read pth /a", "\"pth\" is no field: write one like"},
    {B "when file.read args /a", "file.read has no args: write one of"},
    {B "when file.read,net.mail path /a", "net.mail has no path: write"},
    {B "when net.mail base a", "net.mail has no base"},
    {B "when file.read path /a and", "a field is missing"},
    {B "when file.read path not", "not what? write a glob"},
    {B "when file.read path @x", "there is no class \"x\" above"},
    {B "when file.read path /a times", "times: write a number from 2"},
    {B "when file.read times 1", "times 1: write a number from 2"},
    {B "when file.read times 101", "times 101: write a number"},
    {B "when file.read times 2 different", "a field is missing"},
    {B "when file.read times 2 different to", "file.read has no to"},
    {B "when file.read times 2 within", "within: write a time like"},
    {B "when file.read times 2 within 5", "write a time like 10s"},
    {B "when file.read times 2 within 601s", "within 601: write a"},
    {B "when file.read within 5s", "within what? write \"times\""},
    {B "when file.read path $ times 2 within 5s", "leave one out"},
    {B "when file.read path $ and base $", "a second or negated $"},
    {B "when file.read path not $", "a second or negated $"},
    {B "when process.start args $", "$ cannot begin in args"},
    {B "when file.read path \"/a", "a \" without its end: write"},
    {B "when file.read path \"/a\"b", "write a blank behind"},
    {"include", "include: write the name of a file beside"},
    {"include ../x", "include: write the name of a file beside"},
    {"include x", "include: write it in the file that is configured"},
    {"scorer s 1 T1000 \"S\"", "a scorer without a \"weight\": write"},
    {"scorer s 1 T1000 \"S\"\nbias x", "t:2: bias: write a number like"},
    {"scorer s 1 T1000 \"S\"\nscore 1e9", "score: write a number"},
    {"scorer s 1 T1000 \"S\"\nweight 1", "weight of fewer than 1"},
    {"scorer s 1 T1000 \"S\"\nweight 1 least 3 of a b",
	"weight of fewer than 3 calls: write their names"},
    {"scorer s 1 T1000 \"S\"\nweight 1 least 3 a b",
	"write \"of\" behind least"},
    {"scorer s 1 T1000 \"S\"\nweight 1 a a", "a twice: write it once"},
    {"scorer s 1 T1000 \"S\"\nweight 1 a\nscorer t 1 T1000 \"T\"",
	"t:3: a second scorer: take one away"},
    {"scorer s 1 T1000 \"S\"\nwhen file.read", "belong below"},
};

static void
wrong_lines_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct rules *rules = NULL;
		char err[500] = "";

		assert_int_equal(
		    rules_parse("t", wrongs[i].text, strlen(wrongs[i].text),
			NULL, &rules, err, sizeof(err)),
		    -EINVAL);
		assert_null(rules);
		if (!strstr(err, wrongs[i].says) || strncmp(err, "t:", 2) != 0)
			fail_msg("%s -> %s", wrongs[i].text, err);
	}
}

static void
more_than_there_is_room_for_is_refused(void **state)
{
	char *text = xasprintf("class a");
	char err[500];
	struct rules *rules = NULL;

	(void)state;
	for (int i = 0; i < 600; i++) {
		char *more = xasprintf("%s %d", text, i);

		free(text);
		text = more;
	}
	assert_int_equal(rules_parse("t", text, strlen(text), NULL, &rules, err,
			     sizeof(err)),
	    -EINVAL);
	assert_non_null(strstr(err, "t:1: more than 600 words"));
	free(text);
	text = xasprintf("class a %0300d", 0);
	assert_int_equal(rules_parse("t", text, strlen(text), NULL, &rules, err,
			     sizeof(err)),
	    -EINVAL);
	assert_non_null(strstr(err, "t:1: a glob of more than 256 octets"));
	free(text);
	assert_int_equal(
	    rules_parse("t", "a\0b", 3, NULL, &rules, err, sizeof(err)),
	    -EINVAL);
	assert_non_null(strstr(err, "not a text file"));
}

static void
put_file(const char *dir, const char *name, const char *text)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/%s", dir, name);
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void
a_file_beside_is_included_and_digested(void **state)
{
	char dir[] = "/tmp/test_rules.XXXXXX", err[500] = "", first[70];
	struct rules *rules = NULL;
	char *path;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/main", dir);
	put_file(dir, "main", "include more\n" B "when file.read path @m\n");
	put_file(dir, "more", "class m /m/*\n");
	assert_int_equal(rules_load(path, &rules, err, sizeof(err)), 0);
	(void)snprintf(first, sizeof(first), "%s", rules_digest(rules));
	assert_int_equal(strlen(first), 64);
	rules_free(rules);
	put_file(dir, "more", "class m /n/*\n");
	assert_int_equal(rules_load(path, &rules, err, sizeof(err)), 0);
	assert_string_not_equal(first, rules_digest(rules));
	rules_free(rules);
	put_file(dir, "more", "\nclass\n");
	assert_int_equal(rules_load(path, &rules, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "more:2: class: write"));
	put_file(dir, "more", "include main\n");
	assert_int_equal(rules_load(path, &rules, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "more:1: include: write it in the file"));
	put_file(dir, "main", "\ninclude none\n");
	assert_int_equal(rules_load(path, &rules, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "main:2: include none: No such file"));
	for (int i = 0; i < 2; i++) {
		free(path);
		path = xasprintf("%s/%s", dir, i ? "more" : "main");
		assert_int_equal(unlink(path), 0);
	}
	free(path);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(
	    rules_load("/nonexistent", &rules, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent: No such file"));
}

static void
load_text(const char *text, size_t n, struct rules **ret)
{
	char err[500] = "";

	if (rules_parse("whole", text, n, NULL, ret, err, sizeof(err)) < 0)
		fail_msg("%s", err);
}

static void
a_file_with_what_it_includes_is_the_same_as_one(void **state)
{
	char dir[] = "/tmp/test_rules.XXXXXX", err[500] = "";
	struct rules *parts = NULL, *whole = NULL;
	CLEANUP(free_ptr) char *path = NULL;
	CLEANUP(free_ptr) char *more = NULL;
	char *text = NULL;
	size_t n = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/main", dir);
	more = xasprintf("%s/more", dir);
	put_file(dir, "main",
	    "# include none\nthreshold 70\r\n  include \"more\" # why\n"
	    "behaviour b 7 T1000 \"B\"\n when file.read path @m");
	put_file(dir, "more",
	    "class m /m/*\nbehaviour a 5 T1000 \"A\"\nwhen file.read "
	    "path @m");
	assert_int_equal(rules_load(path, &parts, err, sizeof(err)), 0);
	assert_int_equal(rules_whole(path, &text, &n, err, sizeof(err)), 0);
	assert_int_equal(strlen(text), n);
	load_text(text, n, &whole);
	assert_int_equal(whole->threshold, 70);
	assert_int_equal(whole->n_classes, parts->n_classes);
	assert_int_equal(whole->n_steps, parts->n_steps);
	assert_int_equal(whole->n_behaviours, 2);
	assert_string_equal(whole->behaviours[0].id, "a");
	assert_string_equal(whole->behaviours[1].id, "b");
	free(text);
	text = NULL;
	put_file(dir, "more", "class\n");
	assert_int_equal(
	    rules_whole(path, &text, &n, err, sizeof(err)), -EINVAL);
	assert_int_equal(unlink(more), 0);
	assert_int_equal(
	    rules_whole(path, &text, &n, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "main:3: include more: No such file"));
	assert_null(text);
	rules_free(parts);
	rules_free(whole);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
globs_fit_as_they_say(void **state)
{
	static const struct {
		const char *glob, *text;
		bool fits;
	} rows[] = {
	    {"", "", true},
	    {"", "a", false},
	    {"*", "", true},
	    {"*", "a", true},
	    {"a", "a", true},
	    {"a", "ab", false},
	    {"a", "", false},
	    {"?", "a", true},
	    {"?", "", false},
	    {"a*", "ab", true},
	    {"a*", "ba", false},
	    {"*a", "ba", true},
	    {"*a", "ab", false},
	    {"*a*", "bab", true},
	    {"a*a", "a", false},
	    {"a*a", "aa", true},
	    {"a*b*c", "axbxc", true},
	    {"a*b*c", "acb", false},
	    {"*ab*ab", "ab", false},
	    {"*ab*ab", "abab", true},
	    {"*a?c*", "xxabcx", true},
	    {"*a?c", "abcabd", false},
	    {"*a?c", "abdabc", true},
	    {"**a**", "bab", true},
	    {"/a/<>", "/a/b", true},
	    {"/a/<>", "/a/b/c", false},
	    {"*/a/<>.exe", "/x/a/b.exe", true},
	    {"*/a/<>.exe", "/x/a/b/c.exe", false},
	    {"*/a/<>.exe", "/x/a/.exe", true},
	    {"*/a/<>.exe", "/x/a/b.dll", false},
	    {"/a/<>", "b", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct glob *glob =
		    glob_new(rows[i].glob, strlen(rows[i].glob));
		struct glob_marks marks;

		glob_mark(rows[i].text, strlen(rows[i].text), &marks);
		if (rows[i].fits && !glob_may_fit(glob, &marks))
			fail_msg("%s %s: marks", rows[i].glob, rows[i].text);

		if (glob_fits(glob, rows[i].text, strlen(rows[i].text)) !=
		    rows[i].fits)
			fail_msg("%s %s", rows[i].glob, rows[i].text);
		glob_free(glob);
	}
}

static void
many_ways_to_write_are_spelled_as_one(void **state)
{
	static const struct {
		enum spelling as;
		const char *text, *spelled;
	} rows[] = {
	    {SPELL_TEXT, "A\\b", "a/b"},
	    {SPELL_PATH, "", ""},
	    {SPELL_PATH, "/", "/"},
	    {SPELL_PATH, "/Tmp//a/./b", "/tmp/a/b"},
	    {SPELL_PATH, "/tmp/../etc/hosts", "/etc/hosts"},
	    {SPELL_PATH, "/../../etc", "/etc"},
	    {SPELL_PATH, "/a/b/../../c/", "/c/"},
	    {SPELL_PATH, "../a", "a"},
	    {SPELL_PATH, "C:\\Windows\\..\\a", "c:/a"},
	    {SPELL_PATH, "C:\\..\\..\\a", "c:/a"},
	    {SPELL_PATH, "\\??\\C:\\a", "c:/a"},
	    {SPELL_PATH, "\\\\?\\C:\\a", "c:/a"},
	    {SPELL_PATH, "\\??\\unix\\tmp\\a", "/tmp/a"},
	    {SPELL_PATH, "\\\\.\\PhysicalDrive0", "physicaldrive0"},
	    {SPELL_PATH, "Z:\\tmp\\a", "/tmp/a"},
	    {SPELL_PATH, "Z:\\root\\.wine\\drive_c\\a", "c:/a"},
	    {SPELL_PATH, "/root/.wine/drive_c/users/a", "c:/users/a"},
	    {SPELL_PATH, "/root/.wine/dosdevices/c:/a", "c:/a"},
	    {SPELL_PATH, "/a/drive_", "/a/drive_"},
	    {SPELL_PATH, "/a/dosdevices/", "/a/dosdevices/"},
	    {SPELL_KEY, "HKEY_LOCAL_MACHINE\\Software\\A", "hklm/software/a"},
	    {SPELL_KEY, "\\Registry\\Machine\\Software\\Wow6432Node\\A",
		"hklm/software/a"},
	    {SPELL_KEY, "HKLM\\Wow6432Node\\Wow6432Node\\A", "hklm/a"},
	    {SPELL_KEY, "Machine\\A", "hklm/a"},
	    {SPELL_KEY, "\\Registry\\User\\S-1-5-21-1-2-3-1000\\A", "hkcu/a"},
	    {SPELL_KEY, "HKCU\\A", "hkcu/a"},
	    {SPELL_COMMAND, "v^s^s   A\tB\n", "vss a b "},
	};
	char ret[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const size_t n =
		    spell(rows[i].as, rows[i].text, strlen(rows[i].text), ret);

		assert_string_equal(ret, rows[i].spelled);
		assert_int_equal(n, strlen(ret));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_lines_are_named),
	    cmocka_unit_test(more_than_there_is_room_for_is_refused),
	    cmocka_unit_test(a_file_beside_is_included_and_digested),
	    cmocka_unit_test(a_file_with_what_it_includes_is_the_same_as_one),
	    cmocka_unit_test(globs_fit_as_they_say),
	    cmocka_unit_test(many_ways_to_write_are_spelled_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
