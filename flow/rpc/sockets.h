/*
 * flow/rpc/sockets.h - asks sluice-flow and the learner by their local
 * sockets, and reads sluice-flow's counters.
 *
 * Both are connected to once, before the sandbox, which leaves no way to open
 * a socket.  When one of them is there anew this process has to begin anew.
 */
#ifndef SLUICE_FLOW_RPC_SOCKETS_H
#define SLUICE_FLOW_RPC_SOCKETS_H

#include "flow/rpc/answer.h"

/* How long one answer is waited for, and how long nobody is asked who had
 * none: so what hangs makes one caller wait, not all. */
#define RPC_ASK_USEC   200000
#define RPC_PAUSE_USEC 1000000

struct rpc_sockets;

/* Connect to what is there.  runtime: site.runtime, borrowed. */
struct rpc_sockets *rpc_sockets_new(const char *runtime);
struct rpc_sockets *rpc_sockets_free(struct rpc_sockets *sockets);

/* Does somebody else listen now than when it was connected? */
bool rpc_sockets_are_old(const struct rpc_sockets *sockets);

/*
 * As struct rpc_site has them; arg is the sockets.  -ENOTCONN: nobody was
 * there at the start; -ETIMEDOUT: no answer in time, now or a moment ago; else
 * -errno as send(2), recv(2).
 */
int rpc_sockets_ask(
    void *arg, enum rpc_whom whom, const char *question, char *answer);
bool rpc_sockets_counter(
    void *arg, size_t i, const char **ret_name, uint64_t *ret_value);

#endif
