/*
 * worker/fetch_get.h - the file behind one link, hop by hop: its name is
 * looked up, every address of it checked, HEAD asked, then GET; each redirect
 * is one more link under the same rules.
 */
#ifndef SLUICE_WORKER_FETCH_GET_H
#define SLUICE_WORKER_FETCH_GET_H

#include "worker/fetch_address.h"
#include "worker/wire.h"

#include <stdbool.h>

struct conf;
struct event_base;
struct evdns_base;
struct fetch_get;
struct web;

/* What all share. */
struct fetch_net {
	struct event_base *base;
	const struct conf *conf;
	struct evdns_base *dns;
	struct web *web;
	struct address_rule rule;
	bool is_own; /* addresses are the site's own: any path, any words */
};

/*
 * Open it: reads the system's name servers and hosts file, so before the
 * sandbox closes.  It stays until the process ends.  Returns 0; -EINVAL with
 * err: links.allow or links.refuse is wrong; or -errno.
 */
int fetch_net_open(struct fetch_net *net, struct event_base *base,
    const struct conf *conf, char *err, size_t err_size);

/* fetched->number is 0.  fd: the file, not sealed, or -1; borrowed. */
typedef void fetch_get_done(
    void *arg, const struct wire_fetched *fetched, int fd);

/*
 * Get what url leads to.  done comes once, within conf links.timeout, never
 * before this returns.  Does not block.
 */
struct fetch_get *fetch_get_new(
    struct fetch_net *net, const char *url, fetch_get_done *done, void *arg);

#endif
