/*
 * tests/unit/test_archive_hidden.c - archives that tell libarchive that all
 * is well while they hold more than it shows.
 */
#include "tests/support/archive_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEAD \
	"From: a\nContent-Type: application/octet-stream; name=a.bin\n" \
	"Content-Transfer-Encoding: base64\n\n"

static char octets[100000];

static struct reading *
run_attached(size_t len)
{
	static char mail[200000];
	size_t n = (size_t)sprintf(mail, HEAD);

	n += to_base64(mail + n, octets, len, 76, "\n");
	return cell_run(mail, n);
}

/* Is the virus a part, and is the message held for it as wanted? */
static void
finds(const char *what, size_t len, bool is_held)
{
	struct reading *r = run_attached(len);

	if (!cell_has_eicar(r))
		fail_msg("%s: not found", what);
	if (r->hold != is_held)
		fail_msg("%s: hold is %d", what, r->hold);
	if (is_held && !(r->ambiguity & AMBIGUOUS_ARCHIVE))
		fail_msg("%s: another ambiguity", what);
	reading_free(r);
}

/* The octets so far become the only content of a gzip. */
static size_t
wrap_gzip(size_t len)
{
	static char in[65536];

	(void)memcpy(in, octets, len);
	return make_gzip(octets, in, len);
}

static size_t
put_eicar(size_t at)
{
	return at + eicar(octets + at);
}

static size_t
put_tar(size_t at, const char *name, const char *data, size_t len)
{
	return at + make_tar(octets + at, name, data, len);
}

static size_t
put_virus_tar(size_t at)
{
	char virus[68];

	return put_tar(at, "eicar.com", virus, eicar(virus));
}

static void
zeros_are_no_empty_tar(void **state)
{
	char wanted[1024 + 68] = {0};
	struct reading *r;

	(void)state;
	(void)eicar(wanted + 1024);
	(void)memcpy(octets, wanted, sizeof(wanted));
	r = run_attached(wrap_gzip(sizeof(wanted)));
	assert_non_null(cell_find(r, wanted, sizeof(wanted)));
	reading_free(r);
}

/* bzip2 of 4,000,000 zeros. */
static const unsigned char bomb[] = {0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59,
    0x26, 0x53, 0x59, 0xfe, 0x54, 0xdb, 0xf3, 0x00, 0x1e, 0xa3, 0x44, 0x00,
    0xc0, 0x00, 0x10, 0x00, 0x00, 0x08, 0x20, 0x00, 0x30, 0xcc, 0x09, 0xaa,
    0x69, 0xa2, 0xa4, 0x86, 0xd4, 0x2a, 0x48, 0x78, 0xbb, 0x92, 0x29, 0xc2,
    0x84, 0x87, 0xf2, 0xa6, 0xdf, 0x98};

static void
a_bomb_of_zeros_is_too_large(void **state)
{
	struct reading *r;

	(void)state;
	(void)memcpy(octets, bomb, sizeof(bomb));
	r = run_attached(sizeof(bomb));
	assert_int_equal(r->status, READING_TOO_LARGE);
	reading_free(r);
}

static void
each_layer_of_compression_is_a_level(void **state)
{
	struct reading *r;
	size_t n = put_eicar(0);

	(void)state;
	for (int i = 0; i < 14; i++)
		n = wrap_gzip(n);
	finds("14 layers", n, false);
	for (int i = 0; i < 20; i++)
		n = wrap_gzip(n);
	r = run_attached(n);
	assert_int_equal(r->status, READING_TOO_DEEP);
	reading_free(r);
}

static void
tars_are_read(void **state)
{
	size_t n = put_virus_tar(0);

	(void)state;
	n += end_tar(octets + n);
	finds("tar", n, false);
	finds("tar in gzip", wrap_gzip(n), false);
}

/* Has some part of these octets this name? */
static bool
has_name(const struct reading *r, const char *data, const char *name)
{
	for (size_t i = 0; i < r->n_parts; i++)
		if (r->parts[i].bytes == strlen(data) &&
		    memcmp(r->map + r->parts[i].off, data, strlen(data)) == 0 &&
		    part_has_name(&r->parts[i], name))
			return true;
	return false;
}

static void
equal_members_keep_all_of_their_names(void **state)
{
	struct reading *r;
	char name[20];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 90; i++) {
		(void)snprintf(name, sizeof(name), "d%d/LICENSE%d", i, i);
		n = put_tar(n, name, "may be copied", 13);
	}
	n = put_tar(n, "evil.exe", "may be copied", 13);
	n += end_tar(octets + n);
	r = run_attached(n);
	assert_int_equal(r->status, READING_COMPLETE);
	assert_false(r->hold);
	assert_true(has_name(r, "may be copied", "d0/LICENSE0"));
	assert_true(has_name(r, "may be copied", "d89/LICENSE89"));
	assert_true(has_name(r, "may be copied", "evil.exe"));
	reading_free(r);
}

static void
what_follows_the_end_of_a_tar_is_read(void **state)
{
	size_t n = put_tar(0, "a", "b", 1), start;

	(void)state;
	n += end_tar(octets + n);
	start = n;
	finds("file behind a tar", put_eicar(start), true);
	n = put_tar(0, "a", "b", 1);
	n += end_tar(octets + n);
	finds("file behind it in gzip", wrap_gzip(put_eicar(n)), true);
	n = put_tar(0, "a", "b", 1);
	n += end_tar(octets + n);
	finds("second tar", put_virus_tar(n), true);
	n = put_tar(0, "a", "b", 1);
	n += end_tar(octets + n);
	finds("second tar in gzip", wrap_gzip(put_virus_tar(n)), true);
}

static void
a_tar_is_read_past_a_damaged_header(void **state)
{
	size_t n = put_tar(0, "a", "b", 1);
	const size_t second = n;
	struct reading *r;

	(void)state;
	n = put_tar(n, "c", "d", 1);
	n = put_virus_tar(n);
	n += end_tar(octets + n);
	octets[second + 150] ^= 1;
	r = run_attached(n);
	assert_true(cell_has_eicar(r));
	assert_true(r->parts[0].flags & PART_BROKEN);
	reading_free(r);
}

static void
what_follows_the_end_of_a_cpio_is_read(void **state)
{
	char virus[68];
	size_t n = make_cpio(octets, "TRAILER!!!", "", 0);

	(void)state;
	n += make_cpio(octets + n, "a", virus, eicar(virus));
	n += make_cpio(octets + n, "TRAILER!!!", "", 0);
	finds("second cpio", n, true);
}

/* Attach the same octets once with each name. */
static struct reading *
run_named(size_t len, const char *const *names)
{
	static char mail[10000];
	size_t n = (size_t)sprintf(mail, "From: a\nContent-Type: "
					 "multipart/mixed; boundary=b\n\n");

	for (; *names; names++) {
		n += (size_t)sprintf(mail + n,
		    "--b\nContent-Type: application/gzip; name=\"%s\"\n"
		    "Content-Transfer-Encoding: base64\n\n",
		    *names);
		n += to_base64(mail + n, octets, len, 76, "\n");
	}
	n += (size_t)sprintf(mail + n, "--b--\n");
	return cell_run(mail, n);
}

static void
what_is_compressed_has_its_file_s_name(void **state)
{
	struct reading *r;
	size_t n;

	(void)state;
	(void)memcpy(octets, "harmless", 8);
	n = wrap_gzip(8);
	r = run_named(n, (const char *const[]){"a.txt.gz", "EVIL.JS.GZ", NULL});
	assert_true(has_name(r, "harmless", "a.txt"));
	assert_true(has_name(r, "harmless", "EVIL.JS"));
	reading_free(r);
	n = wrap_gzip(n);
	r = run_named(n, (const char *const[]){"evil.vbs.gz.gz", NULL});
	assert_true(has_name(r, "harmless", "evil.vbs"));
	assert_int_equal(r->n_parts, 3);
	reading_free(r);
}

/* Whichever of them comes first. */
static void
names_are_handed_on_through_known_contents(void **state)
{
	static char once[100], mail[2000];
	struct reading *r;
	size_t n, len;

	(void)state;
	(void)memcpy(octets, "harmless", 8);
	len = wrap_gzip(8);
	(void)memcpy(once, octets, len);
	n = (size_t)sprintf(mail, "From: a\nContent-Type: multipart/mixed; "
				  "boundary=b\n\n--b\nContent-Type: a/b\n"
				  "Content-Transfer-Encoding: base64\n\n");
	n += to_base64(mail + n, once, len, 76, "\n");
	n += (size_t)sprintf(mail + n,
	    "--b\nContent-Type: a/b; name=evil.js.gz.gz\n"
	    "Content-Transfer-Encoding: base64\n\n");
	n += to_base64(mail + n, octets, wrap_gzip(len), 76, "\n");
	n += (size_t)sprintf(mail + n, "--b--\n");
	r = cell_run(mail, n);
	assert_true(has_name(r, "harmless", "evil.js"));
	reading_free(r);
}

static void
a_gzip_with_something_behind_it_is_unfolded(void **state)
{
	const size_t n = wrap_gzip(put_eicar(0));

	(void)state;
	(void)memset(octets + n, 'x', 100);
	finds("letters", n + 100, false);
	(void)memset(octets + n, 0, 100);
	finds("zeros", n + 100, false);
}

static void
a_zip_behind_anything_is_read(void **state)
{
	static const struct {
		const char *before;
		size_t len;
	} rows[] = {{"\001\002M\003", 4}, {"GIF89a\1\1\1", 9},
	    {"%PDF-1.4\nx", 10}, {"hello world", 11}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)memcpy(octets, rows[i].before, rows[i].len);
		finds(rows[i].before,
		    rows[i].len + eicar_zip(octets + rows[i].len), true);
	}
	/* Its own unpacker in front of it is no contradiction. */
	(void)memset(octets, 0, 100);
	(void)memcpy(octets, "MZ", 2);
	finds("program", 100 + eicar_zip(octets + 100), false);
}

/* A RAR 5 archive, cut behind its main header. */
static size_t
put_rar(char *out)
{
	static const char rar[] = "Rar!\032\007\1\0\036\117\255\053\3\1\0\0";

	(void)memcpy(out, rar, sizeof(rar) - 1);
	return sizeof(rar) - 1;
}

static void
a_rar_behind_what_is_shown_alone_is_held(void **state)
{
	static const struct zip_lie honest = {.flags = 0};
	static const struct {
		const char *before;
		size_t len;
	} rows[] = {{"\001\002M\003", 4}, {"GIF89a\1\0\1\0\200\0\0", 13},
	    {"%PDF-1.4\nx", 10}, {"\377\330\377\340\0\020JFIF\0\1\1", 13}};
	char rar[100];
	size_t len = put_rar(rar), n;
	struct reading *r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)memset(octets, 0, 100);
		(void)memcpy(octets, rows[i].before, rows[i].len);
		(void)memcpy(octets + 100, rar, len);
		r = run_attached(100 + len);
		if (!cell_find(r, rar, len) || !r->hold)
			fail_msg("%zu: hold is %d", i, r->hold);
		reading_free(r);
	}
	n = make_zip(octets, "a.txt", "hello", 5, &honest);
	(void)memcpy(octets + n, rar, len);
	r = run_attached(n + len);
	assert_non_null(cell_find(r, rar, len));
	assert_true(r->hold);
	reading_free(r);
	/* Within the zip it is a member and no secret. */
	r = run_attached(make_zip(octets, "a.rar", rar, len, &honest));
	assert_non_null(cell_find(r, rar, len));
	assert_false(r->hold);
	reading_free(r);
}

static void
a_zip_without_its_tables_end_is_read(void **state)
{
	const size_t n = eicar_zip(octets);

	(void)state;
	finds("no end record", n - 22, false);
	finds("no directory", n - 22 - 46 - 9, false);
	(void)memset(octets + n - 14, 0xff, 4);
	finds("zip64 that is none", n, false);
}

/* Kinds of file that only half of all readers take notice of. */
static void
what_a_zip_calls_a_link_or_folder_is_read(void **state)
{
	static const unsigned modes[] = {0120777, 020666, 040755};
	char zip[400];
	const size_t n = eicar_zip(zip);
	const size_t entry = n - 22 - 46 - 9;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		char what[20];

		(void)memcpy(octets, zip, n);
		octets[entry + 5] = 3; /* made by Unix */
		(void)put_le(octets, entry + 40, modes[i], 2);
		(void)snprintf(what, sizeof(what), "mode %o", modes[i]);
		finds(what, n, true);
	}
}

/* A folder by its name, in both tables: no reader here shows its content. */
static void
a_folder_with_content_is_held(void **state)
{
	static const struct zip_lie honest = {.flags = 0};
	struct reading *r;

	(void)state;
	r = run_attached(make_zip(octets, "a.txt/", "hello", 5, &honest));
	assert_true(r->hold);
	assert_string_equal(r->text, "a zip with a folder that has content");
	reading_free(r);
	r = run_attached(make_zip(octets, "folder/", "", 0, &honest));
	assert_false(r->hold);
	reading_free(r);
}

static void
a_zip_in_a_gzip_is_read_by_both_its_tables(void **state)
{
	static const struct zip_lie lie = {.omit = true};
	char virus[68];
	size_t n = make_zip(octets, "e.com", virus, eicar(virus), &lie);

	(void)state;
	finds("zip that lists nothing", wrap_gzip(n), true);
}

/* Neither a tar nor a zip hides the other: a tar whose first name begins as
 * a zip does, and ends as one. */
static void
a_file_of_two_formats_is_read_by_both(void **state)
{
	char zip[400];
	size_t len = eicar_zip(zip), n;

	(void)state;
	n = put_tar(0, "PK\003\004", "x", 1);
	n = put_virus_tar(n);
	n += end_tar(octets + n);
	finds("tar that begins as a zip", n, true);
	n = put_tar(0, "a", "x", 1);
	n += end_tar(octets + n);
	(void)memcpy(octets + n, zip, len);
	finds("zip behind a tar", n + len, true);
}

static void
an_archive_that_shows_nothing_is_broken(void **state)
{
	struct reading *r;

	(void)state;
	(void)memset(octets, 0, 200);
	/* 7-Zip's start header: no header follows (CRC 8D9BD50F). */
	(void)memcpy(octets, "7z\274\257\047\034\0\4\017\325\233\215", 12);
	r = run_attached(200);
	assert_string_equal(r->parts[0].type, "application/x-7z-compressed");
	assert_true(r->parts[0].flags & PART_BROKEN);
	assert_int_equal(r->parts[0].bytes, 200);
	reading_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeros_are_no_empty_tar),
	    cmocka_unit_test(a_bomb_of_zeros_is_too_large),
	    cmocka_unit_test(each_layer_of_compression_is_a_level),
	    cmocka_unit_test(tars_are_read),
	    cmocka_unit_test(equal_members_keep_all_of_their_names),
	    cmocka_unit_test(what_follows_the_end_of_a_tar_is_read),
	    cmocka_unit_test(a_tar_is_read_past_a_damaged_header),
	    cmocka_unit_test(what_follows_the_end_of_a_cpio_is_read),
	    cmocka_unit_test(what_is_compressed_has_its_file_s_name),
	    cmocka_unit_test(names_are_handed_on_through_known_contents),
	    cmocka_unit_test(a_gzip_with_something_behind_it_is_unfolded),
	    cmocka_unit_test(a_zip_behind_anything_is_read),
	    cmocka_unit_test(a_rar_behind_what_is_shown_alone_is_held),
	    cmocka_unit_test(a_zip_without_its_tables_end_is_read),
	    cmocka_unit_test(what_a_zip_calls_a_link_or_folder_is_read),
	    cmocka_unit_test(a_folder_with_content_is_held),
	    cmocka_unit_test(a_zip_in_a_gzip_is_read_by_both_its_tables),
	    cmocka_unit_test(a_file_of_two_formats_is_read_by_both),
	    cmocka_unit_test(an_archive_that_shows_nothing_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
