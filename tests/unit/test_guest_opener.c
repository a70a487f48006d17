/* Which program opens a file in the guest. */
#include "vmm/guest/opener.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PATH         "/root/Downloads/file"
#define WINDOWS_PATH "C:\\users\\root\\Downloads\\file"
#define ELF(machine) \
	"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0" machine "\0................"

#define BIG_ELF "\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\2\x3e\1................"

static bool
all_there(const char *path)
{
	return path != NULL;
}

static bool
only_sh(const char *path)
{
	return strcmp(path, "/bin/sh") == 0;
}

static int
choose(const char *name, const char *type, const char *head, size_t n,
    bool (*is_there)(const char *path), struct opener *ret)
{
	const struct opener_file file = {
	    PATH, WINDOWS_PATH, name, type, (const unsigned char *)head, n};

	return opener_choose(&file, is_there, ret);
}

static void
each_kind_of_file_gets_its_opener(void **state)
{
	static const struct {
		const char *name, *type, *head, *how, *program;
	} rows[] = {
	    {"a", "", "#!/bin/sh\n", "shell", "/bin/bash"},
	    {"a.txt", "text/plain", "#! /bin/bash -e\n", "shell", "/bin/bash"},
	    {"a.sh", "", "#!/usr/bin/env python3.11\n", "python",
		"/usr/bin/python3"},
	    {"a", "", "#!/usr/bin/env -S perl -w\r\n", "perl", "/usr/bin/perl"},
	    {"a", "", "#!/usr/local/bin/perl5", "perl", "/usr/bin/perl"},
	    {"a.sh", "", "echo hello\n", "shell", "/bin/bash"},
	    {"A.PY", "", "print(1)\n", "python", "/usr/bin/python3"},
	    {"a.pl", "", "print 1;\n", "perl", "/usr/bin/perl"},
	    {"a.txt", "text/x-shellscript", "echo\n", "shell", "/bin/bash"},
	    {"a.txt", "text/x-python3", "x = 1\n", "python",
		"/usr/bin/python3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opener opener;

		assert_int_equal(
		    choose(rows[i].name, rows[i].type, rows[i].head,
			strlen(rows[i].head), all_there, &opener),
		    0);
		assert_string_equal(opener.how, rows[i].how);
		assert_string_equal(opener.argv[0], rows[i].program);
		assert_string_equal(opener.argv[1], PATH);
		assert_null(opener.argv[2]);
	}
}

static void
an_elf_of_our_machine_opens_itself_whatever_its_name(void **state)
{
	struct opener opener;

	(void)state;
	assert_int_equal(choose("invoice.pdf", "application/pdf", ELF("\x3e"),
			     sizeof(ELF("\x3e")) - 1, all_there, &opener),
	    0);
	assert_string_equal(opener.how, "elf");
	assert_string_equal(opener.argv[0], PATH);
	assert_null(opener.argv[1]);
	assert_int_equal(choose("a", "", ELF("\3"), sizeof(ELF("\3")) - 1,
			     all_there, &opener),
	    0);
}

static void
what_nothing_opens_has_no_opener(void **state)
{
	static const struct {
		const char *name, *type, *head;
		size_t n;
	} rows[] = {
	    {"a", "", "", 0},
	    {"a", "", "#", 1},
	    {"a", "", "#!", 2},
	    {"a", "", "#!/usr/bin/env", 14},
	    {"a", "", "#!\n/bin/sh", 10},
	    {"a.sh", "", "#!/usr/bin/tclsh\n", 17}, /* says so itself */
	    {"sh", "", "hello", 5},                 /* a name, no suffix */
	    {"a.", "", "hello", 5},
	    {"a.shx", "", "hello", 5},
	    {"a", "", ELF("\x28"), sizeof(ELF("\x28")) - 1}, /* ARM */
	    {"a", "", BIG_ELF, sizeof(BIG_ELF) - 1},
	    {"a", "", "\177ELF", 4},
	    {"a.txt", "text/plain", "hello", 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opener opener;

		assert_int_equal(
		    choose(rows[i].name, rows[i].type, rows[i].head, rows[i].n,
			all_there, &opener),
		    -ENOENT);
	}
}

static void
only_programs_of_the_root_are_chosen(void **state)
{
	struct opener opener;

	(void)state;
	assert_int_equal(choose("a.sh", "", "echo", 4, only_sh, &opener), 0);
	assert_string_equal(opener.argv[0], "/bin/sh");
	assert_int_equal(choose("a.py", "", "x", 1, only_sh, &opener), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_kind_of_file_gets_its_opener),
	    cmocka_unit_test(
		an_elf_of_our_machine_opens_itself_whatever_its_name),
	    cmocka_unit_test(what_nothing_opens_has_no_opener),
	    cmocka_unit_test(only_programs_of_the_root_are_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
