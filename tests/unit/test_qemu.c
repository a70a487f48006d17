/*
 * What of the back end QEMU needs no QEMU: its control socket's lines, its
 * arguments, the names of its clones.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/qemu_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* --- QMP */

static void
lines_of_qmp_say_what_they_answer(void **test)
{
	static const struct {
		const char *text;
		int r;
		struct qmp_line want;
	} rows[] = {
	    {"{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}", 0,
		{.id = QMP_NONE}},
	    {"{\"return\": {}, \"id\": 4}", 0, {.id = QMP_STOP}},
	    {"{\"return\": {\"status\": \"completed\"}, \"id\": 8}", 0,
		{.id = QMP_QUERY, .text = "completed"}},
	    {"{\"id\": 3, \"error\": {\"class\": \"GenericError\", \"desc\": "
	     "\"no\"}}",
		0, {.id = QMP_INCOMING, .is_error = true, .text = "no"}},
	    {"{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}", 0,
		{.is_end = true}},
	    {"{\"event\": \"RESET\"}", 0, {.is_end = true}},
	    {"{\"event\": \"STOP\"}", 0, {.id = QMP_NONE}},
	    /* A number that we never sent, an event that claims to answer. */
	    {"{\"return\": {}, \"id\": 99}", 0, {.id = QMP_NONE}},
	    {"{\"return\": {}, \"id\": -1}", 0, {.id = QMP_NONE}},
	    {"{\"return\": {}, \"id\": \"4\"}", 0, {.id = QMP_NONE}},
	    {"{\"event\": \"STOP\", \"id\": 4}", 0, {.id = QMP_NONE}},
	    {"{\"return\": {\"status\": 7}, \"id\": 8}", 0, {.id = QMP_QUERY}},
	    {"{}", 0, {.id = QMP_NONE}},
	    {"[]", -EBADMSG, {0}},
	    {"", -EBADMSG, {0}},
	    {"{\"return\": {}, \"id\": 4", -EBADMSG, {0}},
	    {"\377\376", -EBADMSG, {0}},
	};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct qmp_line got = {.id = QMP_NONE};

		print_message("%s\n", rows[i].text);
		assert_int_equal(rows[i].r,
		    qmp_parse(rows[i].text, strlen(rows[i].text), &got));
		assert_int_equal(rows[i].want.id, got.id);
		assert_int_equal(rows[i].want.is_error, got.is_error);
		assert_int_equal(rows[i].want.is_end, got.is_end);
		assert_string_equal(rows[i].want.text, got.text);
	}
}

static void
a_stream_of_qmp_comes_apart_into_lines_however_it_is_cut(void **test)
{
	static const char text[] = "{\"QMP\": {}}\r\n{\"return\": {}, \"id\": "
				   "1}\r\n{\"return\": {}, \"id\": 4}\r\n";

	(void)test;
	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		struct qmp qmp = {.n = 0};
		struct qmp_line line;
		int fds[2], seen = 0;
		enum qmp_id ids[3] = {QMP_IDS, QMP_IDS, QMP_IDS};

		assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
		for (size_t at = 0; at < sizeof(text) - 1; at += cut) {
			size_t n = sizeof(text) - 1 - at;
			int r;

			n = n < cut ? n : cut;
			assert_int_equal(n, write(fds[1], text + at, n));
			while ((r = qmp_next(&qmp, fds[0], &line)) == 0)
				ids[seen++] = line.id;
			assert_int_equal(-EAGAIN, r);
		}
		assert_int_equal(3, seen);
		assert_int_equal(QMP_NONE, ids[0]);
		assert_int_equal(QMP_CAPABILITIES, ids[1]);
		assert_int_equal(QMP_STOP, ids[2]);
		(void)close(fds[1]);
		assert_int_equal(-EPIPE, qmp_next(&qmp, fds[0], &line));
		(void)close(fds[0]);
	}
}

static void
a_line_of_qmp_without_an_end_is_refused(void **test)
{
	char text[4096];
	struct qmp qmp = {.n = 0};
	struct qmp_line line;
	int fds[2], r = -EAGAIN;

	(void)test;
	memset(text, ' ', sizeof(text));
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	for (int i = 0; i < 8 && r == -EAGAIN; i++) {
		assert_int_equal(
		    sizeof(text), write(fds[1], text, sizeof(text)));
		r = qmp_next(&qmp, fds[0], &line);
	}
	assert_int_equal(-EBADMSG, r);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
what_is_sent_to_qemu_is_json_with_its_number(void **test)
{
	int fds[2];
	char text[512];

	(void)test;
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	for (int id = QMP_CAPABILITIES; id < QMP_IDS; id++) {
		struct qmp_line line;
		char mark[32];
		ssize_t n;

		assert_int_equal(0, qmp_send(fds[0], (enum qmp_id)id, -1));
		n = read(fds[1], text, sizeof(text) - 1);
		assert_true(n > 0);
		text[n] = '\0';
		assert_int_equal(0, qmp_parse(text, (size_t)n, &line));
		(void)snprintf(mark, sizeof(mark), "\"id\":%d}\n", id);
		assert_string_equal(mark, text + n - strlen(mark));
	}
	(void)close(fds[1]);
	assert_int_equal(-EPIPE, qmp_send(fds[0], QMP_STOP, -1));
	(void)close(fds[0]);
}

/* --- Arguments and names */

static const char *
value_of(const struct qemu_args *args, const char *option, const char *start)
{
	for (int i = 0; i + 1 < args->argc; i++)
		if (strcmp(args->argv[i], option) == 0 &&
		    strncmp(args->argv[i + 1], start, strlen(start)) == 0)
			return args->argv[i + 1];
	return NULL;
}

static void
a_clone_maps_privately_what_its_reference_shared(void **test)
{
	const struct qemu_machine clone = {
	    .program = "/q", .name = "n", .mem_mib = 256, .tsc_khz = 1000};
	struct qemu_machine reference = clone;
	struct qemu_args a, b;
	char one[65], other[65];

	(void)test;
	reference.is_booted = true;
	qemu_args_make(&a, &clone);
	qemu_args_make(&b, &reference);
	assert_non_null(
	    strstr(value_of(&a, "-object", "memory-backend-file,id=ram"),
		"share=off"));
	assert_non_null(strstr(
	    value_of(&b, "-object", "memory-backend-file,id=ram"), "share=on"));
	assert_string_equal("defer", value_of(&a, "-incoming", ""));
	assert_null(value_of(&a, "-kernel", ""));
	assert_null(value_of(&b, "-incoming", ""));
	/* The mailbox lies behind the memory that the kernel uses. */
	assert_string_equal("320", value_of(&b, "-m", ""));
	assert_non_null(strstr(value_of(&b, "-append", ""), " mem=256M "));
	assert_non_null(
	    strstr(value_of(&b, "-append", ""), " mailbox=0x10000000"));
	assert_non_null(value_of(&a, "-sandbox", "on,"));
	assert_null(a.argv[a.argc]);
	/* Their devices are the same. */
	assert_string_equal(qemu_machine_digest(&clone, one),
	    qemu_machine_digest(&reference, other));
	reference.has_disk = true;
	assert_string_not_equal(one, qemu_machine_digest(&reference, other));
	qemu_args_free(&a);
	qemu_args_free(&b);
}

static void
a_clone_is_known_by_its_name(void **test)
{
	static const struct {
		const char text[64];
		size_t n;
		bool found;
	} rows[] = {
#define ROW(text, found) {text, sizeof(text) - 1, found}
	    ROW("q\0-name\0sluice-vm:0123abcd:7:99:linux:3\0-m\0", true),
	    ROW("q\0-name\0sluice-vm:0123abcd:7:99:linux:3", true),
	    ROW("q\0-name\0sluice-vm:ffffffff:7:99:linux:3\0", false),
	    ROW("q\0-name\0sluice-vm:0123abcd:7:linux:3\0", false),
	    ROW("q\0-name\0sluice-vm:\0", false),
	    ROW("q\0-name", false),
	    ROW("q\0sluice-vm:0123abcd:7:99:linux:3\0", false),
	    ROW("q\0-name\0other\0-name\0sluice-vm:0123abcd:7:99:l:3", false),
	    ROW("", false),
#undef ROW
	};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t holder = 0;
		uint64_t start = 0;

		assert_int_equal(
		    rows[i].found, qemu_name_find(rows[i].text, rows[i].n,
				       "0123abcd", &holder, &start));
		if (rows[i].found) {
			assert_int_equal(7, holder);
			assert_int_equal(99, start);
		}
	}
}

static bool
is_called(pid_t pid, const char *name)
{
	CLEANUP(free_ptr) char *path = xasprintf("/proc/%d/cmdline", pid);
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n = read(fd, text, sizeof(text));

	return n > 0 && memmem(text, (size_t)n, name, strlen(name)) != NULL;
}

/* A process that is called as a clone is. */
static pid_t
impostor(const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c",
		    "sleep 30 >/dev/null 2>&1; :", "-name", name, (char *)NULL);
		_exit(127);
	}
	/* It must have become another program. */
	for (int i = 0; i < 1000 && !is_called(pid, name); i++)
		(void)usleep(10000);
	return pid;
}

static void
only_clones_whose_holder_is_gone_are_reaped(void **test)
{
	const struct vmm_options here = {.state = "/tmp"};
	const struct vmm_options there = {.state = "/usr"};
	char site[OWNER_SITE_SIZE];
	CLEANUP(free_ptr) char *mine = NULL;
	CLEANUP(free_ptr) char *orphan = NULL;
	pid_t child, lost;
	int status;

	(void)test;
	(void)owner_site("/tmp", site);
	mine = qemu_name(site, "linux", 0);
	/* Our own number, but of a process that began at another time. */
	orphan = xasprintf("sluice-vm:%s:%d:1:linux:1", site, getpid());
	child = impostor(mine);
	lost = impostor(orphan);
	assert_int_equal(0, qemu_reap(&there));
	assert_int_equal(1, qemu_reap(&here));
	assert_int_equal(lost, waitpid(lost, &status, 0));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(0, waitpid(child, &status, WNOHANG));
	(void)kill(child, SIGKILL);
	assert_int_equal(child, waitpid(child, &status, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_of_qmp_say_what_they_answer),
	    cmocka_unit_test(
		a_stream_of_qmp_comes_apart_into_lines_however_it_is_cut),
	    cmocka_unit_test(a_line_of_qmp_without_an_end_is_refused),
	    cmocka_unit_test(what_is_sent_to_qemu_is_json_with_its_number),
	    cmocka_unit_test(a_clone_maps_privately_what_its_reference_shared),
	    cmocka_unit_test(a_clone_is_known_by_its_name),
	    cmocka_unit_test(only_clones_whose_holder_is_gone_are_reaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
