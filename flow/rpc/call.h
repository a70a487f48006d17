/*
 * flow/rpc/call.h - a call of XML-RPC, from text to values.
 *
 * expat's types stop here.  Pure.  A document type, and with it every entity
 * of a caller's own, is refused where it begins.
 */
#ifndef SLUICE_FLOW_RPC_CALL_H
#define SLUICE_FLOW_RPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest call, in octets; one that classifies has 1,500. */
#define RPC_XML_MAX 16384
/* Values of one call, members and elements counted. */
#define RPC_VALUES_MAX 128
/* Values inside values. */
#define RPC_DEPTH_MAX 8
/* The longest name of a method that any of ours has is 22. */
#define RPC_METHOD_MAX 64

enum rpc_type {
	RPC_STRING, /* also what has no type */
	RPC_INT,    /* int, i4, i8; exact below 2^53 */
	RPC_DOUBLE,
	RPC_BOOLEAN,
	RPC_NIL,
	RPC_ARRAY,
	RPC_STRUCT,
	RPC_OTHER, /* a time or base64, whose text isn't looked at */
};

struct rpc_value {
	enum rpc_type type;
	const char *text; /* of a string */
	const char *name; /* of a member of a struct, else NULL */
	double number;    /* of INT, DOUBLE and BOOLEAN; finite */
	uint16_t first;   /* inside an array or struct; 0: none */
	uint16_t next;    /* beside it; 0: none */
};

struct rpc_call {
	char method[RPC_METHOD_MAX];
	uint16_t n; /* values used; values[0] is the array of parameters */
	struct rpc_value values[RPC_VALUES_MAX + 1];
	size_t used; /* of texts */
	/* ISO 8859-1 becomes twice as long as UTF-8; each text has its NUL. */
	char texts[2 * RPC_XML_MAX + RPC_VALUES_MAX + 1];
};

/*
 * Parse a call of n octets into *ret, whose texts are then its own and are
 * UTF-8 without NUL.
 *
 * ret_why  on failure: what is wrong with it; valid for ever
 *
 * Returns 0, or -EBADMSG: it is no call, or one beyond the limits above.
 */
int rpc_call_parse(
    const char *xml, size_t n, struct rpc_call *ret, const char **ret_why);

/* The how manieth parameter from 0; NULL: there are not so many. */
const struct rpc_value *rpc_param(const struct rpc_call *call, size_t i);

/* The first value inside, and the one beside it; NULL: none. */
const struct rpc_value *rpc_first(
    const struct rpc_call *call, const struct rpc_value *value);
const struct rpc_value *rpc_next(
    const struct rpc_call *call, const struct rpc_value *value);

#endif
