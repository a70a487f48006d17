/*
 * flow/rpc/out.h - an answer of XML-RPC, written value by value.  Pure but for
 * its memory.
 *
 * Of the published types alone: a number that doesn't exist is RPC_UNKNOWN.
 */
#ifndef SLUICE_FLOW_RPC_OUT_H
#define SLUICE_FLOW_RPC_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands for NAN and infinity, which XML-RPC can't write. */
#define RPC_UNKNOWN (-1.0)

struct rpc_out;

/* An answer with one value, or (is_fault) a fault with it. */
struct rpc_out *rpc_out_new(bool is_fault);

/* Its text, which the caller frees; out is gone. */
char *rpc_out_end(struct rpc_out *out, size_t *ret_n);

/* It is not to be. */
void rpc_out_drop(struct rpc_out *out);

void rpc_begin_struct(struct rpc_out *out);
void rpc_end_struct(struct rpc_out *out);
/* Within a member or as the value. */
void rpc_begin_array(struct rpc_out *out);
void rpc_end_array(struct rpc_out *out);

/* A member of the struct that is open is called so; its value comes next. */
void rpc_begin_member(struct rpc_out *out, const char *name);
void rpc_end_member(struct rpc_out *out);

/* Values.  text, as names: ASCII; any other octet becomes '?'. */
void rpc_put_text(struct rpc_out *out, const char *text);
void rpc_put_int(struct rpc_out *out, int32_t number);
void rpc_put_bool(struct rpc_out *out, bool is_true);
/* 17 significant digits, so that it is read back the same. */
void rpc_put_double(struct rpc_out *out, double number);

/* A whole member. */
void rpc_member_text(struct rpc_out *out, const char *name, const char *text);
void rpc_member_int(struct rpc_out *out, const char *name, int32_t number);
void rpc_member_bool(struct rpc_out *out, const char *name, bool is_true);
void rpc_member_double(struct rpc_out *out, const char *name, double number);

#endif
