#include "feed/load.h"

#include "common/io.h"
#include "feed/model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <uthash.h>

#define ID_SIZE 40

struct item {
	TAILQ_ENTRY(item) link; /* in its lane, oldest first */
	UT_hash_handle hh;
	uint64_t usec; /* what it added to its lane's sum */
	uint32_t lane;
	uint32_t mark; /* the lane's when it was placed or last seen */
	enum load_kind kind;
	bool serving;
	char id[ID_SIZE];
};

TAILQ_HEAD(items, item);

/* The first serving items of the list are in service, the rest wait. */
struct lane_load {
	struct items items;
	struct item *first_waiting; /* NULL: none */
	size_t count, serving;
	struct load_sum sum;
	size_t reported; /* in service, as the worker said last */
	uint32_t mark;
};

struct load {
	size_t lanes, slots;
	struct line prior;
	struct model all; /* every kind: what a kind is drawn to */
	struct model kinds[LOAD_UNKNOWN];
	struct item *by_id;
	struct lane_load lane[];
};

enum load_kind
load_kind_of(const char *content_type)
{
	if (!*content_type || strncasecmp(content_type, "text/", 5) == 0)
		return LOAD_TEXT;
	if (strncasecmp(content_type, "multipart/", 10) == 0 ||
	    strncasecmp(content_type, "message/", 8) == 0)
		return LOAD_MULTIPART;
	return LOAD_OTHER;
}

struct load *
load_new(size_t lanes, size_t slots, struct load_prior prior)
{
	struct load *load;

	assert(lanes > 0 && slots > 0);
	load = xcalloc(1, sizeof(*load) + lanes * sizeof(load->lane[0]));
	load->lanes = lanes;
	load->slots = slots;
	load->prior.fixed_usec = prior.fixed_usec;
	load->prior.usec_per_byte = prior.usec_per_byte;
	model_init(&load->all, load->prior);
	for (size_t i = 0; i < LOAD_UNKNOWN; i++)
		model_init(&load->kinds[i], load->prior);
	for (size_t i = 0; i < lanes; i++)
		TAILQ_INIT(&load->lane[i].items);
	return load;
}

struct load *
load_free(struct load *load)
{
	struct item *item, *next;

	if (!load)
		return NULL;
	HASH_ITER (hh, load->by_id, item, next) {
		HASH_DEL(load->by_id, item);
		free(item);
	}
	free(load);
	return NULL;
}

static struct item *
item_find(const struct load *load, const char *id)
{
	struct item *item;

	HASH_FIND_STR(load->by_id, id, item);
	return item;
}

/* Move the border between waiting and in service by one message. */
static void
border_forward(struct lane_load *lane)
{
	struct item *item = lane->first_waiting;

	item->serving = true;
	lane->serving++;
	load_sum_begin(&lane->sum, item->usec);
	lane->sum.left_usec += item->usec;
	lane->first_waiting = TAILQ_NEXT(item, link);
}

static void
border_back(struct lane_load *lane)
{
	struct item *item = lane->first_waiting
				? TAILQ_PREV(lane->first_waiting, items, link)
				: TAILQ_LAST(&lane->items, items);

	item->serving = false;
	lane->serving--;
	lane->sum.left_usec -= item->usec;
	load_sum_wait(&lane->sum, item->usec);
	lane->first_waiting = item;
}

/* One step for each message that came or went since: constant on average. */
static void
border_settle(struct lane_load *lane)
{
	while (lane->serving < lane->reported && lane->first_waiting)
		border_forward(lane);
	while (lane->serving > lane->reported)
		border_back(lane);
}

static void
item_remove(struct load *load, struct item *item)
{
	struct lane_load *lane = &load->lane[item->lane];

	if (item->serving) {
		lane->serving--;
		lane->sum.left_usec -= item->usec;
	} else {
		load_sum_begin(&lane->sum, item->usec);
		if (lane->first_waiting == item)
			lane->first_waiting = TAILQ_NEXT(item, link);
	}
	lane->count--;
	TAILQ_REMOVE(&lane->items, item, link);
	HASH_DEL(load->by_id, item);
	free(item);
}

uint64_t
load_predict(const struct load *load, enum load_kind kind, uint64_t bytes)
{
	const struct model *model =
	    kind < LOAD_UNKNOWN ? &load->kinds[kind] : &load->all;

	return line_predict(model->line, bytes);
}

void
load_place(struct load *load, const char *id, size_t lane, enum load_kind kind,
    uint64_t bytes)
{
	struct lane_load *to = &load->lane[lane];
	struct item *item = item_find(load, id);

	assert(lane < load->lanes && strlen(id) < ID_SIZE);
	if (item)
		item_remove(load, item);
	item = xcalloc(1, sizeof(*item));
	(void)snprintf(item->id, sizeof(item->id), "%s", id);
	item->usec = load_predict(load, kind, bytes);
	item->lane = (uint32_t)lane;
	item->mark = to->mark;
	item->kind = kind;
	HASH_ADD_STR(load->by_id, id, item);
	TAILQ_INSERT_TAIL(&to->items, item, link);
	to->count++;
	load_sum_wait(&to->sum, item->usec);
	if (!to->first_waiting)
		to->first_waiting = item;
}

void
load_finished(
    struct load *load, const char *id, uint64_t bytes, uint64_t service_usec)
{
	struct item *item = item_find(load, id);
	enum load_kind kind = item ? item->kind : LOAD_UNKNOWN;

	model_learn(&load->all, load->prior, bytes, service_usec);
	if (kind != LOAD_UNKNOWN)
		model_learn(
		    &load->kinds[kind], load->all.line, bytes, service_usec);
	if (item)
		item_remove(load, item);
}

bool
load_left(struct load *load, const char *id)
{
	struct item *item = item_find(load, id);

	if (item)
		item_remove(load, item);
	return item != NULL;
}

void
load_serving(struct load *load, size_t lane, size_t count, struct mono since)
{
	struct lane_load *l = &load->lane[lane];

	l->sum.left_at = since; /* left_usec follows the border */
	l->reported = count;
	border_settle(l);
}

uint64_t
load_empty_usec(const struct load *load, size_t lane, struct mono now)
{
	const struct lane_load *l = &load->lane[lane];
	uint64_t least = l->sum.waiting_usec + l->serving * load->slots;
	uint64_t usec = load_sum_usec(&l->sum, now);

	return (usec > least ? usec : least) / load->slots;
}

size_t
load_count(const struct load *load, size_t lane)
{
	return load->lane[lane].count;
}

bool
load_waiting(const struct load *load, size_t lane, size_t nth,
    struct load_waiting *ret_waiting)
{
	const struct item *item = load->lane[lane].first_waiting;

	while (item && nth-- > 0)
		item = TAILQ_NEXT(item, link);
	if (!item)
		return false;
	*ret_waiting = (struct load_waiting){item->id, item->kind, item->usec};
	return true;
}

void
load_mark(struct load *load, size_t lane)
{
	load->lane[lane].mark++;
}

bool
load_seen(struct load *load, const char *id, size_t lane)
{
	struct item *item = item_find(load, id);

	if (!item || item->lane != lane)
		return false;
	item->mark = load->lane[lane].mark;
	return true;
}

size_t
load_sweep(struct load *load, size_t lane)
{
	struct lane_load *l = &load->lane[lane];
	struct item *item = TAILQ_FIRST(&l->items), *next;
	size_t dropped = 0;

	for (; item; item = next) {
		next = TAILQ_NEXT(item, link);
		if (item->mark == l->mark)
			continue;
		item_remove(load, item);
		dropped++;
	}
	return dropped;
}

struct line
load_line(const struct load *load)
{
	return load->all.line;
}
