/*
 * tests/support/wrapped.h - a wrapped message taken apart again, by a reader
 * that knows nothing of how it was made but RFC 2046.
 */
#ifndef SLUICE_TESTS_WRAPPED_H
#define SLUICE_TESTS_WRAPPED_H

#include "common/io.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The boundary that this text of a qf or a message names; "" if none.  The
 * caller frees it. */
static inline char *
wrapped_boundary(const char *headers)
{
	static const char start[] = "multipart/mixed;\n\tboundary=\"";
	const char *p = memmem(headers, strlen(headers), start, strlen(start));

	if (!p)
		return xstrdup("");
	p += strlen(start);
	return xasprintf("%.*s", (int)strcspn(p, "\""), p);
}

/*
 * The content of the body's second part, which must be the last: *ret_len
 * octets inside body.  NULL: it is not of that form.
 */
static inline const char *
wrapped_original(
    const char *boundary, const char *body, size_t len, size_t *ret_len)
{
	char *open =
	    xasprintf("\n--%s\nContent-Type: message/rfc822\n", boundary);
	char *close = xasprintf("\n--%s--\n", boundary);
	const char *p = NULL, *end = NULL;

	if (len > strlen(close) && *boundary) {
		p = memmem(body, len, open, strlen(open));
		end = body + len - strlen(close);
		if (memcmp(end, close, strlen(close)) != 0)
			p = NULL;
	}
	if (p)
		p = memmem(p, (size_t)(end - p), "\n\n", 2);
	free(open);
	free(close);
	if (!p)
		return NULL;
	*ret_len = (size_t)(end - (p + 2));
	return p + 2;
}

#endif
