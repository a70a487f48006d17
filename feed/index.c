#include "feed/index.h"

#include "common/io.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

enum state {
	READY,
	RETRY, /* parked, and its turn has come */
	PARKED,
	HELD,
	QUEUED,
	TAKEN,
	STATES
};

struct entry {
	TAILQ_ENTRY(entry) link; /* in its state's list, but for TAKEN */
	UT_hash_handle hh;
	enum state state;
	bool deaf;
	bool reported;
	char id[QUEUE_ID_MAX + 1];
};

TAILQ_HEAD(entries, entry);

struct index {
	struct entry *by_id;
	struct entries lists[STATES];
	size_t counts[STATES];
};

struct index *
index_new(void)
{
	struct index *index = xcalloc(1, sizeof(*index));

	for (int i = 0; i < STATES; i++)
		TAILQ_INIT(&index->lists[i]);
	return index;
}

struct index *
index_free(struct index *index)
{
	struct entry *entry, *next;

	if (!index)
		return NULL;
	HASH_ITER (hh, index->by_id, entry, next) {
		HASH_DEL(index->by_id, entry);
		free(entry);
	}
	free(index);
	return NULL;
}

static struct entry *
entry_find(const struct index *index, const char *id)
{
	struct entry *entry;

	HASH_FIND_STR(index->by_id, id, entry);
	return entry;
}

static void
entry_unlist(struct index *index, struct entry *entry)
{
	TAILQ_REMOVE(&index->lists[entry->state], entry, link);
	index->counts[entry->state]--;
}

static void
entry_list(struct index *index, struct entry *entry, enum state state)
{
	entry->state = state;
	TAILQ_INSERT_TAIL(&index->lists[state], entry, link);
	index->counts[state]++;
}

static struct entry *
entry_new(struct index *index, const char *id)
{
	struct entry *entry = xcalloc(1, sizeof(*entry));

	assert(*id && strlen(id) <= QUEUE_ID_MAX);
	(void)snprintf(entry->id, sizeof(entry->id), "%s", id);
	HASH_ADD_STR(index->by_id, id, entry);
	entry_list(index, entry, READY);
	return entry;
}

void
index_wake(struct index *index, const char *id)
{
	struct entry *entry = entry_find(index, id);

	if (!entry) {
		(void)entry_new(index, id);
	} else if (entry->state == RETRY ||
		   (entry->state == PARKED && !entry->deaf)) {
		entry_unlist(index, entry);
		entry_list(index, entry, READY);
	}
}

void
index_add(struct index *index, const char *id)
{
	if (!entry_find(index, id))
		(void)entry_new(index, id);
}

bool
index_take(struct index *index, char *ret_id, bool *ret_retry)
{
	struct entry *entry = TAILQ_FIRST(&index->lists[READY]);

	if (!entry)
		entry = TAILQ_FIRST(&index->lists[RETRY]);
	if (!entry)
		return false;
	*ret_retry = entry->state == RETRY;
	memcpy(ret_id, entry->id, sizeof(entry->id));
	entry_unlist(index, entry);
	entry->state = TAKEN;
	index->counts[TAKEN]++;
	return true;
}

static struct entry *
entry_taken(struct index *index, const char *id)
{
	struct entry *entry = entry_find(index, id);

	assert(entry && entry->state == TAKEN);
	index->counts[TAKEN]--;
	return entry;
}

void
index_forget(struct index *index, const char *id)
{
	struct entry *entry = entry_taken(index, id);

	HASH_DEL(index->by_id, entry);
	free(entry);
}

void
index_park(struct index *index, const char *id, bool deaf)
{
	struct entry *entry = entry_taken(index, id);

	entry->deaf = deaf;
	entry_list(index, entry, PARKED);
}

bool
index_has(const struct index *index, const char *id)
{
	return entry_find(index, id) != NULL;
}

void
index_hold(struct index *index, const char *id)
{
	entry_list(index, entry_taken(index, id), HELD);
}

void
index_queue(struct index *index, const char *id)
{
	entry_list(index, entry_taken(index, id), QUEUED);
}

void
index_call(struct index *index, const char *id)
{
	struct entry *entry = entry_find(index, id);

	assert(entry && entry->state == QUEUED);
	entry_unlist(index, entry);
	entry->state = TAKEN;
	index->counts[TAKEN]++;
}

bool
index_first_report(struct index *index, const char *id)
{
	struct entry *entry = entry_find(index, id);
	bool first = entry && !entry->reported;

	if (entry)
		entry->reported = true;
	return first;
}

void
index_retry_all(struct index *index)
{
	index_retry_last(index, SIZE_MAX);
}

void
index_retry_last(struct index *index, size_t n)
{
	struct entry *entry;

	while (
	    n-- > 0 && (entry = TAILQ_LAST(&index->lists[PARKED], entries))) {
		entry_unlist(index, entry);
		entry->state = RETRY;
		TAILQ_INSERT_HEAD(&index->lists[RETRY], entry, link);
		index->counts[RETRY]++;
	}
}

/* All of one state become ready, in front of the others, in their order. */
static void
make_ready(struct index *index, enum state state)
{
	struct entry *entry;

	while ((entry = TAILQ_LAST(&index->lists[state], entries))) {
		entry_unlist(index, entry);
		entry->state = READY;
		TAILQ_INSERT_HEAD(&index->lists[READY], entry, link);
		index->counts[READY]++;
	}
}

void
index_release(struct index *index)
{
	make_ready(index, HELD);
}

void
index_unqueue(struct index *index)
{
	make_ready(index, QUEUED);
}

bool
index_has_work(const struct index *index)
{
	return index->counts[READY] + index->counts[RETRY] > 0;
}

struct index_counts
index_count(const struct index *index)
{
	return (struct index_counts){
	    .ready = index->counts[READY],
	    .queued = index->counts[QUEUED],
	    .parked = index->counts[PARKED] + index->counts[RETRY],
	    .held = index->counts[HELD],
	};
}
