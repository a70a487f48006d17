#include "worker/yield.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/proc.h"
#include "worker/cell.h"
#include "worker/mef/bag.h"
#include "worker/reading.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int
open_bag(int fd, struct mef_bag **ret)
{
	static const char none[CELL_MARK];
	struct stat st;
	void *map;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < CELL_MARK)
		return -ENODATA;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = memcmp(map, none, CELL_MARK) == 0
		? -ENODATA
		: mef_bag_unpack(map, (size_t)st.st_size, ret);
	(void)munmap(map, (size_t)st.st_size);
	return r;
}

int
yield_open(int arena, enum task_what what, struct yield *ret)
{
	int r = memfd_seal(arena);

	*ret = (struct yield){NULL, NULL};
	if (r < 0)
		return r;
	return what == TASK_MESSAGE ? reading_open(arena, &ret->reading)
				    : open_bag(arena, &ret->bag);
}

void
yield_explain(const struct conf *conf, const char *engine, bool is_late,
    const struct wire_cell_gone *gone, struct engine_answer *ret)
{
	int status = gone->status;
	enum answer fault = ANSWER_UNKNOWN_MESSAGE;
	char text[64];

	(void)proc_status_text(status, text, sizeof(text));
	if (is_late)
		answer_set(ret, engine, fault,
		    "budget exceeded: not read within %llu s (budget.wall)",
		    (unsigned long long)(conf->budget.wall_usec /
					 USEC_PER_SEC));
	else if (WIFSIGNALED(status) &&
		 (WTERMSIG(status) == SIGXCPU ||
		     gone->cpu_usec >= conf->budget.cpu_usec))
		answer_set(ret, engine, fault,
		    "budget exceeded: %llu s of processor time (budget.cpu)",
		    (unsigned long long)(conf->budget.cpu_usec / USEC_PER_SEC));
	else if (WIFEXITED(status) && WEXITSTATUS(status) == CELL_EXIT_MEMORY)
		answer_set(ret, engine, fault,
		    "budget exceeded: memory (budget.memory)");
	else if (WIFSIGNALED(status) &&
		 (WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGTRAP))
		answer_set(ret, engine, fault,
		    "its cell died: %s, probably budget exceeded: memory "
		    "(budget.memory)",
		    text);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		answer_set(ret, engine, fault,
		    "budget exceeded: more output than budget.output");
	else if (WIFEXITED(status) &&
		 WEXITSTATUS(status) == CELL_EXIT_UNCONFINED)
		answer_set(ret, engine, ANSWER_UNKNOWN_SYSTEM,
		    "its cell could not be confined");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		answer_set(ret, engine, ANSWER_UNKNOWN_SYSTEM,
		    "its cell was killed from outside (%s)", text);
	else
		answer_set(ret, engine, fault, "its cell died: %s", text);
}
