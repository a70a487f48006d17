/*
 * flow/rpc/answer_priv.h - what the methods of XML-RPC share.
 */
#ifndef SLUICE_FLOW_RPC_ANSWER_PRIV_H
#define SLUICE_FLOW_RPC_ANSWER_PRIV_H

#include "common/words.h"
#include "flow/feature.h"
#include "flow/rpc/answer.h"
#include "flow/rpc/call.h"
#include "flow/rpc/out.h"
#include "flow/text.h"

/* A method: its answer, which rpc_answer() ends. */
typedef struct rpc_out *rpc_method(
    const struct rpc_site *site, const struct rpc_call *call);

rpc_method rpc_query, rpc_judge, rpc_stats;
rpc_method rpc_classify, rpc_learn, rpc_retrain, rpc_status;

/* A fault as an answer. */
struct rpc_out *rpc_fault(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Nobody answers: a fault that says who. */
struct rpc_out *rpc_absent(enum rpc_whom whom, int r);

/* A connection to be judged. */
struct rpc_flow {
	double x[FLOW_FEATURES];        /* NAN: missing */
	char client[FLOW_ADDRESS_TEXT]; /* "": unknown */
	unsigned int port;              /* 0: unknown */
	double start;                   /* seconds since 1970, NAN: unknown */
	double ttl;                     /* NAN: unknown */
};

/*
 * The opinion of it, as members of the struct that is open.  Returns 0 or
 * -errno: nobody answers, and nothing was written.
 */
int rpc_put_opinion(const struct rpc_site *site, const struct rpc_flow *flow,
    struct rpc_out *out);

#endif
