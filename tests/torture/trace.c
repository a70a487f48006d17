#include "tests/torture/trace.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CALLS \
	"openat,write,pwrite64,pwritev,pwritev2,linkat,rename,renameat," \
	"renameat2,unlinkat,fsync,fdatasync"

/* "5</spool/feed1>" at *text -> "feed1"; advances behind it. */
static bool
take_fd(const char **text, const char *spool, char *path)
{
	const char *lt = strchr(*text, '<'), *gt = lt ? strchr(lt, '>') : NULL;
	size_t skip = strlen(spool);

	if (!gt)
		return false;
	*text = gt + 1;
	if (strncmp(lt + 1, spool, skip) != 0 || lt[1 + skip] != '/')
		return false;
	(void)snprintf(path, OP_PATH, "%.*s", (int)(gt - lt - 2 - (int)skip),
	    lt + 2 + skip);
	return true;
}

/* ", \"dfA1\"" at *text: appended to path as "/dfA1". */
static bool
take_name(const char **text, char *path)
{
	const char *a = strchr(*text, '"'), *b = a ? strchr(a + 1, '"') : NULL;
	size_t len = strlen(path);

	if (!b)
		return false;
	*text = b + 1;
	(void)snprintf(
	    path + len, OP_PATH - len, "/%.*s", (int)(b - a - 1), a + 1);
	return true;
}

static bool
is_call(const char *line, const char *name)
{
	return strncmp(line, name, strlen(name)) == 0;
}

static bool
parse_two(const char *args, const char *spool, struct op *op)
{
	return take_fd(&args, spool, op->from) && take_name(&args, op->from) &&
	       take_fd(&args, spool, op->to) && take_name(&args, op->to);
}

/* One line of the trace; false: of no interest. */
static bool
parse_line(const char *line, const char *spool, struct op *op)
{
	const char *args = strchr(line, '('), *result = strrchr(line, '=');

	if (!args || !result || result[1] != ' ' || result[2] == '-' ||
	    result[2] == '?')
		return false;
	if (is_call(line, "fsync(") || is_call(line, "fdatasync(")) {
		op->kind = OP_SYNC;
		return take_fd(&args, spool, op->to);
	}
	if (is_call(line, "write(") || is_call(line, "pwrite")) {
		op->kind = OP_WRITE;
		return take_fd(&args, spool, op->to);
	}
	if (is_call(line, "linkat(") || is_call(line, "renameat")) {
		op->kind = line[0] == 'l' ? OP_LINK : OP_RENAME;
		return parse_two(args, spool, op);
	}
	if (is_call(line, "unlinkat(")) {
		op->kind = OP_UNLINK;
		return take_fd(&args, spool, op->from) &&
		       take_name(&args, op->from);
	}
	op->kind = OP_CREATE;
	return is_call(line, "openat(") && strstr(line, "O_CREAT") &&
	       take_fd(&args, spool, op->to) && take_name(&args, op->to);
}

static void
parse_file(
    const char *path, const char *spool, const char *mark, struct trace *t)
{
	FILE *in = fopen(path, "r");
	char line[4096];
	size_t room = 0;

	while (in && fgets(line, sizeof(line), in)) {
		struct op op = {0};
		/* -f puts the process id first. */
		const char *call = line + strspn(line, "0123456789 ");

		if (!parse_line(call, spool, &op))
			continue;
		if (t->n == 0 && strncmp(op.to, mark, strlen(mark)) != 0)
			continue;
		if (t->n == room) {
			room = room ? 2 * room : 64;
			t->ops = realloc(t->ops, room * sizeof(*t->ops));
			if (!t->ops)
				abort();
		}
		t->ops[t->n++] = op;
	}
	if (in)
		(void)fclose(in);
}

int
trace_run(const char *program, const char *spool, int skip, const char *mark,
    struct trace *ret_trace)
{
	CLEANUP(free_ptr) char *out = xasprintf("%s.strace", spool);
	/* The leak check of the sanitizers cannot run in a traced process. */
	CLEANUP(free_ptr)
	char *command = xasprintf(
	    "ASAN_OPTIONS=detect_leaks=0 strace -f -y -qq -s 64 -o '%s' -e "
	    "trace=" CALLS " '%s' '%s' %d >/dev/null",
	    out, program, spool, skip);
	int status;

	if (system("strace -o /dev/null true 2>/dev/null") != 0) // NOLINT
		return -ENOSYS;
	status = system(command); // NOLINT: no shell text comes from outside
	if (status == 0)
		parse_file(out, spool, mark, ret_trace);
	(void)unlink(out);
	return status == 0 ? 0 : -EIO;
}

void
trace_done(struct trace *trace)
{
	free(trace->ops);
	*trace = (struct trace){0};
}

const char *
op_text(const struct op *op, char *buf, size_t size)
{
	static const char *const names[] = {
	    "create", "write", "link", "rename", "unlink", "sync"};

	(void)snprintf(
	    buf, size, "%s %s %s", names[op->kind], op->from, op->to);
	return buf;
}
