/*
 * flow/rpc/answer.h - from a call of XML-RPC to its answer: the methods, over
 * the questions of flow/ask.h and of what judges connections.
 *
 *   spamflow.query(client_ip, client_port, msgid[, queue])
 *   spamflow.judge(client_ip, client_port, msgid[, queue])
 *   spamflow.stats()
 *   classifier.classify(features[, client_ip])
 *   classifier.learn(features, label[, weight[, client_ip]])
 *   classifier.retrain()
 *   classifier.status()
 *   system.listMethods()
 *
 * docs/flow.md says what each takes and gives.  Pure but for its memory and
 * what the site does.
 */
#ifndef SLUICE_FLOW_RPC_ANSWER_H
#define SLUICE_FLOW_RPC_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fault codes, of the "Specification for Fault Code Interoperability". */
#define RPC_FAULT_PARSE   (-32700)
#define RPC_FAULT_METHOD  (-32601)
#define RPC_FAULT_PARAMS  (-32602)
#define RPC_FAULT_REFUSED (-32500)
#define RPC_FAULT_ABSENT  (-32300) /* who is to be asked doesn't answer */

/* Octets of a question and of an answer, its NUL counted. */
#define RPC_QUESTION_MAX 2048
#define RPC_ANSWER_MAX   2049

enum rpc_whom {
	RPC_FLOW,  /* sluice-flow, flow/ask.h */
	RPC_LEARN, /* who keeps the learner; docs/flow.md, "Judging" */
	RPC_WHOMS
};

/* What the methods need of the world. */
struct rpc_site {
	void *arg;
	/*
	 * Ask; answer (RPC_ANSWER_MAX octets) becomes a text of one line.
	 * Returns 0, or -errno: there is no answer.  May block for as long as
	 * the site allows.
	 */
	int (*ask)(
	    void *arg, enum rpc_whom whom, const char *question, char *answer);
	/* The i-th counter of sluice-flow from 0; false: there is none. */
	bool (*counter)(
	    void *arg, size_t i, const char **ret_name, uint64_t *ret_value);
	bool may_teach; /* classifier.learn and retrain are allowed */
};

/*
 * Answer a call of n octets; whatever they are, the answer is one of XML-RPC,
 * a value or a fault.  Returns its text, which the caller frees.
 */
char *rpc_answer(
    const struct rpc_site *site, const char *xml, size_t n, size_t *ret_n);

#endif
