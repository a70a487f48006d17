#include "flow/rpc/answer_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rpc_method list_methods;

static const struct {
	const char *name;
	rpc_method *answer;
	size_t least, most; /* parameters */
} methods[] = {
    {"spamflow.query", rpc_query, 3, 4},
    {"spamflow.judge", rpc_judge, 3, 4},
    {"spamflow.stats", rpc_stats, 0, 0},
    {"classifier.classify", rpc_classify, 1, 2},
    {"classifier.learn", rpc_learn, 2, 4},
    {"classifier.retrain", rpc_retrain, 0, 0},
    {"classifier.status", rpc_status, 0, 0},
    {"system.listMethods", list_methods, 0, 0},
};

struct rpc_out *
rpc_fault(int code, const char *fmt, ...)
{
	struct rpc_out *out = rpc_out_new(true);
	char text[256];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	rpc_begin_struct(out);
	rpc_member_int(out, "faultCode", code);
	rpc_member_text(out, "faultString", text);
	rpc_end_struct(out);
	return out;
}

struct rpc_out *
rpc_absent(enum rpc_whom whom, int r)
{
	return rpc_fault(RPC_FAULT_ABSENT, "%s: %s",
	    whom == RPC_FLOW ? "sluice-flow" : "sluice-learn", strerror(-r));
}

static struct rpc_out *
list_methods(const struct rpc_site *site, const struct rpc_call *call)
{
	struct rpc_out *out = rpc_out_new(false);

	(void)site;
	(void)call;
	rpc_begin_array(out);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		rpc_put_text(out, methods[i].name);
	rpc_end_array(out);
	return out;
}

static struct rpc_out *
call_method(const struct rpc_site *site, const struct rpc_call *call)
{
	size_t n = 0;

	while (rpc_param(call, n))
		n++;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strcmp(methods[i].name, call->method) != 0)
			continue;
		if (n < methods[i].least || n > methods[i].most)
			return rpc_fault(RPC_FAULT_PARAMS,
			    "%s: %zu parameters, but it takes %zu to %zu",
			    methods[i].name, n, methods[i].least,
			    methods[i].most);
		return methods[i].answer(site, call);
	}
	return rpc_fault(RPC_FAULT_METHOD,
	    "no such method; system.listMethods says which there are");
}

char *
rpc_answer(
    const struct rpc_site *site, const char *xml, size_t n, size_t *ret_n)
{
	CLEANUP(free_ptr) struct rpc_call *call = xcalloc(1, sizeof(*call));
	const char *why;
	struct rpc_out *out;

	if (rpc_call_parse(xml, n, call, &why) < 0)
		out = rpc_fault(
		    RPC_FAULT_PARSE, "not a call of XML-RPC: %s", why);
	else
		out = call_method(site, call);
	return rpc_out_end(out, ret_n);
}
