/*
 * tests/unit/test_suspect.c - which files are run, and as what.
 */
#include "worker/suspect.h"

#include "common/cleanup.h"
#include "worker/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct suspect found[SUSPECT_KINDS_MAX];

/* names: each with its NUL, the literal's own ends the last. */
static size_t
suspects(const char *type, uint32_t flags, uint32_t n_names, const char *names)
{
	const struct reading_part part = {.bytes = 1,
	    .flags = flags,
	    .n_names = n_names,
	    .names = names,
	    .declared = "",
	    .type = type};

	memset(found, 0xff, sizeof(found));
	return suspect_of(&part, found);
}

static size_t
named(const char *type, const char *name)
{
	return suspects(type, PART_ATTACHMENT, 1, name);
}

static void
is_suspect(size_t i, enum suspect_class class, const char *reference,
    const char *kind, const char *name, bool is_typed)
{
	const struct suspect *s = &found[i];

	if (s->class != class || strcmp(s->reference, reference) != 0 ||
	    strcmp(s->kind, kind) != 0 || strcmp(s->name, name) != 0 ||
	    (*s->type != '\0') != is_typed)
		fail_msg("%zu: %s in %s as %s, named \"%s\"%s; not %s", i,
		    suspect_class_name(s->class), s->reference, s->kind,
		    s->name, *s->type ? ", typed" : "", kind);
}

static void
a_true_type_is_enough(void **state)
{
	static const struct {
		const char *type;
		enum suspect_class class;
		const char *reference, *kind;
	} rows[] = {
	    {"application/x-executable", SUSPECT_PROGRAM, "linux", "elf"},
	    {"application/x-pie-executable", SUSPECT_PROGRAM, "linux", "elf"},
	    {"application/x-sharedlib", SUSPECT_PROGRAM, "linux", "elf"},
	    {"text/x-shellscript", SUSPECT_SCRIPT, "linux", "sh"},
	    {"text/x-python", SUSPECT_SCRIPT, "linux", "py"},
	    {"text/x-script.python", SUSPECT_SCRIPT, "linux", "py"},
	    {"text/x-perl", SUSPECT_SCRIPT, "linux", "pl"},
	    {"application/x-dosexec", SUSPECT_PROGRAM, "wine", "exe"},
	    {"application/vnd.microsoft.portable-executable", SUSPECT_PROGRAM,
		"wine", "exe"},
	    {"Application/X-MSI", SUSPECT_PROGRAM, "wine", "msi"},
	    {"application/x-ms-shortcut", SUSPECT_SCRIPT, "wine", "lnk"},
	    {"text/x-msdos-batch", SUSPECT_SCRIPT, "wine", "bat"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(named(rows[i].type, "a.bin"), 1);
		is_suspect(0, rows[i].class, rows[i].reference, rows[i].kind,
		    "a.bin", true);
		assert_int_equal(suspects(rows[i].type, 0, 0, ""), 1);
		is_suspect(0, rows[i].class, rows[i].reference, rows[i].kind,
		    "", true);
	}
}

static void
a_name_is_enough_whatever_the_type_is(void **state)
{
	static const struct {
		const char *name;
		enum suspect_class class;
		const char *reference, *kind;
	} rows[] = {
	    {"a.sh", SUSPECT_SCRIPT, "linux", "sh"},
	    {"a.bash", SUSPECT_SCRIPT, "linux", "sh"},
	    {"a.py", SUSPECT_SCRIPT, "linux", "py"},
	    {"a.pl", SUSPECT_SCRIPT, "linux", "pl"},
	    {"a.js", SUSPECT_SCRIPT, "wine", "js"},
	    {"a.jse", SUSPECT_SCRIPT, "wine", "jse"},
	    {"a.vbs", SUSPECT_SCRIPT, "wine", "vbs"},
	    {"a.vbe", SUSPECT_SCRIPT, "wine", "vbe"},
	    {"a.wsf", SUSPECT_SCRIPT, "wine", "wsf"},
	    {"a.bat", SUSPECT_SCRIPT, "wine", "bat"},
	    {"a.cmd", SUSPECT_SCRIPT, "wine", "bat"},
	    {"a.lnk", SUSPECT_SCRIPT, "wine", "lnk"},
	    {"a.msi", SUSPECT_PROGRAM, "wine", "msi"},
	    {"a.exe", SUSPECT_PROGRAM, "wine", "exe"},
	    {"a.com", SUSPECT_PROGRAM, "wine", "exe"},
	    {"a.scr", SUSPECT_PROGRAM, "wine", "exe"},
	    {"a.pif", SUSPECT_PROGRAM, "wine", "exe"},
	};
	/* What a type is guessed from can be written in front of anything. */
	static const char *const types[] = {"text/plain",
	    "application/octet-stream", "image/jpeg", "application/pdf", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
			assert_int_equal(named(types[t], rows[i].name), 1);
			is_suspect(0, rows[i].class, rows[i].reference,
			    rows[i].kind, rows[i].name, false);
		}
}

static void
what_nobody_would_run_is_not_run(void **state)
{
	static const char *const names[] = {"", "a", "js", "a.txt", "a.exe.txt",
	    "a.js2", "a.xjs", "a. js", "a.exe/b", "a.e xe", "..."};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(named("text/plain", names[i]), 0);
	assert_int_equal(suspects("application/pdf", 0, 0, ""), 0);
	assert_int_equal(suspects("x-executable", 0, 0, ""), 0);
	assert_int_equal(
	    suspects("application/x-dosexec text/x-perl", 0, 0, ""), 0);
	assert_int_equal(suspects("", 0, 0, ""), 0);
}

static void
an_ending_is_seen_through_its_disguise(void **state)
{
	static const struct {
		const char *name, *file;
	} rows[] = {{"a.JS", "a.JS"}, {"a.js.", "a.js"}, {"a.js ", "a.js"},
	    {"a.js . .", "a.js"}, {".js", ".js"}, {"a.pdf.js", "a.pdf.js"},
	    {"a.js::$DATA", "a.js"}, {"A.j\xe2\x80\x8bs", "a.js"},
	    {"a.js\xc2\xa0", "a.js"}, {"a.\xef\xbd\x8as", "a.js"},
	    {"c:\\x\\a.js", "a.js"}, {"../../a.js", "a.js"},
	    {"d/a.js/", "a.js"}, {"\xff.js", "\xff.js"}};
	char file[SUSPECT_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (named("text/plain", rows[i].name) != 1)
			fail_msg("not seen: %s", rows[i].name);
		is_suspect(
		    0, SUSPECT_SCRIPT, "wine", "js", rows[i].name, false);
		suspect_file_name(&found[0], file);
		assert_string_equal(file, rows[i].file);
	}
}

static void
the_text_of_a_mail_is_not_run(void **state)
{
	(void)state;
	assert_int_equal(suspects("text/x-python", PART_BODY, 0, ""), 0);
	assert_int_equal(suspects("text/plain", PART_BODY, 1, "a.js"), 0);
	/* But if some reader shows it as a file as well, it is one. */
	assert_int_equal(
	    suspects("text/x-python", PART_BODY | PART_ATTACHMENT, 0, ""), 1);
	assert_int_equal(suspects("text/x-python", 0, 0, ""), 1);
}

static void
no_octets_are_not_run(void **state)
{
	struct reading_part part = {
	    .n_names = 1, .names = "a.js", .type = "text/x-perl"};

	(void)state;
	assert_int_equal(suspect_of(&part, found), 0);
	part.bytes = 1;
	assert_int_equal(suspect_of(&part, found), 2);
}

/* The sender chooses both; each is somebody's way to open it. */
static void
type_and_name_that_differ_are_both_tried(void **state)
{
	char file[SUSPECT_NAME_MAX];

	(void)state;
	assert_int_equal(named("text/x-shellscript", "a.bat"), 2);
	is_suspect(0, SUSPECT_SCRIPT, "linux", "sh", "", true);
	is_suspect(1, SUSPECT_SCRIPT, "wine", "bat", "a.bat", false);
	/* A name that says another thing would mislead who opens it. */
	suspect_file_name(&found[0], file);
	assert_string_equal(file, "sh");
	assert_int_equal(named("application/x-dosexec", "a.com"), 1);
	is_suspect(0, SUSPECT_PROGRAM, "wine", "exe", "a.com", true);
}

static void
each_name_counts_but_each_kind_once(void **state)
{
	static const char names[] = "\0readme\0a.js\0b.JS\0c.vbs\0\0d.py\0e.js";

	(void)state;
	assert_int_equal(suspects("text/x-python", 0, 8, names), 3);
	is_suspect(0, SUSPECT_SCRIPT, "linux", "py", "d.py", true);
	is_suspect(1, SUSPECT_SCRIPT, "wine", "js", "a.js", false);
	is_suspect(2, SUSPECT_SCRIPT, "wine", "vbs", "c.vbs", false);
	/* A name that says nothing is still better than none. */
	assert_int_equal(suspects("text/x-perl", 0, 3, names), 2);
	is_suspect(0, SUSPECT_SCRIPT, "linux", "pl", "readme", true);
}

static void
all_kinds_at_once_have_room(void **state)
{
	static const char names[] =
	    "a.exe\0a.msi\0a.sh\0a.py\0a.pl\0a.js\0a.jse\0a.vbs\0a.vbe\0"
	    "a.wsf\0a.bat\0a.lnk\0b.com\0b.scr\0b.pif\0b.bash\0b.cmd";
	size_t n = suspects("application/x-executable", 0, 17, names);

	(void)state;
	assert_int_equal(n, 13);
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(found[i].kind) < SUSPECT_KIND_MAX);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(found[k].kind, found[i].kind);
	}
}

static void
a_long_name_keeps_its_ending(void **state)
{
	char name[2000], file[SUSPECT_NAME_MAX];

	(void)state;
	for (size_t len = 250; len < 1000; len++) {
		memset(name, 'a', len);
		memcpy(name + len, ".js", 4);
		assert_int_equal(named("text/plain", name), 1);
		suspect_file_name(&found[0], file);
		assert_true(strlen(file) < sizeof(file));
		assert_string_equal(file + strlen(file) - 3, ".js");
	}
	for (size_t i = 0; i < 200; i++) /* cut within a character */
		memcpy(name + 2 * i, "\xc3\xa4", 2);
	memcpy(name + 400, ".js", 4);
	assert_int_equal(named("text/plain", name), 1);
	suspect_file_name(&found[0], file);
	assert_memory_equal(file, "\xc3\xa4", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_true_type_is_enough),
	    cmocka_unit_test(a_name_is_enough_whatever_the_type_is),
	    cmocka_unit_test(what_nobody_would_run_is_not_run),
	    cmocka_unit_test(an_ending_is_seen_through_its_disguise),
	    cmocka_unit_test(the_text_of_a_mail_is_not_run),
	    cmocka_unit_test(no_octets_are_not_run),
	    cmocka_unit_test(type_and_name_that_differ_are_both_tried),
	    cmocka_unit_test(each_name_counts_but_each_kind_once),
	    cmocka_unit_test(all_kinds_at_once_have_room),
	    cmocka_unit_test(a_long_name_keeps_its_ending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
