/*
 * flow/rpc/http.h - XML-RPC over HTTP: connections in, one question each.
 *
 * libmicrohttpd's types stop here.  Whatever clients do, there are at most
 * RPC_CONNECTIONS_MAX of them, for RPC_PATIENCE_USEC each: a further one
 * pushes out the oldest.
 */
#ifndef SLUICE_FLOW_RPC_HTTP_H
#define SLUICE_FLOW_RPC_HTTP_H

#include "flow/rpc/answer.h"

#include "common/clock.h"

#define RPC_CONNECTIONS_MAX 64
/* From accept(2) to the end, in all. */
#define RPC_PATIENCE_USEC (5 * USEC_PER_SEC)

struct event_base;
struct rpc_http;

/*
 * A socket that listens on loopback, 127.0.0.1 or (is_v6) ::1, non-blocking,
 * close-on-exec.  Returns it or -errno as socket(2), bind(2).
 */
int rpc_listen(bool is_v6, uint16_t port);

/*
 * Serve in the loop of base, which with site must outlive it.  Returns it, or
 * NULL with errno.
 */
struct rpc_http *rpc_http_new(
    struct event_base *base, const struct rpc_site *site);
/* Ends all connections.  NULL is allowed.  Returns NULL. */
struct rpc_http *rpc_http_free(struct rpc_http *http);

/* Accept from a socket of rpc_listen(), which is borrowed; two at most. */
void rpc_http_listen(struct rpc_http *http, int fd);

/* Serve a connection, non-blocking, which is the server's from now on. */
void rpc_http_take(struct rpc_http *http, int fd);

/* How many there are now. */
size_t rpc_http_connections(const struct rpc_http *http);

#endif
