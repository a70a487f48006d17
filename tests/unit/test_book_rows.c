/*
 * What lies below the book: claims, messages and rows, each alone.
 */
#include "worker/book_rows.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/ipc.h"
#include "tests/support/tmpspool.h"
#include "worker/book_claims.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct digest
key(int n)
{
	return digest_memory(&n, sizeof(n));
}

static void
note_pass(void *arg, void *asker_arg, uint64_t job, uint32_t index)
{
	char *log = arg;
	size_t n = strlen(log);

	(void)snprintf(log + n, 128 - n, "pass %s/%ju/%u;",
	    (const char *)asker_arg, (uintmax_t)job, index);
}

static void
note_tell(void *arg, void *asker_arg, uint64_t job, uint32_t index, void *what)
{
	char *log = arg;
	size_t n = strlen(log);

	(void)snprintf(log + n, 128 - n, "tell %s/%ju/%u %s;",
	    (const char *)asker_arg, (uintmax_t)job, index, (const char *)what);
}

static void
claims_are_queues_and_only_the_first_judges(void **state)
{
	static char a_name[] = "a", b_name[] = "b", hit[] = "hit";
	struct book_key k = {.engine = "clamd"};
	char log[128] = "";
	struct claims *c = claims_new(note_pass, note_tell, log);
	struct claims_asker *a = claims_join(c, a_name);
	struct claims_asker *b = claims_join(c, b_name);

	(void)state;
	assert_true(claims_ask(c, a, 1, 0, &k));
	assert_false(claims_ask(c, b, 2, 5, &k));
	assert_false(claims_ask(c, a, 3, 6, &k));
	assert_int_equal(claims_count(c), 1);
	claims_give_up(c, b, &k); /* b doesn't hold it */
	assert_string_equal(log, "");
	claims_settle(c, a, &k, hit); /* who judged it isn't told */
	assert_string_equal(log, "tell b/2/5 hit;tell a/3/6 hit;");
	assert_int_equal(claims_count(c), 0);
	log[0] = '\0';
	assert_true(claims_ask(c, a, 4, 0, &k));
	assert_false(claims_ask(c, a, 4, 1, &k));
	assert_false(claims_ask(c, b, 5, 0, &k));
	claims_drop(c, a, 4); /* both seats, and past its own second */
	assert_string_equal(log, "pass b/5/0;");
	claims_leave(c, a);
	claims_leave(c, b);
	assert_int_equal(claims_count(c), 0);
	assert_null(claims_free(c));
}

/* Each line breaks one thing in a message that is right without it. */
static void
every_broken_field_of_a_message_is_refused(void **state)
{
	struct ipc_msg *m = xcalloc(1, sizeof(*m));
	struct table_lookup *l = (void *)m->body;
	struct table_result *r = (void *)m->body;
	struct table_answer *a = (void *)m->body;
	const struct table_lookup *ol;
	const struct table_result * or ;
	const struct table_answer *oa;
	const uint32_t head = offsetof(struct table_lookup, keys);

	(void)state;
#define REFUSED(read, out, field, value) \
	do { \
		__auto_type was = (field); \
		assert_int_equal(read(m, &(out)), 0); \
		(field) = (value); \
		assert_int_equal(read(m, &(out)), -EBADMSG); \
		(field) = was; \
	} while (0)
	*m = (struct ipc_msg){.type = TABLE_MSG_LOOKUP, .len = head + 64};
	l->job = 1;
	l->n = 2;
	memset(l->engine, 'e', sizeof(l->engine) - 1);
	memset(l->context, 'c', sizeof(l->context) - 1);
	REFUSED(table_read_lookup, ol, m->len, head + 63);
	REFUSED(table_read_lookup, ol, m->n_fds, 1);
	REFUSED(table_read_lookup, ol, l->n, 3);
	REFUSED(table_read_lookup, ol, l->n, 0);
	REFUSED(table_read_lookup, ol, l->job, 0);
	REFUSED(table_read_lookup, ol, l->engine[TABLE_ENGINE_MAX - 1], 'e');
	REFUSED(table_read_lookup, ol, l->context[TABLE_CONTEXT_MAX - 1], 'c');
	l->n = TABLE_KEYS_MAX + 1;
	m->len = head + (TABLE_KEYS_MAX + 1) * 32;
	assert_int_equal(table_read_lookup(m, &ol), -EBADMSG);
	memset(m->body, 0, sizeof(m->body));
	m->type = TABLE_MSG_RESULT;
	m->len = sizeof(*r);
	REFUSED(table_read_result, or, m->len, sizeof(*r) - 1);
	REFUSED(table_read_result, or, r->verdict, TABLE_VERDICTS);
	REFUSED(table_read_result, or, r->bytes, UINT64_MAX);
	memset(r->name, 'n', sizeof(r->name) - 1);
	REFUSED(table_read_result, or, r->name[TABLE_NAME_MAX - 1], 'n');
	memset(m->body, 0, sizeof(m->body));
	m->type = TABLE_MSG_ANSWER;
	m->len = offsetof(struct table_answer, entries) + sizeof(a->entries[0]);
	a->n = 1;
	memset(a->entries[0].name, 'n', TABLE_NAME_MAX - 1);
	REFUSED(table_read_answer, oa, a->n, 2);
	REFUSED(table_read_answer, oa, a->entries[0].index, TABLE_KEYS_MAX);
	REFUSED(table_read_answer, oa, a->entries[0].state, TABLE_STATES);
	REFUSED(table_read_answer, oa, a->entries[0].verdict, TABLE_VERDICTS);
	REFUSED(
	    table_read_answer, oa, a->entries[0].name[TABLE_NAME_MAX - 1], 'n');
#undef REFUSED
	free(m);
}

static struct book_key
book_key(int n)
{
	struct book_key k = {.digest = key(n)};

	(void)strcpy(k.engine, "clamd");
	(void)strcpy(k.context, "db-1");
	return k;
}

static void
the_oldest_rows_go_when_there_are_too_many(void **state)
{
	const char *dir = *state;
	CLEANUP(free_ptr) char *path = xasprintf("%s/few.db", dir);
	struct rows *rows = NULL;
	struct rows_verdict v;
	struct wall now = {1};
	char err[256];

	assert_int_equal(rows_open(path, 100, &rows, err, sizeof(err)), 0);
	for (int i = 0; i < 150; i++) {
		struct book_key k = book_key(i), first = book_key(0);

		now.usec++;
		rows_put(rows, &k, TABLE_CLEAN, "", 1, now);
		/* The first is asked for all the time. */
		assert_int_equal(rows_find(rows, &first, now, &v), 1);
	}
	assert_int_equal(rows_flush(rows, true), 0);
	assert_int_equal(rows_count(rows), 100);
	rows = rows_close(rows);
	assert_int_equal(rows_open(path, 100, &rows, err, sizeof(err)), 0);
	assert_int_equal(rows_count(rows), 100);
	for (int i = 0; i < 150; i++) {
		struct book_key k = book_key(i);

		assert_int_equal(
		    rows_find(rows, &k, now, &v), i == 0 || i > 50);
	}
	rows = rows_close(rows);
}

static void
without_a_disk_the_table_goes_on_from_memory(void **state)
{
	const char *dir = *state;
	CLEANUP(free_ptr) char *path = xasprintf("%s/stuck.db", dir);
	struct rows *rows = NULL;
	struct rows_verdict v;
	struct wall now = {1};
	struct book_key k = book_key(0);
	char err[256];

	assert_int_equal(rows_open(path, 100000, &rows, err, sizeof(err)), 0);
	/* As a full disk would: no page may be added. */
	rows_put(rows, &k, TABLE_HIT, "Eicar", 1, now);
	assert_int_equal(rows_flush(rows, false), 0);
	assert_int_equal(rows_limit_pages(rows, 1), 0);
	for (int i = 1; i < 9000; i++) {
		k = book_key(i);
		rows_put(rows, &k, TABLE_CLEAN, "", 1, now);
	}
	assert_int_equal(rows_flush(rows, false), -ENOSPC);
	assert_int_equal(rows_find(rows, &k, now, &v), 1); /* the newest */
	k = book_key(1);
	assert_int_equal(rows_find(rows, &k, now, &v), 0); /* forgotten */
	k = book_key(0);
	assert_int_equal(rows_find(rows, &k, now, &v), 1); /* from disk */
	assert_int_equal(v.verdict, TABLE_HIT);
	assert_int_equal(rows_limit_pages(rows, 1000000), 0);
	assert_int_equal(rows_flush(rows, false), 0);
	rows = rows_close(rows);
}

static void
a_damaged_table_is_set_aside_and_made_anew(void **state)
{
	static const char rubbish[] =
	    "no database at all, but text enough for it to be looked at as "
	    "one, since it has more than a hundred octets";
	const char *dir = *state;
	CLEANUP(free_ptr) char *path = xasprintf("%s/bad.db", dir);
	CLEANUP(free_ptr) char *aside = xasprintf("%s.bad", path);
	CLEANUP(free_ptr) char *text = NULL;
	struct rows *rows = NULL;
	char err[256];
	size_t n;

	tmp_put(AT_FDCWD, path, rubbish, sizeof(rubbish));
	assert_int_equal(rows_open(path, 100, &rows, err, sizeof(err)), 0);
	rows = rows_close(rows);
	assert_int_equal(read_file(AT_FDCWD, aside, 4096, &text, &n), 0);
	assert_int_equal(n, sizeof(rubbish));
}

static int
set_up(void **state)
{
	*state = tmp_new();
	return 0;
}

static int
tear_down(void **state)
{
	tmp_remove(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(claims_are_queues_and_only_the_first_judges),
	    cmocka_unit_test(every_broken_field_of_a_message_is_refused),
	    cmocka_unit_test(the_oldest_rows_go_when_there_are_too_many),
	    cmocka_unit_test(without_a_disk_the_table_goes_on_from_memory),
	    cmocka_unit_test(a_damaged_table_is_set_aside_and_made_anew),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
