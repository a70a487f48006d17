#include "flow/rpc/call.h"

#include <assert.h>
#include <errno.h>
#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n" /* XML 1.0 2.3 */

enum element {
	NOTHING, /* outside the document's element */
	METHOD_CALL,
	METHOD_NAME,
	PARAMS,
	PARAM,
	VALUE,
	ARRAY,
	DATA,
	STRUCT,
	MEMBER,
	NAME,
	/* From here on: what a value is, if no array or struct. */
	STRING,
	INT,
	I4,
	I8,
	DOUBLE,
	BOOLEAN,
	NIL,
	TIME,
	BASE64,
	ELEMENTS
};

static const struct {
	const char *name;
	enum element in; /* its parent; VALUE has three */
	bool has_text;
	enum rpc_type type; /* of its value */
} elements[ELEMENTS] = {
    [METHOD_CALL] = {"methodCall", NOTHING, false, 0},
    [METHOD_NAME] = {"methodName", METHOD_CALL, true, 0},
    [PARAMS] = {"params", METHOD_CALL, false, 0},
    [PARAM] = {"param", PARAMS, false, 0},
    [VALUE] = {"value", PARAM, true, RPC_STRING},
    [ARRAY] = {"array", VALUE, false, RPC_ARRAY},
    [DATA] = {"data", ARRAY, false, 0},
    [STRUCT] = {"struct", VALUE, false, RPC_STRUCT},
    [MEMBER] = {"member", STRUCT, false, 0},
    [NAME] = {"name", MEMBER, true, 0},
    [STRING] = {"string", VALUE, true, RPC_STRING},
    [INT] = {"int", VALUE, true, RPC_INT},
    [I4] = {"i4", VALUE, true, RPC_INT},
    [I8] = {"i8", VALUE, true, RPC_INT},
    [DOUBLE] = {"double", VALUE, true, RPC_DOUBLE},
    [BOOLEAN] = {"boolean", VALUE, true, RPC_BOOLEAN},
    [NIL] = {"nil", VALUE, false, RPC_NIL},
    [TIME] = {"dateTime.iso8601", VALUE, true, RPC_OTHER},
    [BASE64] = {"base64", VALUE, true, RPC_OTHER},
};

/* Of one value: itself, its type, data or member, and its name. */
#define STACK_MAX (3 * (RPC_DEPTH_MAX + 1) + 3)

struct reading {
	XML_Parser parser;
	struct rpc_call *call;
	const char *why;    /* it failed: what is wrong */
	const char *member; /* the name that the next value gets */
	size_t text;        /* where in call->texts the present text begins */
	uint16_t depth;     /* values that are open, params not counted */
	uint16_t stacked;   /* elements that are open */
	enum element stack[STACK_MAX];
	bool is_full[STACK_MAX];          /* had what it may have but once */
	uint16_t open[RPC_DEPTH_MAX + 1]; /* values, [0] the parameters */
	uint16_t last[RPC_DEPTH_MAX + 1]; /* the last one inside them */
};

static void
fail(struct reading *r, const char *why)
{
	if (!r->why)
		r->why = why;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static enum element
top(const struct reading *r)
{
	return r->stacked ? r->stack[r->stacked - 1] : NOTHING;
}

static void
begin_value(struct reading *r)
{
	struct rpc_call *call = r->call;
	const uint16_t parent = r->open[r->depth];

	if (r->depth == RPC_DEPTH_MAX) {
		fail(r, "values too deep in each other");
		return;
	}
	if (call->n > RPC_VALUES_MAX) {
		fail(r, "too many values");
		return;
	}
	call->values[call->n] = (struct rpc_value){
	    .type = RPC_STRING, .text = "", .name = r->member};
	if (r->last[r->depth])
		call->values[r->last[r->depth]].next = call->n;
	else
		call->values[parent].first = call->n;
	r->last[r->depth++] = call->n;
	r->open[r->depth] = call->n++;
	r->last[r->depth] = 0;
	r->member = NULL;
}

/* What may stand in its parent but once, and in which order. */
static bool
has_room(struct reading *r, enum element element)
{
	const enum element in = top(r);
	bool *is_full;

	if (in == NOTHING)
		return element == METHOD_CALL;
	if (in == PARAMS || in == DATA || in == STRUCT)
		return true;
	is_full = &r->is_full[r->stacked - 1];
	if (*is_full)
		return false;
	if (element == METHOD_NAME)
		return !*r->call->method;
	if (element == NAME)
		return !r->member;
	*is_full = true;
	return in != MEMBER || r->member;
}

static bool
may_stand_in(enum element element, enum element in)
{
	if (element == VALUE)
		return in == PARAM || in == DATA || in == MEMBER;
	return elements[element].in == in;
}

static enum element
element_of(const char *name)
{
	enum element e = METHOD_CALL;

	while (e < ELEMENTS && strcmp(name, elements[e].name) != 0)
		e++;
	return e;
}

static bool
is_blank(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(BLANKS, text[i]))
			return false;
	return true;
}

/* What has a type is no text itself, but may have been taken for it. */
static void
begin_type(struct reading *r, enum element e)
{
	struct rpc_call *call = r->call;

	if (!is_blank(call->texts + r->text, call->used - r->text))
		fail(r, "text that has no place there");
	call->used = r->text;
	call->values[r->open[r->depth]].type = elements[e].type;
}

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *r = arg;
	const enum element e = element_of(name);

	(void)attributes;
	if (e == ELEMENTS || !may_stand_in(e, top(r)) || !has_room(r, e)) {
		fail(r, "an element that has no place there");
		return;
	}
	if (e == VALUE)
		begin_value(r);
	else if (elements[e].in == VALUE)
		begin_type(r, e);
	if (r->why)
		return;
	assert(r->stacked < STACK_MAX);
	r->stack[r->stacked] = e;
	r->is_full[r->stacked++] = false;
	r->text = r->call->used; /* blanks before it don't count */
}

static void XMLCALL
on_text(void *arg, const XML_Char *text, int length)
{
	struct reading *r = arg;
	struct rpc_call *call = r->call;
	const size_t n = (size_t)length;
	const enum element e = top(r);

	/* A value that has a type is no text. */
	if (!elements[e].has_text ||
	    (e == VALUE && r->is_full[r->stacked - 1])) {
		if (!is_blank(text, n))
			fail(r, "text that has no place there");
		return;
	}
	if (n >= sizeof(call->texts) - call->used) {
		fail(r, "too much text");
		return;
	}
	memcpy(call->texts + call->used, text, n);
	call->used += n;
}

/* The text since the element began, ended by a NUL. */
static const char *
take_text(struct reading *r)
{
	struct rpc_call *call = r->call;

	if (call->used == sizeof(call->texts)) {
		fail(r, "too much text");
		return "";
	}
	call->texts[call->used++] = '\0';
	return call->texts + r->text;
}

static void
end_method_name(struct reading *r)
{
	const char *name = take_text(r);
	const size_t n = strlen(name);

	if (n == 0 || n >= sizeof(r->call->method))
		fail(r, "the name of no method");
	else
		memcpy(r->call->method, name, n + 1);
}

/* Decimal alone: strtod() would read "nan", "inf" and "0x1p3" as well. */
static void
end_number(struct reading *r, struct rpc_value *value)
{
	static const char *const may_have[] = {[RPC_INT] = "+-0123456789",
	    [RPC_DOUBLE] = "+-.0123456789eE",
	    [RPC_BOOLEAN] = "01"};
	const char *text = take_text(r);
	char *end;

	text += strspn(text, BLANKS);
	value->number = strtod(text, &end);
	if (end == text || !isfinite(value->number) ||
	    strspn(text, may_have[value->type]) != (size_t)(end - text) ||
	    !is_blank(end, strlen(end)))
		fail(r, "not a number of its type");
	if (value->type == RPC_BOOLEAN && value->number > 1)
		fail(r, "not 0 or 1");
}

static void
end_typed(struct reading *r)
{
	struct rpc_value *value = &r->call->values[r->open[r->depth]];

	switch (value->type) {
	case RPC_STRING:
		value->text = take_text(r);
		break;
	case RPC_INT:
	case RPC_DOUBLE:
	case RPC_BOOLEAN:
		end_number(r, value);
		break;
	case RPC_NIL:
	case RPC_ARRAY:
	case RPC_STRUCT:
	case RPC_OTHER:
		break;
	}
}

static void
end_element(struct reading *r, enum element e, bool is_full)
{
	if (e == METHOD_NAME)
		end_method_name(r);
	else if (e == NAME)
		r->member = take_text(r);
	else if (e == PARAM || e == MEMBER || e == ARRAY) {
		if (!is_full)
			fail(r, "an element that lacks what belongs in it");
	} else if (e == VALUE) {
		if (!is_full)
			end_typed(r);
		r->depth--;
	} else if (elements[e].has_text)
		end_typed(r);
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct reading *r = arg;

	(void)name;
	/* expat tells the end of an empty element that we have refused. */
	if (r->why)
		return;
	assert(r->stacked > 0);
	r->stacked--;
	end_element(r, r->stack[r->stacked], r->is_full[r->stacked]);
	r->text = r->call->used;
}

static void XMLCALL
on_document_type(void *arg, const XML_Char *name, const XML_Char *system,
    const XML_Char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	fail(arg, "a document type, which no call has");
}

static int
read_all(struct reading *r, const char *xml, size_t n)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_document_type);
	if (XML_Parse(r->parser, xml, (int)n, XML_TRUE) != XML_STATUS_OK &&
	    !r->why)
		r->why = "not well-formed XML";
	if (!r->why && !*r->call->method)
		r->why = "no methodName";
	return r->why ? -EBADMSG : 0;
}

int
rpc_call_parse(
    const char *xml, size_t n, struct rpc_call *call, const char **ret_why)
{
	struct reading r = {.call = call};
	int result;

	call->method[0] = '\0';
	call->used = 0;
	call->n = 1;
	call->values[0] = (struct rpc_value){.type = RPC_ARRAY};
	if (n > RPC_XML_MAX) {
		*ret_why = "too long";
		return -EBADMSG;
	}
	r.parser = XML_ParserCreate(NULL);
	if (!r.parser) {
		*ret_why = "no memory to read it";
		return -EBADMSG;
	}
	result = read_all(&r, xml, n);
	XML_ParserFree(r.parser);
	if (result < 0)
		*ret_why = r.why;
	return result;
}

const struct rpc_value *
rpc_first(const struct rpc_call *call, const struct rpc_value *value)
{
	return value->first ? &call->values[value->first] : NULL;
}

const struct rpc_value *
rpc_next(const struct rpc_call *call, const struct rpc_value *value)
{
	return value->next ? &call->values[value->next] : NULL;
}

const struct rpc_value *
rpc_param(const struct rpc_call *call, size_t i)
{
	const struct rpc_value *value = rpc_first(call, &call->values[0]);

	while (value && i--)
		value = rpc_next(call, value);
	return value;
}
