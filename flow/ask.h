/*
 * flow/ask.h - questions about flows, and their answers, as text.
 *
 * One packet of a SOCK_SEQPACKET socket is a question, one its answer:
 *
 *   client=192.0.2.7 port=40312 queue=4ATNw3aB001234 id=<a@example>
 *
 * Words in any order, at least the client with its port, the queue id or the
 * Message-ID; that order is the order of trust.  The answer:
 *
 *   found by=client ordinal=1 messages=1 state=open secret=0 approximate=0
 *     client=192.0.2.7 port=40312 start=1700000000.000000000
 *     at=1700000001.500000000 ttl=57 pkts_in=12 ...
 *   none reason=unknown
 *
 * in one line, client and port those of the flow, ttl (or hop limit) of its
 * first packet unless that is unknown, features by the names of
 * flow/features.def, "null" if missing. ordinal 0: the features are those of
 * the flow, not of the moment when a message had arrived.  by: client, queue,
 * id.  Reasons: unknown (no such flow is known), ambiguous (several connections
 * carry that Message-ID), bad-question.
 */
#ifndef SLUICE_FLOW_ASK_H
#define SLUICE_FLOW_ASK_H

#include "flow/records.h"
#include "flow/table.h"

#define FLOW_ASK_MAX    1024
#define FLOW_ANSWER_MAX 2048

/* 0, or -EINVAL: it is none.  not_before_nsec is left alone. */
int flow_ask_parse(
    const char *text, size_t n, struct flow_question *ret_question);

/* A record of a flow as it is; ordinal 0. */
void flow_record_of(
    const struct flow *flow, enum flow_end end, struct flow_record *ret_record);

/*
 * Answer into buf of FLOW_ANSWER_MAX octets.  Returns its length; *ret_by is
 * how the flow was found.
 */
size_t flow_answer(struct flow_table *table, const struct flow_records *records,
    const struct flow_question *question, char *buf, enum flow_by *ret_by);

#endif
