/*
 * worker/answer.h - what an engine says of a message: three-valued, with the
 * two kinds of not knowing kept apart (DESIGN section 2).
 */
#ifndef SLUICE_WORKER_ANSWER_H
#define SLUICE_WORKER_ANSWER_H

#include <stdint.h>

enum answer {
	ANSWER_CLEAN,
	ANSWER_HIT,             /* virus, refused name, spam: by engine */
	ANSWER_AMBIGUOUS,       /* readings disagree on an attachment */
	ANSWER_UNKNOWN_SYSTEM,  /* engine down, slow, cut off: wait, retry */
	ANSWER_UNKNOWN_MESSAGE, /* its cell died or a budget was exceeded */
	ANSWER_WARN,            /* dangerous perhaps: pass on, with a warning */
	ANSWER_COUNT
};

/* How long a message may wait for one that is unknown(system). */
enum answer_wait {
	ANSWER_WAIT_USUAL,   /* worker.hold_max */
	ANSWER_WAIT_ON,      /* until somebody decides */
	ANSWER_WAIT_NO_MORE, /* it has waited long enough: to error */
	ANSWER_WAITS
};

#define ANSWER_ENGINE_MAX 16
#define ANSWER_REASON_MAX 200

struct engine_answer {
	char engine[ANSWER_ENGINE_MAX]; /* "reading", "policy", "clamd", ... */
	uint32_t answer;                /* enum answer */
	uint32_t wait;                  /* enum answer_wait */
	uint64_t usec;                  /* time until the answer */
	double score;                   /* spam engines, flow; else 0 */
	double limit; /* spam engines: a hit from there on; else 0 */
	char reason[ANSWER_REASON_MAX]; /* evidence for people; "" when clean */
};

/* "clean", "hit", "ambiguous", "unknown(system)", "unknown(message)", "warn".
 */
const char *answer_name(enum answer answer);

/* Fill *ret: engine, answer, printf-formatted reason (cut to fit, characters
 * outside printable ASCII replaced by '?'). */
void answer_set(struct engine_answer *ret, const char *engine,
    enum answer answer, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The worse of two answers of one engine about two blobs of a message:
 * hit > ambiguous > unknown(message) > unknown(system) > warn > clean; what is
 * not known of one blob might stop the message. */
enum answer answer_worse(enum answer a, enum answer b);

#endif
