/*
 * tools/load/headers.h - where a header block ends, by sendmail's own rule,
 * so that sender and sink call the same bytes "body".  Pure.
 */
#ifndef LOAD_HEADERS_H
#define LOAD_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#define TRAFFIC_HEADER "X-Traffic-Id"

enum header_kind {
	HEADER_FIELD, /* "Name: …", its continuation, or a first "From " line */
	HEADER_BLANK, /* the separator; not part of the body */
	HEADER_BODY,  /* no header line: the body begins with this very line */
};

/* Judge one line (its end may be LF, CRLF or missing). */
enum header_kind header_line(const char *line, size_t len, bool is_first);

/*
 * The value of the last (want_first: the first) field of this name in a
 * header block, unfolded, blanks trimmed, cut to cap - 1 bytes.  Returns
 * false when there is none.
 */
bool header_value(const char *block, size_t len, const char *name,
    bool want_first, char *ret_value, size_t cap);

#endif
