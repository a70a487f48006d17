/*
 * vmm/pool_loop.h - a pool in a libevent loop: its descriptors, its clock,
 * and the memory that is available (/proc/meminfo).
 */
#ifndef SLUICE_VMM_POOL_LOOP_H
#define SLUICE_VMM_POOL_LOOP_H

#include "vmm/pool.h"

struct event_base;
struct pool_loop;

/* What pool_ear's said() is given. */
typedef void pool_said_fn(
    void *arg, uint32_t slot, const char *reference, const char *text);

/* meminfo: a descriptor of /proc/meminfo, taken over; -1: memory is not
 * asked for, and clones are bounded by their number alone. */
struct pool_loop *pool_loop_new(struct event_base *base,
    const struct pool_limits *limits, int meminfo, pool_said_fn *said,
    void *arg);
/* As pool_free(). */
struct pool_loop *pool_loop_free(struct pool_loop *loop);

/* After each call of the pool's functions call pool_loop_poke(). */
struct pool *pool_loop_pool(struct pool_loop *loop);
void pool_loop_poke(struct pool_loop *loop);

/* MemAvailable out of /proc/meminfo's text in octets; 0: it isn't there. */
uint64_t pool_loop_available(const char *meminfo);

#endif
