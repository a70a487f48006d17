#include "worker/answer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
answer_name(enum answer answer)
{
	static const char *const names[ANSWER_COUNT] = {
	    [ANSWER_CLEAN] = "clean",
	    [ANSWER_HIT] = "hit",
	    [ANSWER_AMBIGUOUS] = "ambiguous",
	    [ANSWER_UNKNOWN_SYSTEM] = "unknown(system)",
	    [ANSWER_UNKNOWN_MESSAGE] = "unknown(message)",
	    [ANSWER_WARN] = "warn",
	};

	assert(answer < ANSWER_COUNT);
	return names[answer];
}

void
answer_set(struct engine_answer *ret, const char *engine, enum answer answer,
    const char *fmt, ...)
{
	va_list ap;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(ret->engine, sizeof(ret->engine), "%s", engine);
	ret->answer = answer;
	va_start(ap, fmt);
	(void)vsnprintf(ret->reason, sizeof(ret->reason), fmt, ap);
	va_end(ap);
	for (char *p = ret->reason; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

enum answer
answer_worse(enum answer a, enum answer b)
{
	static const int rank[ANSWER_COUNT] = {
	    [ANSWER_CLEAN] = 0,
	    [ANSWER_WARN] = 1,
	    [ANSWER_UNKNOWN_SYSTEM] = 2,
	    [ANSWER_UNKNOWN_MESSAGE] = 3,
	    [ANSWER_AMBIGUOUS] = 4,
	    [ANSWER_HIT] = 5,
	};

	return rank[a] >= rank[b] ? a : b;
}
