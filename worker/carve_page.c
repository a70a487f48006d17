/*
 * worker/carve_page.c - files that a page gives to whoever opens it: in
 * quotes in its script, or in the address of a link.
 */
#include "worker/carve.h"

#include "worker/mime_codec.h"
#include "worker/types.h"

#include <string.h>
#include <strings.h>

#define PROBE_IN  (size_t)160 /* octets by which a file is told */
#define PROBE_OUT (size_t)192
#define LEAST     (size_t)64 /* that a file takes in base64 */

/* Is there a file, other than the pictures that pages are made of? */
static bool
is_file(struct cell *c, const char *at, size_t len)
{
	char out[PROBE_OUT];
	const char *type;
	size_t n;

	if (len < LEAST || !types_may_begin(codec_base64_peek(at, 2, 2)) ||
	    !cell_may_work(c, PROBE_IN))
		return false;
	n = codec_base64(
	    at, len < PROBE_IN ? len : PROBE_IN, BASE64_RESTART, out, NULL);
	type = types_magic(out, n);
	return type && strncmp(type, "image/", 6) != 0;
}

/* Strings that begin behind this mark and end at the quote, or at any. */
static void
carve_behind(struct cell *c, struct span page, const char *mark,
    const char *quote, const struct source *src)
{
	const char *const end = page.at + page.len;
	const size_t n = strlen(mark);
	const char *at = page.at;

	while (c->status == READING_COMPLETE &&
	       (at = memmem(at, (size_t)(end - at), mark, n))) {
		struct span run = {at + n, (size_t)(end - at) - n};

		at = run.at;
		if (!is_file(c, run.at, run.len))
			continue;
		while (at < end && !strchr(quote, *at))
			at++;
		run.len = (size_t)(at - run.at);
		(void)carve_base64(c, run, src);
	}
}

bool
carve_is_page(const char *type)
{
	static const char *const pages[] = {"text/html", "image/svg+xml",
	    "text/xml", "application/xhtml+xml", "application/hta"};

	for (size_t i = 0; type && i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcasecmp(type, pages[i]) == 0)
			return true;
	return false;
}

void
carve_page(
    struct cell *c, int32_t index, const struct source *src, struct span octets)
{
	/* It is what the page shows, and no contradiction. */
	const struct source found = {.parent = index,
	    .depth = src->depth + 1,
	    .view = VIEW_CARVED,
	    .flags = PART_ATTACHMENT};

	if (found.depth > c->limits->depth ||
	    (!carve_is_page(writer_type(c->w, index)) &&
		!carve_is_page(src->declared)))
		return;
	carve_behind(c, octets, "\"", "\"", &found);
	carve_behind(c, octets, "'", "'", &found);
	carve_behind(c, octets, "`", "`", &found);
	carve_behind(c, octets, ";base64,", "\"'`) >", &found);
}
