#include "tests/support/cell_run.h"

#include "worker/archive_zip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEAD \
	"From: a\nContent-Type: application/octet-stream; name=a.bin\n" \
	"Content-Transfer-Encoding: base64\n\n"

static struct reading *
run_attached(const char *octets, size_t len)
{
	static char mail[200000];
	size_t n = (size_t)sprintf(mail, HEAD);

	n += to_base64(mail + n, octets, len, 76, "\n");
	return cell_run(mail, n);
}

static size_t
lying_zip(char *out, struct zip_lie lie)
{
	char virus[68];

	return make_zip(out, "eicar.com", virus, eicar(virus), &lie);
}

static void
members_are_parts_with_names(void **state)
{
	char zip[400];
	struct reading *r = run_attached(zip, eicar_zip(zip));
	char virus[68];
	const struct reading_part *part = cell_find(r, virus, eicar(virus));

	(void)state;
	if (!part) {
		fail();
		return;
	}
	assert_int_equal(part->view, VIEW_ARCHIVE);
	assert_int_equal(part->parent, 0);
	assert_true(part_has_name(part, "eicar.com"));
	assert_int_equal(r->parts[0].flags, PART_ATTACHMENT | PART_CONTAINER);
	assert_false(r->hold);
	reading_free(r);
}

static void
archives_are_read_down_to_the_limit(void **state)
{
	char a[8000], b[8000];
	size_t len = eicar_zip(a);
	static const struct zip_lie honest = {.flags = 0};
	struct reading *r;

	(void)state;
	/* The mail's body is level 0, so this one's virus is on level 15. */
	for (int i = 1; i < 15; i++) {
		len = make_zip(b, "x.zip", a, len, &honest);
		(void)memcpy(a, b, len);
	}
	r = run_attached(a, len);
	assert_int_equal(r->status, READING_COMPLETE);
	assert_true(cell_has_eicar(r));
	reading_free(r);
	len = make_zip(b, "x.zip", a, len, &honest);
	r = run_attached(b, len);
	assert_int_equal(r->status, READING_TOO_DEEP);
	reading_free(r);
}

static void
encrypted_members_are_known_by_name(void **state)
{
	char zip[400];
	struct reading *r =
	    run_attached(zip, lying_zip(zip, (struct zip_lie){.flags = 1}));

	(void)state;
	assert_int_equal(r->n_parts, 2);
	assert_true(r->parts[0].flags & PART_ENCRYPTED);
	assert_int_equal(r->parts[1].flags & (PART_ENCRYPTED | PART_NO_CONTENT),
	    PART_ENCRYPTED | PART_NO_CONTENT);
	assert_true(part_has_name(&r->parts[1], "eicar.com"));
	reading_free(r);
}

static void
a_cut_archive_is_broken_and_kept_whole(void **state)
{
	char zip[400];
	const size_t len = eicar_zip(zip) - 120;
	struct reading *r = run_attached(zip, len);

	(void)state;
	assert_int_equal(r->parts[0].bytes, len);
	assert_true(r->parts[0].flags & PART_BROKEN);
	reading_free(r);
}

static void
tables_that_differ_are_ambiguous(void **state)
{
	char zip[500];
	struct reading *r = run_attached(
	    zip, lying_zip(zip, (struct zip_lie){.local_name = "harmless."}));

	(void)state;
	assert_true(r->ambiguity & AMBIGUOUS_ARCHIVE);
	assert_true(r->hold);
	assert_string_equal(r->text, "a zip whose two tables differ");
	reading_free(r);
}

static void
members_that_only_one_table_lists_are_read(void **state)
{
	char zip[400];
	struct reading *r =
	    run_attached(zip, lying_zip(zip, (struct zip_lie){.omit = true}));

	(void)state;
	assert_true(r->ambiguity & AMBIGUOUS_ARCHIVE);
	assert_true(cell_has_eicar(r));
	reading_free(r);
}

static void
octets_before_and_behind_a_zip_do_not_hide_it(void **state)
{
	char zip[400], more[1000];
	const size_t len = eicar_zip(zip);
	struct reading *r;

	(void)state;
	(void)memset(more, 'M', sizeof(more));
	(void)memcpy(more + 100, zip, len);
	assert_int_equal(
	    archive_zip_tables((struct span){zip, len}), ZIP_AGREES);
	assert_int_equal(
	    archive_zip_tables((struct span){zip, len / 2}), ZIP_UNKNOWN);
	/* A second archive behind the first. */
	(void)memcpy(more, zip, len);
	(void)memcpy(more + len, zip, len);
	assert_int_equal(
	    archive_zip_tables((struct span){more, 2 * len}), ZIP_DIFFERS);
	r = run_attached(more, 2 * len);
	assert_true(r->hold);
	reading_free(r);
}

/* Give the only member a Unicode path, in its local header or in its entry
 * of the directory; returns the new length. */
static size_t
put_path(char *zip, size_t len, const char *path, bool is_local)
{
	const size_t name = strlen("a.txt"), more = 9 + strlen(path);
	const size_t entry = len - 22 - 46 - name;
	const size_t at = is_local ? 30 + name : entry + 46 + name;
	char *end;

	(void)memmove(zip + at + more, zip + at, len - at);
	(void)put_le(zip, at, 0x7075, 2);
	(void)put_le(zip, at + 2, (uint32_t)more - 4, 2);
	zip[at + 4] = 1;
	(void)put_le(zip, at + 5, crc32_of("a.txt", name), 4);
	(void)memcpy(zip + at + 9, path, strlen(path));
	end = zip + len + more - 22;
	if (is_local) {
		(void)put_le(zip, 28, (uint32_t)more, 2);
		(void)put_le(end, 16, (uint32_t)(entry + more), 4);
	} else {
		(void)put_le(zip, entry + 30, (uint32_t)more, 2);
		(void)put_le(end, 12, (uint32_t)(46 + name + more), 4);
	}
	return len + more;
}

static void
a_second_name_of_another_kind_is_ambiguous(void **state)
{
	static const struct zip_lie honest = {.flags = 0};
	static const struct {
		const char *path;
		bool is_held;
	} rows[] = {{"a.js", true}, {"\xc3\xa4/a.txt.exe", true}, {"a", true},
	    {"a.js ", true}, {"\xc3\xa4.txt", false},
	    {"d/\xc3\xa4.TXT", false}};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		char zip[300];
		size_t n = make_zip(zip, "a.txt", "hello", 5, &honest);
		struct reading *r;

		n = put_path(zip, n, rows[i / 2].path, i % 2);
		r = run_attached(zip, n);
		if (r->hold != rows[i / 2].is_held)
			fail_msg("%zu: hold is %d", i, r->hold);
		assert_non_null(cell_find(r, "hello", 5));
		reading_free(r);
	}
}

/* "hello\n", compressed by gzip. */
static const unsigned char gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb,
    0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2, 0, 0x20, 0x30, 0x3a, 0x36, 6, 0, 0, 0};

static void
a_compressed_file_is_unfolded(void **state)
{
	struct reading *r = run_attached((const char *)gzip, sizeof(gzip));

	(void)state;
	assert_string_equal(r->parts[0].type, "application/gzip");
	assert_non_null(cell_find(r, "hello\n", 6));
	reading_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_are_parts_with_names),
	    cmocka_unit_test(archives_are_read_down_to_the_limit),
	    cmocka_unit_test(encrypted_members_are_known_by_name),
	    cmocka_unit_test(a_cut_archive_is_broken_and_kept_whole),
	    cmocka_unit_test(tables_that_differ_are_ambiguous),
	    cmocka_unit_test(members_that_only_one_table_lists_are_read),
	    cmocka_unit_test(octets_before_and_behind_a_zip_do_not_hide_it),
	    cmocka_unit_test(a_second_name_of_another_kind_is_ambiguous),
	    cmocka_unit_test(a_compressed_file_is_unfolded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
