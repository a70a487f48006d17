/*
 * tools/load/check.h - "sluice-traffic check": did each message arrive exactly
 * once, and none that mustn't?
 */
#ifndef LOAD_CHECK_H
#define LOAD_CHECK_H

#include "base.h"

#define CHECK_CLASSES_MAX  32
#define CHECK_PROBLEMS_MAX 50 /* named one by one; all are counted */

/* What can be wrong with, or notable about, one message. */
enum finding {
	FIND_ONCE,        /* accepted, delivered once: as it should be */
	FIND_STOPPED,     /* accepted, not to be delivered, not delivered */
	FIND_REFUSED,     /* not accepted, not delivered */
	FIND_BROKEN,      /* fate unknown to the sender; not delivered */
	FIND_BROKEN_CAME, /* the same, delivered: fine as well */
	FIND_EXCUSED,     /* more than once, for a known reason */
	FIND_RETURNED,    /* a bounce came instead, or besides */
	FIND_MISSING,
	FIND_DUPLICATED,
	FIND_LEAKED,     /* of a class that mustn't arrive */
	FIND_UNACCEPTED, /* delivered though the sender was told no */
	FIND_ALTERED,    /* besides: its body isn't what was sent */
	FIND_SENT_TWICE, /* two lines of the sent logs have this id */
	FIND_FOREIGN,    /* at the sink, but no sender knows it */
	FIND_COUNT,
};

const char *finding_name(enum finding f);

struct check_class {
	char name[32];
	uint64_t sent;
	uint64_t accepted;
	uint64_t rejected;
	uint64_t deferred;
	uint64_t count[FIND_COUNT];
};

struct check_problem {
	enum finding finding;
	const char *id; /* NULL: none */
};

struct check_report {
	struct check_class classes[CHECK_CLASSES_MAX];
	size_t class_count;
	struct check_class total;
	struct check_problem problems[CHECK_PROBLEMS_MAX];
	size_t problem_count;
	uint64_t received;  /* messages at the sink */
	uint64_t bad_lines; /* of both logs */
	double *latency;    /* seconds, sorted */
	size_t latency_count;
	bool is_ok;
};

/* Print it; dies when standard output can't be written. */
void check_report_print(const struct check_report *r, bool as_json);

int check_main(int argc, char **argv);

#endif
