#include "worker/verdict.h"

#include "common/conf.h"

#include <assert.h>
#include <string.h>

static const struct {
	const char *name;
	bool is_final;
	enum spool_dir dir;
} rows[VERDICT_COUNT] = {
    [VERDICT_CLEAN] = {"clean", true, SPOOL_OUT},
    [VERDICT_VIRUS] = {"virus", true, SPOOL_VIRUS},
    [VERDICT_EXT] = {"ext", true, SPOOL_EXT},
    [VERDICT_AMBIGUOUS] = {"ambiguous", true, SPOOL_EXT},
    [VERDICT_SPAM] = {"spam", true, SPOOL_SPAM},
    [VERDICT_WARN] = {"warn", true, SPOOL_OUT},
    [VERDICT_UNKNOWN_SYSTEM] = {"unknown", false, SPOOL_ERROR},
    [VERDICT_UNKNOWN_MESSAGE] = {"unknown", false, SPOOL_ERROR},
};

static const struct engine_answer *
find(const struct engine_answer *answers, size_t n, const char *engine)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(answers[i].engine, engine) == 0)
			return &answers[i];
	return NULL;
}

static bool
is_hit(const struct engine_answer *answers, size_t n, const char *engine,
    const struct engine_answer **ret_by)
{
	const struct engine_answer *a = find(answers, n, engine);

	if (!a || a->answer != ANSWER_HIT)
		return false;
	*ret_by = a;
	return true;
}

/* The first engine, whichever it is, that wants a warning; NULL: none. */
static const struct engine_answer *
find_warning(const struct engine_answer *answers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (answers[i].answer == ANSWER_WARN)
			return &answers[i];
	return NULL;
}

/* The verdict that one required engine imposes, or VERDICT_CLEAN. */
static enum verdict
unknown_of(const struct engine_answer *a)
{
	switch ((enum answer)a->answer) {
	case ANSWER_UNKNOWN_SYSTEM:
		return VERDICT_UNKNOWN_SYSTEM;
	case ANSWER_UNKNOWN_MESSAGE:
		return VERDICT_UNKNOWN_MESSAGE;
	case ANSWER_CLEAN:
	case ANSWER_HIT:
	case ANSWER_AMBIGUOUS:
	case ANSWER_WARN:
	case ANSWER_COUNT:
	default:
		return VERDICT_CLEAN;
	}
}

/*
 * A message's own fault outranks the system's: a message that kills its cell
 * must be charged even while clamd is down, or it would be tried for hours.
 */
static enum verdict
unknown_of_required(const struct engine_answer *answers, size_t n,
    const char *required, const struct engine_answer **ret_by)
{
	static const char *const engines[] = {
	    "reading", "policy", "clamd", "spam", "mef", "vm"};
	static const struct engine_answer missing = {
	    .answer = ANSWER_UNKNOWN_SYSTEM,
	    .reason = "a required engine gave no answer"};
	enum verdict worst = VERDICT_CLEAN;

	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		const struct engine_answer *a;
		enum verdict v;

		if (i > 0 && !conf_has_word(required, engines[i]))
			continue;
		a = find(answers, n, engines[i]);
		if (!a)
			a = &missing;
		v = unknown_of(a);
		if (v != VERDICT_CLEAN && worst != VERDICT_UNKNOWN_MESSAGE &&
		    (worst == VERDICT_CLEAN || v == VERDICT_UNKNOWN_MESSAGE)) {
			worst = v;
			*ret_by = a;
		}
	}
	return worst;
}

enum verdict
verdict_of(const struct engine_answer *answers, size_t n, const char *required,
    const struct engine_answer **ret_by)
{
	static const struct engine_answer nobody = {.answer = ANSWER_CLEAN};
	const struct engine_answer *reading = find(answers, n, "reading");
	const struct engine_answer *warning = find_warning(answers, n);
	enum verdict v;

	*ret_by = &nobody;
	if (is_hit(answers, n, "clamd", ret_by) ||
	    is_hit(answers, n, "vm", ret_by))
		return VERDICT_VIRUS;
	v = unknown_of_required(answers, n, required, ret_by);
	if (v != VERDICT_CLEAN)
		return v;
	if (is_hit(answers, n, "policy", ret_by) ||
	    is_hit(answers, n, "mef", ret_by) ||
	    is_hit(answers, n, "links", ret_by))
		return VERDICT_EXT;
	if (reading && reading->answer != ANSWER_CLEAN) {
		*ret_by = reading;
		return VERDICT_AMBIGUOUS;
	}
	if (is_hit(answers, n, "spam", ret_by))
		return VERDICT_SPAM;
	if (!warning)
		return VERDICT_CLEAN;
	*ret_by = warning;
	return VERDICT_WARN;
}

const char *
verdict_name(enum verdict verdict)
{
	assert(verdict < VERDICT_COUNT);
	return rows[verdict].name;
}

bool
verdict_place(enum verdict verdict, enum spool_dir *ret_dir)
{
	assert(verdict < VERDICT_COUNT);
	if (rows[verdict].is_final)
		*ret_dir = rows[verdict].dir;
	return rows[verdict].is_final;
}
