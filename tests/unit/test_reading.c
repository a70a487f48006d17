#include "worker/reading.h"

#include "tests/support/cell_run.h"
#include "worker/reading_priv.h"
#include "worker/reading_write.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Two parts, the second inside the first, then sealed unless told not to. */
static int
written(bool seal)
{
	const int fd = memfd_create("arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct reading_writer *w = writer_new(fd, 1 << 20);
	struct reading_part part = {.parent = -1,
	    .flags = PART_CONTAINER,
	    .n_names = 2,
	    .names = "a.zip\0b.zip",
	    .declared = "application/zip",
	    .type = "application/zip"};

	assert_non_null(w);
	assert_int_equal(writer_append(w, "outer", 5), 0);
	writer_blob_end(w, &part.off, &part.bytes);
	assert_int_equal(writer_part(w, &part), 0);
	assert_int_equal(writer_append(w, "dropped", 7), 0);
	writer_blob_drop(w);
	assert_int_equal(writer_append(w, "inner", 5), 0);
	writer_blob_end(w, &part.off, &part.bytes);
	part.parent = 0;
	part.depth = 1;
	part.view = VIEW_ARCHIVE;
	part.n_names = 0;
	assert_int_equal(writer_part(w, &part), 1);
	writer_name(w, 1, "late.txt");
	writer_name(w, 1, "late.txt");
	writer_link(w, "http://a.test/x.exe", 2);
	writer_link(w, "http://a.test/y.exe", 2);
	writer_link(w, "http://a.test/x.exe", 2);
	assert_int_equal(writer_commit(w, READING_TOO_DEEP,
			     AMBIGUOUS_NAME | AMBIGUOUS_CARVED, true, "why"),
	    0);
	writer_free(w);
	if (seal)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, CELL_SEALS), 0);
	return fd;
}

static void
names_that_fill_a_record_go_on_in_another(void **state)
{
	const int fd = memfd_create("reading", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct reading_writer *w = writer_new(fd, 1 << 20);
	struct reading_part part = {.parent = -1,
	    .flags = PART_ATTACHMENT,
	    .declared = "text/plain",
	    .type = "text/x"};
	struct reading *r = NULL;
	char name[8];

	(void)state;
	assert_non_null(w);
	assert_int_equal(writer_append(w, "octets", 6), 0);
	writer_blob_end(w, &part.off, &part.bytes);
	assert_int_equal(writer_part(w, &part), 0);
	for (int i = 0; i < 130; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		writer_name(w, 0, name);
		writer_name(w, 0, name);
	}
	(void)writer_flags(w, 0, PART_BROKEN);
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	writer_free(w);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, CELL_SEALS), 0);
	assert_int_equal(reading_open(fd, &r), 0);
	assert_int_equal(r->n_parts, 3);
	assert_true(part_has_name(&r->parts[0], "63"));
	assert_true(part_has_name(&r->parts[1], "64"));
	assert_true(part_has_name(&r->parts[2], "129"));
	assert_int_equal(r->parts[2].n_names, 2);
	for (size_t i = 0; i < r->n_parts; i++) {
		assert_int_equal(r->parts[i].off, r->parts[0].off);
		assert_int_equal(r->parts[i].bytes, 6);
		assert_int_equal(
		    r->parts[i].flags, PART_ATTACHMENT | PART_BROKEN);
		assert_string_equal(r->parts[i].declared, "text/plain");
		assert_string_equal(r->parts[i].type, "text/x");
	}
	reading_free(r);
	(void)close(fd);
}

static void
what_was_written_is_read(void **state)
{
	const int fd = written(true);
	struct reading *r = NULL;
	char text[64];

	(void)state;
	assert_int_equal(reading_open(fd, &r), 0);
	assert_int_equal(r->status, READING_TOO_DEEP);
	assert_true(r->hold);
	assert_string_equal(r->text, "why");
	assert_string_equal(
	    reading_ambiguity_text(r->ambiguity, text, sizeof(text)),
	    "name carved");
	assert_int_equal(r->n_parts, 2);
	assert_true(part_has_name(&r->parts[0], "a.zip"));
	assert_true(part_has_name(&r->parts[0], "b.zip"));
	assert_memory_equal(r->map + r->parts[0].off, "outer", 5);
	assert_int_equal(r->parts[1].parent, 0);
	assert_int_equal(r->parts[1].view, VIEW_ARCHIVE);
	assert_int_equal(r->parts[1].n_names, 1);
	assert_true(part_has_name(&r->parts[1], "late.txt"));
	assert_memory_equal(r->map + r->parts[1].off, "inner", 5);
	assert_int_equal(r->n_links, 2);
	assert_false(r->links_cut);
	assert_memory_equal(
	    r->links, "http://a.test/x.exe\0http://a.test/y.exe", 40);
	reading_free(r);
	(void)close(fd);
}

/* As many links as a reader takes, the longest that it takes. */
static void
links_above_the_limit_are_only_told_of(void **state)
{
	const int fd = memfd_create("reading", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct reading_writer *w = writer_new(fd, 1 << 20);
	char url[READING_LINK_MAX + 2];
	struct reading *r = NULL;
	const char *at;

	(void)state;
	assert_non_null(w);
	memset(url, 'a', sizeof(url));
	url[sizeof(url) - 1] = '\0';
	for (int i = 0; i < READING_LINKS_MAX + 1; i++) {
		url[0] = (char)('0' + i);
		writer_link(w, url, UINT32_MAX);
	}
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	writer_free(w);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, CELL_SEALS), 0);
	assert_int_equal(reading_open(fd, &r), 0);
	assert_int_equal(r->n_links, READING_LINKS_MAX);
	assert_true(r->links_cut);
	at = r->links;
	for (uint32_t i = 0; i < r->n_links; i++, at += strlen(at) + 1)
		assert_int_equal(strlen(at), READING_LINK_MAX);
	reading_free(r);
	(void)close(fd);
}

static void
a_file_that_can_still_change_is_refused(void **state)
{
	struct reading *r = NULL;
	const int fd = written(false);

	(void)state;
	assert_int_equal(reading_open(fd, &r), -EPERM);
	(void)close(fd);
}

static void
a_cell_that_died_left_no_reading(void **state)
{
	const int fd = memfd_create("arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct reading *r = NULL;

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, CELL_SEALS), 0);
	assert_int_equal(reading_open(fd, &r), -ENODATA);
	(void)close(fd);
}

static void
more_than_the_limit_is_not_written(void **state)
{
	const int fd = memfd_create("arena", MFD_CLOEXEC);
	struct reading_writer *w = writer_new(fd, 65536);
	static char much[65536];

	(void)state;
	assert_int_equal(writer_append(w, much, sizeof(much)), -EFBIG);
	assert_int_equal(writer_append(w, much, 1000), 0);
	writer_free(w);
	(void)close(fd);
}

/* Change one field, by its place, and expect it to be noticed. */
static void
expect_bad(size_t at, uint64_t value, size_t octets)
{
	const int fd = written(false);
	struct reading *r = NULL;

	assert_int_equal(
	    pwrite(fd, &value, octets, (off_t)at), (ssize_t)octets);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, CELL_SEALS), 0);
	assert_int_equal(reading_open(fd, &r), -EBADMSG);
	assert_null(r);
	(void)close(fd);
}

static void
every_number_is_checked(void **state)
{
	const size_t record = 64 + 10; /* behind both blobs */
	const size_t strings = record + 2 * sizeof(struct reading_record);

	(void)state;
	expect_bad(offsetof(struct reading_head, magic), 1, 8);
	expect_bad(offsetof(struct reading_head, parts_off), 63, 8);
	expect_bad(offsetof(struct reading_head, parts_off), UINT64_MAX, 8);
	expect_bad(offsetof(struct reading_head, strings_off), 1, 8);
	expect_bad(offsetof(struct reading_head, strings_bytes), 1, 8);
	expect_bad(offsetof(struct reading_head, n_parts), 3, 4);
	expect_bad(offsetof(struct reading_head, n_parts), UINT32_MAX, 4);
	expect_bad(
	    offsetof(struct reading_head, status), READING_STATUS_COUNT, 4);
	expect_bad(offsetof(struct reading_head, ambiguity), 128, 4);
	expect_bad(offsetof(struct reading_head, hold), 2, 4);
	expect_bad(offsetof(struct reading_head, n_links), 3, 4);
	expect_bad(
	    offsetof(struct reading_head, n_links), READING_LINKS_MAX + 1, 4);
	expect_bad(offsetof(struct reading_head, links_cut), 2, 4);
	expect_bad(offsetof(struct reading_head, pad), 1, 8);
	expect_bad(record + offsetof(struct reading_record, off), 63, 8);
	expect_bad(record + offsetof(struct reading_record, off), 1 << 20, 8);
	expect_bad(record + offsetof(struct reading_record, bytes), 11, 8);
	expect_bad(
	    record + offsetof(struct reading_record, bytes), UINT64_MAX, 8);
	/* A part is not its own parent, nor has it one that comes later. */
	expect_bad(record + offsetof(struct reading_record, parent), 0, 4);
	expect_bad(record + offsetof(struct reading_record, parent), 1, 4);
	expect_bad(
	    record + offsetof(struct reading_record, parent), (uint32_t)-2, 4);
	expect_bad(
	    record + offsetof(struct reading_record, view), VIEW_COUNT, 2);
	expect_bad(record + offsetof(struct reading_record, flags), 128, 4);
	expect_bad(record + offsetof(struct reading_record, n_names), 65, 4);
	/* Controls, and octets that are no UTF-8. */
	expect_bad(strings, '\n', 1);
	expect_bad(strings, 0xff, 1);
}

static void
a_string_without_its_end_is_refused(void **state)
{
	const int fd = written(false);
	struct reading *r = NULL;
	char last = 'x';
	const off_t end = lseek(fd, 0, SEEK_END);

	(void)state;
	assert_int_equal(pwrite(fd, &last, 1, end - 1), 1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, CELL_SEALS), 0);
	assert_int_equal(reading_open(fd, &r), -EBADMSG);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_written_is_read),
	    cmocka_unit_test(names_that_fill_a_record_go_on_in_another),
	    cmocka_unit_test(links_above_the_limit_are_only_told_of),
	    cmocka_unit_test(a_file_that_can_still_change_is_refused),
	    cmocka_unit_test(a_cell_that_died_left_no_reading),
	    cmocka_unit_test(more_than_the_limit_is_not_written),
	    cmocka_unit_test(every_number_is_checked),
	    cmocka_unit_test(a_string_without_its_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
