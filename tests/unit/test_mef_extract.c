/*
 * tests/unit/test_mef_extract.c - what programs, scripts and lists have in
 * common when they are the same, and that padding changes nothing.
 */
#include "worker/mef/extract_priv.h"

#include "tests/support/pe_make.h"

#include "common/io.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct mef_bag *
extract(enum mef_set set, const void *octets, size_t n)
{
	struct mef_bag *bag = mef_bag_new();

	mef_extract(bag, set, octets, n);
	return bag;
}

static bool
has(const struct mef_bag *bag, enum mef_family family, const char *text)
{
	const uint64_t hash = mef_hash(text, strlen(text));

	for (uint32_t i = 0; i < bag->family[family].n; i++)
		if (bag->family[family].at[i] == hash)
			return true;
	return false;
}

/* Share of a's features that b has, too. */
static double
kept(const struct mef_bag *a, const struct mef_bag *b, enum mef_family family)
{
	const struct mef_features *x = &a->family[family];
	const struct mef_features *y = &b->family[family];
	uint32_t same = 0;

	for (uint32_t i = 0, k = 0; i < x->n; i++) {
		while (k < y->n && y->at[k] < x->at[i])
			k++;
		same += k < y->n && y->at[k] == x->at[i];
	}
	return x->n ? (double)same / x->n : 1;
}

static void
assert_same(const struct mef_bag *a, const struct mef_bag *b)
{
	for (int f = 0; f < MEF_FAMILIES; f++) {
		assert_int_equal(a->family[f].n, b->family[f].n);
		assert_true(kept(a, b, (enum mef_family)f) == 1);
	}
}

static void
a_program_has_imports_facts_strings_and_words(void **state)
{
	unsigned char pe[PE_BYTES];
	struct mef_bag *bag;

	(void)state;
	pe_make(pe, 1);
	bag = extract(MEF_SET_FULL, pe, sizeof(pe));
	assert_int_equal(bag->kind, MEF_PE);
	assert_true(has(bag, MEF_IMPORTS, "kernel32.dll"));
	assert_true(has(bag, MEF_IMPORTS, "createfilea"));
	assert_true(has(bag, MEF_IMPORTS, "kernel32.dll!createfilea"));
	assert_true(has(bag, MEF_IMPORTS, "kernel32.dll!#7"));
	assert_true(has(bag, MEF_HEADER, "pe.section=.text:7"));
	assert_true(has(bag, MEF_HEADER, "pe.machine=332"));
	assert_true(has(bag, MEF_WORDS, "printable"));
	assert_true(has(bag, MEF_WORDS, "wide"));
	assert_true(has(bag, MEF_WORDS, "text"));
	(void)mef_bag_free(bag);
}

static void
an_overlay_and_a_repeated_section_add_nothing_but_a_section(void **state)
{
	unsigned char pe[2 * PE_BYTES] = {0};
	struct mef_bag *plain, *overlaid, *repeated;

	(void)state;
	pe_make(pe, 1);
	plain = extract(MEF_SET_FULL, pe, PE_BYTES);
	memset(pe + PE_BYTES, 'x', PE_BYTES);
	overlaid = extract(MEF_SET_FULL, pe, sizeof(pe));
	assert_same(plain, overlaid);
	put(pe, 0x46, 2, 2);
	pe_section(pe, 1, ".text");
	repeated = extract(MEF_SET_FULL, pe, PE_BYTES);
	for (int f = 0; f < MEF_FAMILIES; f++)
		assert_true(kept(plain, repeated, (enum mef_family)f) == 1);
	(void)mef_bag_free(plain);
	(void)mef_bag_free(overlaid);
	(void)mef_bag_free(repeated);
}

static void
a_shift_of_one_octet_keeps_windows_and_breaks_lines(void **state)
{
	unsigned char code[65536], moved[65537];
	struct mef_bag *a, *b;
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(code); i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1;
		code[i] = (unsigned char)(seed >> 56 | 0x80);
	}
	moved[0] = 0x90;
	memcpy(moved + 1, code, sizeof(code));
	a = extract(MEF_SET_FULL, code, sizeof(code));
	b = extract(MEF_SET_FULL, moved, sizeof(moved));
	assert_true(a->family[MEF_BYTES].n > 800); /* 1024 expected */
	assert_true(kept(a, b, MEF_BYTES) == 1);
	(void)mef_bag_free(a);
	(void)mef_bag_free(b);
	a = extract(MEF_SET_2001, code, sizeof(code));
	b = extract(MEF_SET_2001, moved, sizeof(moved));
	assert_int_equal(a->family[MEF_LINES].n, 4096);
	assert_true(kept(a, b, MEF_LINES) < 0.01);
	(void)mef_bag_free(a);
	(void)mef_bag_free(b);
}

static void
a_list_has_what_the_program_has(void **state)
{
	static const char list[] = "imports:KERNEL32.dll\nheader:pe.wide=0\n"
				   "Printable Words\nWideText\n\nscript:eval x";
	unsigned char pe[PE_BYTES];
	struct mef_bag *program, *listed = mef_bag_new();

	(void)state;
	pe_make(pe, 1);
	program = extract(MEF_SET_FULL, pe, sizeof(pe));
	mef_extract_list(listed, MEF_SET_FULL, list, strlen(list));
	assert_int_equal(listed->kind, MEF_LIST);
	assert_true(kept(listed, program, MEF_IMPORTS) == 1);
	assert_true(kept(listed, program, MEF_STRINGS) == 1);
	assert_true(kept(listed, program, MEF_WORDS) == 1);
	assert_true(kept(listed, program, MEF_HEADER) == 1);
	assert_true(has(listed, MEF_SCRIPT, "eval"));
	(void)mef_bag_free(program);
	(void)mef_bag_free(listed);
}

static void
kinds_are_told_by_the_first_octets(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
		enum mef_kind kind;
	} rows[] = {
	    {"", 0, MEF_OTHER},
	    {"MZ", 2, MEF_OTHER},
	    {"#!/bin/sh\necho\n", 15, MEF_SCRIPTED},
	    {"Set x = CreateObject(\"a\")", 25, MEF_SCRIPTED},
	    {"p\0o\0w\0e\0r\0s\0h\0e\0l\0l\0", 20, MEF_SCRIPTED},
	    {"a letter to a friend", 20, MEF_OTHER},
	    {"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\76\0", 20, MEF_ELF},
	    {"%PDF-1.4\1", 9, MEF_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mef_kind_of(rows[i].octets, rows[i].n) != rows[i].kind)
			fail_msg("row %zu", i);
}

static void
our_own_program_is_an_elf_with_imports(void **state)
{
	struct mef_bag *bag;
	size_t n = 0;
	char *self = NULL;

	(void)state;
	assert_int_equal(
	    read_file(-1, "/proc/self/exe", 256u << 20, &self, &n), 0);
	bag = extract(MEF_SET_FULL, self, n);
	assert_int_equal(bag->kind, MEF_ELF);
	assert_true(has(bag, MEF_IMPORTS, "libc.so.6"));
	assert_true(has(bag, MEF_HEADER, "elf.wide=1"));
	assert_true(bag->family[MEF_BYTES].n > 100);
	(void)mef_bag_free(bag);
	free(self);
}

static void
a_packed_bag_is_checked(void **state)
{
	unsigned char pe[PE_BYTES], *packed;
	struct mef_bag *bag, *again = NULL;
	size_t n;

	(void)state;
	pe_make(pe, 1);
	bag = extract(MEF_SET_FULL, pe, sizeof(pe));
	packed = mef_bag_pack(bag, &n);
	assert_int_equal(mef_bag_unpack(packed, n, &again), 0);
	assert_same(bag, again);
	(void)mef_bag_free(again);
	again = NULL;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(mef_bag_unpack(packed, i, &again), -EBADMSG);
	packed[0] ^= 1;
	assert_int_equal(mef_bag_unpack(packed, n, &again), -EBADMSG);
	packed[0] ^= 1;
	memset(packed + n - 16, 0, 16); /* not ascending */
	assert_int_equal(mef_bag_unpack(packed, n, &again), -EBADMSG);
	free(packed);
	(void)mef_bag_free(bag);
}

static void
a_bag_of_more_than_it_keeps_says_so(void **state)
{
	struct mef_bag *bag = mef_bag_new();

	(void)state;
	for (uint64_t i = 0; i < 2 * MEF_BAG_MAX; i++)
		mef_bag_add(bag, MEF_BYTES, i);
	mef_bag_finish(bag);
	assert_true(bag->family[MEF_BYTES].n <= MEF_BAG_MAX);
	assert_int_equal(
	    bag->family[MEF_BYTES].n + bag->n_lost, 2 * MEF_BAG_MAX);
	(void)mef_bag_free(bag);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_program_has_imports_facts_strings_and_words),
	    cmocka_unit_test(
		an_overlay_and_a_repeated_section_add_nothing_but_a_section),
	    cmocka_unit_test(
		a_shift_of_one_octet_keeps_windows_and_breaks_lines),
	    cmocka_unit_test(a_list_has_what_the_program_has),
	    cmocka_unit_test(kinds_are_told_by_the_first_octets),
	    cmocka_unit_test(our_own_program_is_an_elf_with_imports),
	    cmocka_unit_test(a_packed_bag_is_checked),
	    cmocka_unit_test(a_bag_of_more_than_it_keeps_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
