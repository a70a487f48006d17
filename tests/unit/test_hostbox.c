/*
 * The host's side of a mailbox, whose other side is hostile.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/hostbox.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void
a_mailbox_cannot_shrink_and_is_empty(void **test)
{
	struct hostbox box;
	struct stat st;

	(void)test;
	assert_int_equal(0, hostbox_make(&box));
	assert_int_equal(MAILBOX_MAGIC, box.page->magic);
	assert_int_equal(0, box.page->order);
	assert_int_equal(-1, ftruncate(box.fd, 4096));
	assert_int_equal(-1, ftruncate(box.fd, MAILBOX_BYTES * 2));
	assert_int_equal(0, fstat(box.fd, &st));
	assert_int_equal(MAILBOX_BYTES, st.st_size);
	assert_true(st.st_blocks < 64);
	assert_int_equal(0, hostbox_look(&box));
	hostbox_drop(&box);
}

static void
news_of_a_guest_come_once_and_lies_are_told(void **test)
{
	struct hostbox box;
	char octets[64];

	(void)test;
	assert_int_equal(0, hostbox_make(&box));
	hostbox_order(&box, MAILBOX_RUN, 1500000);
	assert_int_equal(1500, box.page->deadline_msec);
	/* Nothing counts before the answer. */
	box.page->report_bytes = 10;
	box.page->state = MAILBOX_RUNNING;
	assert_int_equal(0, hostbox_look(&box));
	assert_int_equal(0, hostbox_collect(&box, 0, octets, 64));
	box.page->answer = 1;
	assert_int_equal(HOSTBOX_ANSWER | HOSTBOX_REPORT, hostbox_look(&box));
	assert_int_equal(0, hostbox_look(&box));
	assert_int_equal(10, hostbox_collect(&box, 0, octets, 64));
	assert_int_equal(3, hostbox_collect(&box, 7, octets, 64));
	assert_int_equal(0, hostbox_collect(&box, 10, octets, 64));
	assert_int_equal(0, hostbox_collect(&box, UINT64_MAX, octets, 64));
	box.page->report_bytes = 12;
	box.page->state = MAILBOX_ENDED;
	assert_int_equal(HOSTBOX_REPORT | HOSTBOX_END, hostbox_look(&box));
	assert_int_equal(0, hostbox_look(&box));
	/* After the end nothing may come; what was told stays told. */
	box.page->report_bytes = 13;
	assert_int_equal(HOSTBOX_LIE, hostbox_look(&box));
	box.page->report_bytes = 11;
	assert_int_equal(HOSTBOX_LIE, hostbox_look(&box));
	assert_int_equal(12, hostbox_collect(&box, 0, octets, 64));
	box.page->report_bytes = 12;
	box.page->state = MAILBOX_RUNNING;
	assert_int_equal(HOSTBOX_LIE, hostbox_look(&box));
	box.page->state = 77;
	assert_int_equal(HOSTBOX_LIE, hostbox_look(&box));
	hostbox_drop(&box);
}

static void
what_a_guest_lacks_is_said_in_printable_words(void **test)
{
	char err[256] = "";
	struct hostbox box;

	(void)test;
	assert_int_equal(0, hostbox_make(&box));
	assert_int_equal(0, hostbox_is_fit(&box, err, sizeof(err)));
	assert_string_equal("", err);
	memcpy(box.page->lacking, "no\033\377net", 8);
	assert_int_equal(-EREMOTEIO, hostbox_is_fit(&box, err, sizeof(err)));
	assert_non_null(strstr(err, ": no  net; "));
	/* Without an end it has the end of its room. */
	memset(box.page->lacking, 'x', sizeof(box.page->lacking));
	memset(box.page + 1, 'y', 8);
	assert_int_equal(-EREMOTEIO, hostbox_is_fit(&box, err, sizeof(err)));
	assert_null(strstr(err, "xy"));
	hostbox_drop(&box);
}

static void
a_report_longer_than_its_room_is_a_lie(void **test)
{
	struct hostbox box;

	(void)test;
	assert_int_equal(0, hostbox_make(&box));
	hostbox_order(&box, MAILBOX_RUN, 0);
	box.page->answer = 1;
	box.page->report_bytes = MAILBOX_REPORT_MAX;
	assert_int_equal(HOSTBOX_ANSWER | HOSTBOX_REPORT, hostbox_look(&box));
	box.page->report_bytes = MAILBOX_REPORT_MAX + 1;
	assert_int_equal(HOSTBOX_LIE, hostbox_look(&box));
	hostbox_drop(&box);
}

static void
a_sample_lies_where_the_guest_looks_for_it(void **test)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	struct vmm_sample sample = {
	    .fd = fd, .bytes = 5, .name = "a.sh", .type = "text/x-sh"};
	char octets[8] = "";
	struct hostbox box;
	unsigned char none[MAILBOX_SEED_BYTES] = {0};

	(void)test;
	assert_int_equal(0, write_all(fd, "hello", 5));
	assert_int_equal(0, hostbox_make(&box));
	assert_int_equal(0, hostbox_put(&box, &sample));
	assert_int_equal(0, pread_all(box.fd, octets, 5, MAILBOX_SAMPLE_AT));
	assert_string_equal("hello", octets);
	assert_int_equal(5, box.page->sample_bytes);
	assert_string_equal("a.sh", box.page->name);
	assert_memory_not_equal(none, box.page->seed, sizeof(none));
	sample.bytes = 6;
	assert_int_equal(-ENODATA, hostbox_put(&box, &sample));
	sample.bytes = (uint64_t)MAILBOX_SAMPLE_MAX + 1;
	assert_int_equal(-EFBIG, hostbox_put(&box, &sample));
	hostbox_drop(&box);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mailbox_cannot_shrink_and_is_empty),
	    cmocka_unit_test(news_of_a_guest_come_once_and_lies_are_told),
	    cmocka_unit_test(what_a_guest_lacks_is_said_in_printable_words),
	    cmocka_unit_test(a_report_longer_than_its_room_is_a_lie),
	    cmocka_unit_test(a_sample_lies_where_the_guest_looks_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
