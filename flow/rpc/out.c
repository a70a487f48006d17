#include "flow/rpc/out.h"

#include "common/io.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS 17 /* of a double, C17 5.2.4.2.2 DBL_DECIMAL_DIG */

struct rpc_out {
	FILE *file;
	char *text;
	size_t n;
	bool is_fault;
};

struct rpc_out *
rpc_out_new(bool is_fault)
{
	struct rpc_out *out = xcalloc(1, sizeof(*out));

	out->is_fault = is_fault;
	out->file = open_memstream(&out->text, &out->n);
	assert(out->file);
	(void)fprintf(out->file, "<?xml version=\"1.0\"?>\n<methodResponse>%s",
	    is_fault ? "<fault>" : "<params><param>");
	return out;
}

char *
rpc_out_end(struct rpc_out *out, size_t *ret_n)
{
	char *text;

	(void)fprintf(out->file, "%s</methodResponse>\n",
	    out->is_fault ? "</fault>" : "</param></params>");
	(void)fclose(out->file);
	text = out->text;
	*ret_n = out->n;
	free(out);
	assert(text);
	return text;
}

void
rpc_out_drop(struct rpc_out *out)
{
	size_t unused;

	free(rpc_out_end(out, &unused));
}

void
rpc_begin_struct(struct rpc_out *out)
{
	(void)fputs("<value><struct>", out->file);
}

void
rpc_end_struct(struct rpc_out *out)
{
	(void)fputs("</struct></value>", out->file);
}

void
rpc_begin_array(struct rpc_out *out)
{
	(void)fputs("<value><array><data>", out->file);
}

void
rpc_end_array(struct rpc_out *out)
{
	(void)fputs("</data></array></value>", out->file);
}

void
rpc_end_member(struct rpc_out *out)
{
	(void)fputs("</member>", out->file);
}

static void
put_octet(FILE *file, char c)
{
	switch (c) {
	case '<':
		(void)fputs("&lt;", file);
		return;
	case '>':
		(void)fputs("&gt;", file);
		return;
	case '&':
		(void)fputs("&amp;", file);
		return;
	case '\n':
	case '\t':
		break;
	default:
		if (c < ' ' || c > '~')
			c = '?';
	}
	(void)fputc(c, file);
}

static void
put_octets(FILE *file, const char *text)
{
	while (*text)
		put_octet(file, *text++);
}

void
rpc_begin_member(struct rpc_out *out, const char *name)
{
	(void)fputs("\n<member><name>", out->file);
	put_octets(out->file, name);
	(void)fputs("</name>", out->file);
}

void
rpc_put_text(struct rpc_out *out, const char *text)
{
	(void)fputs("<value><string>", out->file);
	put_octets(out->file, text);
	(void)fputs("</string></value>", out->file);
}

void
rpc_put_int(struct rpc_out *out, int32_t number)
{
	(void)fprintf(
	    out->file, "<value><int>%" PRId32 "</int></value>", number);
}

void
rpc_put_bool(struct rpc_out *out, bool is_true)
{
	(void)fprintf(
	    out->file, "<value><boolean>%d</boolean></value>", is_true);
}

/* The published grammar has no exponent. */
void
rpc_put_double(struct rpc_out *out, double number)
{
	int before = 1, after;

	if (!isfinite(number))
		number = RPC_UNKNOWN;
	if (number != 0)
		before = 1 + (int)floor(log10(fabs(number)));
	after = DIGITS - before;
	if (after < 1 || number == floor(number))
		after = 1;
	(void)fprintf(
	    out->file, "<value><double>%.*f</double></value>", after, number);
}

void
rpc_member_text(struct rpc_out *out, const char *name, const char *text)
{
	rpc_begin_member(out, name);
	rpc_put_text(out, text);
	rpc_end_member(out);
}

void
rpc_member_int(struct rpc_out *out, const char *name, int32_t number)
{
	rpc_begin_member(out, name);
	rpc_put_int(out, number);
	rpc_end_member(out);
}

void
rpc_member_bool(struct rpc_out *out, const char *name, bool is_true)
{
	rpc_begin_member(out, name);
	rpc_put_bool(out, is_true);
	rpc_end_member(out);
}

void
rpc_member_double(struct rpc_out *out, const char *name, double number)
{
	rpc_begin_member(out, name);
	rpc_put_double(out, number);
	rpc_end_member(out);
}
