#include "flow/records.h"

#include "flow/hash.h"

#include "common/io.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

enum by { BY_CLIENT, BY_QUEUE, BY_ID, BYS };

struct slot {
	struct flow_record record;
	uint32_t next[BYS]; /* in its bucket; newest first */
};

struct flow_records {
	struct slot *slots;
	uint32_t *buckets[BYS];
	uint32_t mask, room, n, newest;
	struct flow_hash_key key;
};

struct flow_records *
flow_records_new(uint32_t n)
{
	struct flow_records *r = xcalloc(1, sizeof(*r));
	uint32_t buckets = 16;

	assert(n > 0);
	while (buckets < n)
		buckets *= 2;
	r->slots = xcalloc(n, sizeof(*r->slots));
	for (int by = 0; by < BYS; by++) {
		r->buckets[by] = xcalloc(buckets, sizeof(uint32_t));
		memset(r->buckets[by], 0xff, buckets * sizeof(uint32_t));
	}
	r->mask = buckets - 1;
	r->room = n;
	r->newest = n - 1;
	r->key = flow_hash_key_new();
	return r;
}

struct flow_records *
flow_records_free(struct flow_records *r)
{
	if (!r)
		return NULL;
	for (int by = 0; by < BYS; by++)
		free(r->buckets[by]);
	free(r->slots);
	free(r);
	return NULL;
}

static uint32_t *
bucket(const struct flow_records *r, enum by by, const void *octets, size_t n)
{
	return &r->buckets[by][flow_hash(r->key, octets, n) & r->mask];
}

static uint32_t *
client_bucket(
    const struct flow_records *r, const uint8_t address[16], uint16_t port)
{
	uint8_t octets[18];

	memcpy(octets, address, 16);
	memcpy(octets + 16, &port, 2);
	return bucket(r, BY_CLIENT, octets, sizeof(octets));
}

/* NULL: the record hasn't that key. */
static uint32_t *
bucket_of(
    const struct flow_records *r, enum by by, const struct flow_record *record)
{
	if (by == BY_CLIENT)
		return client_bucket(
		    r, record->client_address, record->client_port);
	if (by == BY_QUEUE)
		return record->has_queue
			   ? bucket(r, by, &record->queue, FLOW_KEY_BYTES)
			   : NULL;
	return record->has_id ? bucket(r, by, &record->id, FLOW_KEY_BYTES)
			      : NULL;
}

static void
take_out(struct flow_records *r, uint32_t i)
{
	for (int by = 0; by < BYS; by++) {
		uint32_t *link = bucket_of(r, (enum by)by, &r->slots[i].record);

		if (!link)
			continue;
		while (*link != i)
			link = &r->slots[*link].next[by];
		*link = r->slots[i].next[by];
	}
}

static void
put_in(struct flow_records *r, uint32_t i)
{
	for (int by = 0; by < BYS; by++) {
		uint32_t *link = bucket_of(r, (enum by)by, &r->slots[i].record);

		if (!link)
			continue;
		r->slots[i].next[by] = *link;
		*link = i;
	}
}

static bool
is_same_flow(const struct flow_record *a, const struct flow_record *b)
{
	return a->start_nsec == b->start_nsec &&
	       a->client_port == b->client_port &&
	       a->server_port == b->server_port &&
	       memcmp(a->client_address, b->client_address, 16) == 0 &&
	       memcmp(a->server_address, b->server_address, 16) == 0;
}

static uint32_t
find_same(const struct flow_records *r, const struct flow_record *record)
{
	uint32_t i = *bucket_of(r, BY_CLIENT, record);

	while (i != NONE && !(is_same_flow(&r->slots[i].record, record) &&
				r->slots[i].record.ordinal == record->ordinal))
		i = r->slots[i].next[BY_CLIENT];
	return i;
}

void
flow_records_put(struct flow_records *r, const struct flow_record *record)
{
	uint32_t i = find_same(r, record);

	if (i != NONE) {
		take_out(r, i);
	} else {
		i = r->newest = (r->newest + 1) % r->room;
		if (r->n == r->room)
			take_out(r, i);
		else
			r->n++;
	}
	r->slots[i].record = *record;
	put_in(r, i);
}

const struct flow_record *
flow_records_same(
    const struct flow_records *r, const struct flow_record *record)
{
	const uint32_t i = find_same(r, record);

	return i == NONE ? NULL : &r->slots[i].record;
}

static bool
is_of_client(const struct flow_record *record, const struct packet_end *client)
{
	return record->client_port == client->port &&
	       memcmp(record->client_address, client->address, 16) == 0;
}

/* The newest of the client's that fits. */
static const struct flow_record *
of_client(const struct flow_records *r, const struct flow_question *q,
    bool is_message, const struct flow_key *queue, const struct flow_key *id)
{
	uint32_t i = *client_bucket(r, q->client.address, q->client.port);

	for (; i != NONE; i = r->slots[i].next[BY_CLIENT]) {
		const struct flow_record *record = &r->slots[i].record;

		if (record->at_nsec < q->not_before_nsec ||
		    !is_of_client(record, &q->client) ||
		    (record->ordinal > 0) != is_message)
			continue;
		if (queue && !(record->has_queue &&
				 flow_key_is_same(&record->queue, queue)))
			continue;
		if (id &&
		    !(record->has_id && flow_key_is_same(&record->id, id)))
			continue;
		return record;
	}
	return NULL;
}

const struct flow_record *
flow_records_message(
    const struct flow_records *r, const struct flow_question *q)
{
	const struct flow_record *found = NULL;

	if (!q->has_client)
		return NULL;
	if (q->has_queue)
		found = of_client(r, q, true, &q->queue, NULL);
	if (!found && q->has_id)
		found = of_client(r, q, true, NULL, &q->id);
	return found;
}

const struct flow_record *
flow_records_flow(const struct flow_records *r, const struct flow_question *q)
{
	return q->has_client ? of_client(r, q, false, NULL, NULL) : NULL;
}

static const struct flow_record *
by_key(const struct flow_records *r, const struct flow_question *q, enum by by,
    const struct flow_key *key, bool *ret_ambiguous)
{
	uint32_t i = *bucket(r, by, key, FLOW_KEY_BYTES);
	const struct flow_record *found = NULL;

	for (; i != NONE; i = r->slots[i].next[by]) {
		const struct flow_record *record = &r->slots[i].record;

		if (record->at_nsec < q->not_before_nsec ||
		    !flow_key_is_same(
			by == BY_QUEUE ? &record->queue : &record->id, key))
			continue;
		if (!found)
			found = record;
		else if (!is_same_flow(found, record))
			*ret_ambiguous = true;
	}
	return found;
}

const struct flow_record *
flow_records_by_key(const struct flow_records *r, const struct flow_question *q,
    enum flow_by *ret_by)
{
	const struct flow_record *found = NULL;
	bool is_ambiguous = false;

	*ret_by = FLOW_BY_QUEUE;
	if (q->has_queue)
		found = by_key(r, q, BY_QUEUE, &q->queue, &is_ambiguous);
	if (!found && q->has_id) {
		*ret_by = FLOW_BY_ID;
		found = by_key(r, q, BY_ID, &q->id, &is_ambiguous);
	}
	if (!found || is_ambiguous)
		*ret_by = is_ambiguous ? FLOW_BY_AMBIGUOUS : FLOW_BY_NOTHING;
	return is_ambiguous ? NULL : found;
}

uint32_t
flow_records_count(const struct flow_records *r)
{
	return r->n;
}
