#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queues/message.h"
#include "tests/support/tmpspool.h"

#include <sys/file.h>

#define ID "6AM7cU1D032072"
#define HEAD \
	"Received: from client.test\n\tby mx.sluice.test; now\nSubject: s\n\n"

struct fixture {
	char *path;
	struct spool *spool;
	struct claim claim;
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->path = tmpspool_make();
	f->spool = tmpspool_open(f->path);
	f->claim.qf_fd = -1;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	claim_drop(&f->claim);
	spool_free(f->spool);
	tmp_remove(f->path);
	free(f);
	return 0;
}

/* A claimed message with a body of that many octets. */
static char *
claim_body(struct fixture *f, size_t len)
{
	char *body = malloc(len + 1);
	const char *reason;

	for (size_t i = 0; i < len; i++)
		body[i] = (char)("0123456789abcde\n"[i % 16]);
	tmpspool_put(f->spool, SPOOL_FEED1, ID);
	tmp_put(f->spool->fds[SPOOL_FEED1], "df" ID, body, len);
	claim_drop(&f->claim);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_FEED1, ID, &f->claim, &reason), 0);
	return body;
}

static void
check_built(struct fixture *f, size_t len)
{
	char *body = claim_body(f, len), *got;
	uint64_t bytes = 0;
	size_t got_len;
	struct qf *qf = NULL;
	const char *reason;
	int fd = -1;

	assert_int_equal(message_build(f->spool, &f->claim, UINT64_MAX, &fd,
			     &bytes, &qf, &reason),
	    0);
	assert_int_equal(bytes, sizeof(HEAD) - 1 + len);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(read_fd(fd, bytes, &got, &got_len), 0);
	assert_int_equal(got_len, bytes);
	assert_memory_equal(got, HEAD, sizeof(HEAD) - 1);
	assert_memory_equal(got + sizeof(HEAD) - 1, body, len);
	assert_string_equal(qf->sender, "a@x.test");
	/* Nobody who gets it can change it. */
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(memfd_is_sealed(fd) != 0, bytes <= MESSAGE_MEMFD_MAX);
	free(got);
	free(body);
	qf_free(qf);
	assert_int_equal(close(fd), 0);
}

static void
a_message_is_headers_blank_line_and_body(void **state)
{
	struct fixture *f = *state;
	const size_t limit = MESSAGE_MEMFD_MAX - (sizeof(HEAD) - 1);

	check_built(f, 10);
	check_built(f, 0);
	check_built(f, 70000);
	check_built(f, limit);
	check_built(f, limit + 1);
	check_built(f, 5000000);
}

static void
a_message_built_is_not_a_name_in_the_spool(void **state)
{
	struct fixture *f = *state;
	char *journal = xasprintf("%s/journal", f->path);

	check_built(f, 2000000);
	assert_int_equal(rmdir(journal), 0); /* so it is empty */
	free(journal);
}

static int
build(struct fixture *f, uint64_t max, const char **ret_reason)
{
	uint64_t bytes;
	struct qf *qf;
	int fd;

	*ret_reason = NULL;
	return message_build(
	    f->spool, &f->claim, max, &fd, &bytes, &qf, ret_reason);
}

static void
what_cannot_be_built_says_why(void **state)
{
	struct fixture *f = *state;
	int dir = f->spool->fds[SPOOL_FEED1];
	const char *reason;

	free(claim_body(f, 100));
	assert_int_equal(build(f, sizeof(HEAD) + 98, &reason), -EFBIG);
	tmp_put(dir, "df" ID, "changed", 7);
	assert_int_equal(build(f, 100000, &reason), -EBADMSG);
	assert_non_null(strstr(reason, "changed"));
	assert_int_equal(unlinkat(dir, "df" ID, 0), 0);
	assert_int_equal(build(f, 100000, &reason), -EBADMSG);
	assert_non_null(strstr(reason, "without df"));

	tmp_put(dir, "df" ID, "x", 1);
	tmp_put(dir, "qf" ID, "V8\nZ\n.\n", 7);
	claim_drop(&f->claim);
	assert_int_equal(
	    claim_take(f->spool, SPOOL_FEED1, ID, &f->claim, &reason), 0);
	assert_int_equal(build(f, 100000, &reason), -EBADMSG);
	assert_non_null(strstr(reason, "no S record"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_message_is_headers_blank_line_and_body),
	    TEST(a_message_built_is_not_a_name_in_the_spool),
	    TEST(what_cannot_be_built_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
