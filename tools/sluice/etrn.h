/*
 * tools/sluice/etrn.h - orders to the delivering sendmail: ETRN (RFC 1985)
 * over its UNIX socket.
 *
 * One connection is kept open and greeted, so that an order costs one line;
 * it is renewed after ETRN_PER_SESSION orders, since sendmail answers more
 * of them slowly (its guard against floods of commands).
 */
#ifndef SLUICE_TOOLS_ETRN_H
#define SLUICE_TOOLS_ETRN_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct etrn;

/* sendmail slows a session down from its 9th on (docs/decisions/0003). */
#define ETRN_PER_SESSION 6

enum etrn_news {
	ETRN_READY,   /* etrn_order() may be called */
	ETRN_ORDERED, /* the order was taken: a queue run starts */
	ETRN_LOST,    /* no connection (any more): an order under way is void */
};

/* text: the reply or the reason, one line, valid during the call. */
typedef void etrn_fn(void *arg, enum etrn_news news, const char *text);

/*
 * Connect, and connect again for ever (pauses 50 ms ... 1 s).  group: the
 * queue group to run; both strings are borrowed.
 */
struct etrn *etrn_new(struct event_base *base, const char *socket_path,
    const char *group, etrn_fn *fn, void *arg);
struct etrn *etrn_free(struct etrn *etrn);

/* Ready for an order? */
bool etrn_is_ready(const struct etrn *etrn);

/* Give the order.  Does not block; news follow.  Must be ready. */
void etrn_order(struct etrn *etrn);

#endif
