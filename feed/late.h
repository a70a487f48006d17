/*
 * feed/late.h - messages that wait in in/ until a worker is free for them:
 * one heap for each class of size, least due time first (feed_due()).
 *
 * Adding and taking cost the logarithm of what waits.  A message takes 80
 * octets here.  Pure: no clock, no input or output.
 */
#ifndef SLUICE_FEED_LATE_H
#define SLUICE_FEED_LATE_H

#include "feed/sort.h"
#include "queues/spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct late;

struct late_message {
	char id[QUEUE_ID_MAX + 1];
	uint64_t bytes;        /* qf + df */
	uint64_t arrived_usec; /* wall clock */
	uint64_t service_usec; /* as predicted when it was seen */
};

/* Never fail but for memory, as does no function here. */
struct late *late_new(const struct feed_limits *limits, uint64_t patience);
struct late *late_free(struct late *late);

/* New limits or another patience (feed_due()): everything is sorted anew. */
void late_sort(
    struct late *late, const struct feed_limits *limits, uint64_t patience);

/* It must not be here already. */
void late_add(struct late *late, const struct late_message *message);

/*
 * For feed_take(): when the head of each class is due, UINT64_MAX where there
 * is none.  limits->lanes values.
 */
void late_heads(const struct late *late, uint64_t *ret_due_usec);

/* Take the head of class; of equals what was added first.  false: none. */
bool late_take(
    struct late *late, size_t class, struct late_message *ret_message);

size_t late_count(const struct late *late);
/* The predicted service of all of them. */
uint64_t late_work_usec(const struct late *late);

/* Forget all of them. */
void late_clear(struct late *late);

#endif
