/* tools/load/wire.c - dots, line ends, and the one added header. */
#include "wire.h"

#include "headers.h"

#include <event2/buffer.h>
#include <string.h>

/* A header line longer than this is judged by its beginning; a header block
 * longer than the second is taken for body by the sink. */
#define HEADER_LINE_BYTES_MAX  (64 * 1024)
#define HEADER_BLOCK_BYTES_MAX (1024 * 1024)

void
wire_out_init(struct wire_out *w, const char *extra)
{
	*w = (struct wire_out){
	    .extra = extra,
	    .hash = bodyhash_new(),
	    .is_first = true,
	    .at_line_start = true,
	};
}

void
wire_out_done(struct wire_out *w)
{
	w->hash = bodyhash_free(w->hash);
	buf_done(&w->line);
}

static void
put(struct wire_out *w, const char *data, size_t len, struct evbuffer *out)
{
	if (len == 0)
		return;
	if (evbuffer_add(out, data, len) < 0)
		die(EXIT_SYSTEM, "out of memory");
	w->bytes += len;
	if (w->in_body)
		bodyhash_add(w->hash, data, len);
}

/* One line, or a piece of one when it has no LF. */
static void
put_line(struct wire_out *w, const char *p, size_t len, struct evbuffer *out)
{
	const bool whole = p[len - 1] == '\n';

	/* The stuffed dot is neither counted nor hashed. */
	if (w->at_line_start && *p == '.' && evbuffer_add(out, ".", 1) < 0)
		die(EXIT_SYSTEM, "out of memory");
	if (!whole) {
		put(w, p, len, out);
		w->after_cr = p[len - 1] == '\r';
		w->at_line_start = false;
		return;
	}
	if (len > 1 ? p[len - 2] == '\r' : w->after_cr) {
		put(w, p, len, out);
	} else {
		put(w, p, len - 1, out);
		put(w, "\r\n", 2, out);
	}
	w->after_cr = false;
	w->at_line_start = true;
}

static size_t
line_length(const char *p, size_t len)
{
	const char *nl = memchr(p, '\n', len);

	return nl ? (size_t)(nl - p) + 1 : len;
}

static void
put_lines(struct wire_out *w, const char *p, size_t len, struct evbuffer *out)
{
	while (len > 0) {
		const size_t n = line_length(p, len);

		put_line(w, p, n, out);
		p += n;
		len -= n;
	}
}

/* The held line is whole, or as long as we care to hold. */
static void
judge_line(struct wire_out *w, struct evbuffer *out)
{
	const enum header_kind kind =
	    header_line(w->line.data, w->line.len, w->is_first);
	const bool whole = w->line.data[w->line.len - 1] == '\n';

	if (kind != HEADER_FIELD)
		put_lines(w, w->extra, strlen(w->extra), out);
	if (kind == HEADER_BODY)
		w->in_body = true; /* the line itself belongs to the body */
	put_lines(w, w->line.data, w->line.len, out);
	if (kind == HEADER_BLANK)
		w->in_body = true;
	w->is_first = false;
	w->in_long_line = !whole && !w->in_body;
	buf_clear(&w->line);
}

/* Use up some header bytes, at most a line; returns how many. */
static size_t
add_header_bytes(
    struct wire_out *w, const char *data, size_t len, struct evbuffer *out)
{
	const size_t n = line_length(data, len);
	const bool whole = data[n - 1] == '\n';

	if (w->in_long_line) {
		put_lines(w, data, n, out);
		w->in_long_line = !whole;
		return n;
	}
	buf_add(&w->line, data, n);
	if (whole || w->line.len >= HEADER_LINE_BYTES_MAX)
		judge_line(w, out);
	return n;
}

void
wire_out_add(
    struct wire_out *w, const char *data, size_t len, struct evbuffer *out)
{
	while (len > 0 && !w->in_body) {
		const size_t n = add_header_bytes(w, data, len, out);

		data += n;
		len -= n;
	}
	put_lines(w, data, len, out);
}

void
wire_out_end(struct wire_out *w, struct evbuffer *out)
{
	if (w->line.len > 0)
		judge_line(w, out);
	if (!w->at_line_start)
		put_line(w, "\n", 1, out);
	if (!w->in_body)
		put_lines(w, w->extra, strlen(w->extra), out);
}

/*
 * Where in the end-of-data pattern we stand.  Only CRLF begins a line here:
 * a sink that took a bare LF for one could be made to see two messages in one.
 */
enum {
	AT_LINE_START,
	IN_LINE,
	AFTER_CR,
	AFTER_DOT,
	AFTER_DOT_CR,
};

void
wire_in_init(struct wire_in *w, wire_store_fn *store, void *arg)
{
	*w = (struct wire_in){
	    .hash = bodyhash_new(),
	    .store = store,
	    .store_arg = arg,
	};
}

void
wire_in_reset(struct wire_in *w)
{
	bodyhash_reset(w->hash);
	buf_clear(&w->headers);
	w->line_start = 0;
	w->bytes = 0;
	w->in_body = false;
	w->state = AT_LINE_START;
}

void
wire_in_done(struct wire_in *w)
{
	w->hash = bodyhash_free(w->hash);
	buf_done(&w->headers);
}

/* A header line has ended, or the block is too long: where are we? */
static void
judge_collected(struct wire_in *w)
{
	const char *line = w->headers.data + w->line_start;
	const size_t len = w->headers.len - w->line_start;
	enum header_kind kind = header_line(line, len, w->line_start == 0);

	if (w->headers.len > HEADER_BLOCK_BYTES_MAX)
		kind = HEADER_BODY;
	if (kind == HEADER_FIELD) {
		w->line_start = w->headers.len;
		return;
	}
	w->in_body = true;
	if (kind == HEADER_BODY)
		bodyhash_add(w->hash, line, len);
	w->headers.len = w->line_start;
}

/* A run of the message: no LF in it, except perhaps at its end. */
static void
got(struct wire_in *w, const char *data, size_t len)
{
	if (len == 0)
		return;
	w->bytes += len;
	if (w->store)
		w->store(w->store_arg, data, len);
	if (w->in_body) {
		bodyhash_add(w->hash, data, len);
		return;
	}
	buf_add(&w->headers, data, len);
	if (data[len - 1] == '\n' || w->headers.len > HEADER_BLOCK_BYTES_MAX)
		judge_collected(w);
}

/* The rest of a line: up to its LF or the end of what we have. */
static size_t
take_run(struct wire_in *w, const char *data, size_t len)
{
	const size_t n = line_length(data, len);
	const bool cr_before =
	    n > 1 ? data[n - 2] == '\r' : w->state == AFTER_CR;

	got(w, data, n);
	if (data[n - 1] == '\n' && cr_before)
		w->state = AT_LINE_START;
	else
		w->state = data[n - 1] == '\r' ? AFTER_CR : IN_LINE;
	return n;
}

/* One byte after a dot that began a line.  Returns true at the end. */
static bool
take_after_dot(struct wire_in *w, char c)
{
	if (w->state == AFTER_DOT && c == '\r') {
		w->state = AFTER_DOT_CR;
		return false;
	}
	if (w->state == AFTER_DOT_CR) {
		if (c == '\n')
			return true;
		got(w, "\r", 1);
		w->state = AFTER_CR;
	} else {
		w->state = IN_LINE;
	}
	(void)take_run(w, &c, 1);
	return false;
}

size_t
wire_in_take(struct wire_in *w, const char *data, size_t len, bool *ret_end)
{
	size_t used = 0;

	*ret_end = false;
	while (used < len && !*ret_end) {
		if (w->state == AT_LINE_START && data[used] == '.') {
			w->state = AFTER_DOT;
			used++;
		} else if (w->state == AFTER_DOT || w->state == AFTER_DOT_CR) {
			*ret_end = take_after_dot(w, data[used++]);
		} else {
			used += take_run(w, data + used, len - used);
		}
	}
	if (*ret_end && !w->in_body && w->headers.len > w->line_start)
		judge_collected(w);
	return used;
}
