/*
 * worker/table.h - the host's scanned table, asked by the engines role.
 *
 * sluice-book holds verdicts by SHA-256 + engine + context (the database
 * version that gave them).  One judgement is in flight per key: who asks
 * first gets a claim (TABLE_YOURS) and must answer with table_result(); the
 * others get TABLE_LATER and then the answer.  A claim ends with its result
 * or with the connection of its holder, and passes to the next who waits.
 *
 * Nothing here blocks.  Without a book every key is answered TABLE_YOURS:
 * judge it oneself.  A wait can last as long as another's judgement, so the
 * caller keeps a deadline and calls table_drop() when it has passed.
 */
#ifndef SLUICE_WORKER_TABLE_H
#define SLUICE_WORKER_TABLE_H

#include "common/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_KEYS_MAX    512 /* of one table_lookup() */
#define TABLE_ANSWERS_MAX 256 /* of one message */
#define TABLE_ENGINE_MAX  16
#define TABLE_CONTEXT_MAX 96
#define TABLE_NAME_MAX    128

enum table_state {
	TABLE_KNOWN, /* verdict, name and age are set */
	TABLE_YOURS, /* judge it; then table_result() */
	TABLE_LATER, /* somebody judges it: one more answer will come */
	TABLE_STATES
};

enum table_verdict {
	TABLE_CLEAN,
	TABLE_HIT,
	TABLE_UNKNOWN, /* stores nothing: the claim passes on */
	TABLE_VERDICTS
};

/* On the wire: types and fixed structs (common/ipc.h). */
enum table_type {
	TABLE_MSG_LOOKUP = 100,
	TABLE_MSG_RESULT,
	TABLE_MSG_DROP,
	TABLE_MSG_ANSWER,
};

struct table_lookup {
	uint64_t job; /* the asker's own number, not 0 */
	uint32_t n;
	uint32_t pad;
	char engine[TABLE_ENGINE_MAX]; /* NUL-terminated, as all here */
	char context[TABLE_CONTEXT_MAX];
	struct digest keys[TABLE_KEYS_MAX]; /* n are sent */
};

struct table_result {
	struct digest key;
	char engine[TABLE_ENGINE_MAX];
	char context[TABLE_CONTEXT_MAX];
	uint32_t verdict; /* enum table_verdict */
	uint32_t pad;
	uint64_t bytes;            /* size of what was judged */
	char name[TABLE_NAME_MAX]; /* evidence: signature, score; "" */
};

struct table_drop {
	uint64_t job;
};

struct table_entry {
	uint32_t index;   /* into keys of the lookup */
	uint32_t state;   /* enum table_state */
	uint32_t verdict; /* TABLE_KNOWN: TABLE_CLEAN or TABLE_HIT */
	uint32_t pad;
	uint64_t age_usec; /* TABLE_KNOWN: since it was first judged */
	char name[TABLE_NAME_MAX];
};

struct table_answer {
	uint64_t job;
	uint32_t n;
	uint32_t pad;
	struct table_entry entries[TABLE_ANSWERS_MAX]; /* n are sent */
};

struct ipc_msg;

/*
 * Check type, length, ranges and terminated strings; -EBADMSG otherwise.
 * The pointers point into msg.
 */
int table_read_lookup(
    const struct ipc_msg *msg, const struct table_lookup **ret);
int table_read_result(
    const struct ipc_msg *msg, const struct table_result **ret);
int table_read_drop(const struct ipc_msg *msg, const struct table_drop **ret);
int table_read_answer(
    const struct ipc_msg *msg, const struct table_answer **ret);

/* The asking side. */
struct table;
struct event_base;

/*
 * n entries of job: called from the loop, never from inside table_lookup().
 * entries is valid during the call.
 */
typedef void table_fn(
    void *arg, uint64_t job, const struct table_entry *entries, size_t n);

/*
 * Connect to the book's socket at path, now and again with a pause of 50 ms
 * to 2 s whenever it goes away.  base and arg are borrowed.
 */
struct table *table_open(
    struct event_base *base, const char *path, table_fn *fn, void *arg);
struct table *table_close(struct table *table);

/* Is somebody connected?  For status lines. */
bool table_is_up(const struct table *table);

/*
 * Ask for n keys (1 .. TABLE_KEYS_MAX) on behalf of job, whose number must
 * be unique among the jobs that wait; several engines are several jobs.
 * engine and context are cut to fit.  Always answered through fn, unless
 * table_drop() comes first.
 */
void table_lookup(struct table *table, uint64_t job, const char *engine,
    const char *context, const struct digest *keys, size_t n);

/*
 * Say what a claimed key was found to be.  Without a connection, or with one
 * that is full for long, the result is forgotten: the claim went with it.
 */
void table_result(struct table *table, const struct digest *key,
    const char *engine, const char *context, enum table_verdict verdict,
    const char *name, uint64_t bytes);

/*
 * job is given up: it waits no more, and the claims that it still holds pass
 * on (a result that comes all the same is kept).  Not needed for a job whose
 * keys are all answered and whose claims all had their result.  An unknown
 * job is ignored.
 */
void table_drop(struct table *table, uint64_t job);

#endif
