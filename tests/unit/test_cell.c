/*
 * tests/unit/test_cell.c - what a cell costs at most, and how it ends when
 * that is too little.
 */
#include "tests/support/cell_run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <cmocka.h>

#define POISON_BYTES (size_t)2000000
/* Processor time for that much; the worst of these lines took 2 s and more
 * before they were glanced at first, and some grew with the square. */
#ifdef SLUICE_SANITIZE
#define MOST_USEC 10000000
#else
#define MOST_USEC 700000
#endif

static int64_t
children_usec(void)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_CHILDREN, &ru);
	return (int64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	       ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
}

static void
a_file_with_names_that_nobody_looked_at_is_held(void **state)
{
	static char mail[4000];
	size_t n = (size_t)sprintf(mail, "From: a\nContent-Type: x/y");
	struct reading *r;

	(void)state;
	for (int i = 0; i < 70; i++)
		n += (size_t)sprintf(mail + n, ";\n name=a.txt");
	n += (size_t)sprintf(mail + n, ";\n name=evil.exe\n\nhello\n");
	r = cell_run(mail, n);
	assert_true(r->hold);
	assert_true(r->ambiguity & AMBIGUOUS_NAME);
	reading_free(r);
}

/* Lines that begin as files, encodings or headers do. */
static void
lines_that_promise_much_are_cheap(void **state)
{
	static const char *const lines[] = {"PK\n", "MZ\n", "UE\n", "UEsDB\n",
	    "TVo\n", "=\n", "=41\n", "=50=4B=03=05\n", "a = 1\n", "begin\n",
	    "begin 644 x\n", "begin 644\n", "begin-base64 644 x\n",
	    "=ybegin \n", "Content-Type: x; name=a\n\n",
	    "Content-Transfer-Encoding: base65\n\n", "--x\n\n", "a\r",
	    "\rContent-Type: x\n\n", "(5F35TVo6AAAA\n", "xx-lh\n"};
	static char mail[POISON_BYTES + 100];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t n = (size_t)sprintf(mail, "From: a\nSubject: b\n\n");
		const size_t len = strlen(lines[i]);
		int64_t usec = -children_usec();

		for (; n < POISON_BYTES; n += len)
			(void)memcpy(mail + n, lines[i], len);
		reading_free(cell_run(mail, n));
		usec += children_usec();
		if (usec > MOST_USEC)
			fail_msg("%s: %lld us", lines[i], (long long)usec);
	}
}

/* Text without any of that stays clean, however long it is. */
static void
long_programs_and_prose_are_read_whole(void **state)
{
	static const char *const lines[] = {"a = 1\n", "begin transaction;\n",
	    "begin 1\n", "x = -1; /* 2 */\n", "== title ==\n",
	    "PK is a country\n"};
	static char mail[POISON_BYTES + 100];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t n = (size_t)sprintf(mail, "From: a\nSubject: b\n\n");
		const size_t len = strlen(lines[i]);
		struct reading *r;

		for (; n < POISON_BYTES; n += len)
			(void)memcpy(mail + n, lines[i], len);
		r = cell_run(mail, n);
		if (r->status != READING_COMPLETE || r->n_parts != 1)
			fail_msg("%s: %s", lines[i], r->text);
		reading_free(r);
	}
}

#ifndef SLUICE_SANITIZE /* shadow memory alone is terabytes of addresses */
static void
a_message_that_does_not_fit_into_memory_is_told(void **state)
{
	const struct rlimit little = {64 << 20, 64 << 20};
	const int message = memfd_create("message", MFD_CLOEXEC);
	const int arena = memfd_create("arena", MFD_CLOEXEC);
	int status;

	(void)state;
	assert_int_equal(cell_prepare(), 0);
	assert_int_equal(ftruncate(message, 100 << 20), 0);
	if (fork() == 0) {
		(void)setrlimit(RLIMIT_AS, &little);
		_exit(-cell_read(message, arena, &cell_usual));
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, ENOMEM << 8);
	(void)close(message);
	(void)close(arena);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_with_names_that_nobody_looked_at_is_held),
	    cmocka_unit_test(lines_that_promise_much_are_cheap),
	    cmocka_unit_test(long_programs_and_prose_are_read_whole),
#ifndef SLUICE_SANITIZE
	    cmocka_unit_test(a_message_that_does_not_fit_into_memory_is_told),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
