#include "worker/lot.h"

#include "common/io.h"
#include "queues/qf.h"

#include <stdio.h>
#include <stdlib.h>

#define SUSPECT_FIRST_USEC (250 * USEC_PER_MSEC)

void
lot_init(struct lot *lot)
{
	*lot = (struct lot){0};
	TAILQ_INIT(&lot->waiting);
	TAILQ_INIT(&lot->judged);
	TAILQ_INIT(&lot->lengthy);
	TAILQ_INIT(&lot->done);
	lot->clock = mono_now();
}

static struct item_head *
head_of(struct lot *lot, enum item_list list, size_t **ret_count)
{
	switch (list) {
	case ITEM_JUDGED:
		*ret_count = &lot->n_judged;
		return &lot->judged;
	case ITEM_LONG:
		*ret_count = &lot->n_long;
		return &lot->lengthy;
	case ITEM_DONE:
		*ret_count = &lot->n_done;
		return &lot->done;
	case ITEM_WAITING:
	default:
		*ret_count = &lot->n_waiting;
		return &lot->waiting;
	}
}

static void
take_out(struct lot *lot, struct item *item)
{
	size_t *count;
	struct item_head *head = head_of(lot, item->list, &count);

	TAILQ_REMOVE(head, item, link);
	(*count)--;
	if (item->list == ITEM_JUDGED && item->is_suspect)
		lot->n_suspects--;
}

static void
put_in(struct lot *lot, struct item *item, enum item_list list)
{
	size_t *count;
	struct item_head *head = head_of(lot, list, &count);

	item->list = list;
	TAILQ_INSERT_TAIL(head, item, link);
	(*count)++;
	if (list == ITEM_JUDGED && item->is_suspect)
		lot->n_suspects++;
}

void
lot_put(struct lot *lot, struct item *item, enum item_list list)
{
	lot_clock(lot, mono_now()); /* n_judged may change */
	take_out(lot, item);
	put_in(lot, item, list);
}

struct item *
lot_find(const struct lot *lot, const char *id)
{
	struct item *item;

	HASH_FIND_STR(lot->by_id, id, item);
	return item;
}

struct item *
lot_find_job(const struct lot *lot, uint64_t job)
{
	struct item *item;

	TAILQ_FOREACH (item, &lot->judged, link) /* at most worker.in_flight */
		if (item->job == job)
			return item;
	TAILQ_FOREACH (item, &lot->lengthy, link) /* detonate.waiting */
		if (item->job == job)
			return item;
	return NULL;
}

struct item *
lot_see(struct lot *lot, const char *id)
{
	struct item *item = lot_find(lot, id);

	if (item)
		return item;
	item = xcalloc(1, sizeof(*item));
	(void)snprintf(item->id, sizeof(item->id), "%s", id);
	item->claim.qf_fd = -1;
	item->is_fresh = true;
	HASH_ADD_STR(lot->by_id, id, item);
	put_in(lot, item, ITEM_WAITING);
	return item;
}

uint64_t
lot_suspect_pause(uint32_t begun, uint64_t most)
{
	const uint32_t doubled = begun < 18 ? begun : 18;
	uint64_t pause;

	if (begun < 2)
		return 0;
	pause = SUSPECT_FIRST_USEC << (doubled - 2);
	return pause < most ? pause : most;
}

struct item *
lot_next(const struct lot *lot, struct mono now, struct mono *ret_next)
{
	struct item *item;

	*ret_next = (struct mono){0};
	TAILQ_FOREACH (item, &lot->waiting, link) {
		if (item->not_before.usec <= now.usec)
			return item;
		if (ret_next->usec == 0 ||
		    item->not_before.usec < ret_next->usec)
			*ret_next = item->not_before;
	}
	return NULL;
}

void
item_unclaim(struct item *item)
{
	claim_drop(&item->claim);
	item->qf = qf_free(item->qf);
	free(item->line);
	item->line = NULL;
	free(item->warning);
	item->warning = NULL;
}

void
lot_forget(struct lot *lot, struct item *item)
{
	lot_clock(lot, mono_now());
	take_out(lot, item);
	HASH_DEL(lot->by_id, item);
	item_unclaim(item);
	free(item);
}

void
lot_clock(struct lot *lot, struct mono now)
{
	if (lot->n_judged > 0)
		lot->share += mono_span(lot->clock, now) / lot->n_judged;
	lot->clock = now;
}
