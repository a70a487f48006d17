/*
 * worker/links.c - links in plain text, and which ones are kept.
 */
#include "worker/links.h"

#include "common/cleanup.h"
#include "worker/carve.h"
#include "worker/links_priv.h"
#include "worker/types.h"
#include "worker/url.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Longer ones can't be asked; a little room for what is left out of them. */
#define RUN_MAX ((size_t)4 * URL_MAX)
/* Addresses within an address. */
#define NESTED_MAX 4

const char *
links_seek(const char *at, const char *end, const char *text)
{
	const size_t n = strlen(text);

	for (; (size_t)(end - at) >= n; at++) {
		at = memchr(at, text[0], (size_t)(end - at) - n + 1);
		if (!at || memcmp(at, text, n) == 0)
			return at;
	}
	return NULL;
}

void
links_take(const char *base, const char *raw, size_t len, bool entities,
    links_found *found, void *arg)
{
	char decoded[RUN_MAX + 1], url[URL_MAX + 1];
	int r = -ENAMETOOLONG;

	if (len <= RUN_MAX) {
		if (entities) {
			len = links_entities(raw, len, decoded);
			raw = decoded;
		}
		r = url_read(base, raw, len, url);
	}
	if (r == 0 || r == -ENAMETOOLONG)
		found(arg, r == 0 ? url : NULL);
}

static bool
ends_address(unsigned char c)
{
	return c <= ' ' || c >= 0x7f || strchr("<>\"`{}|^\\", c) != NULL;
}

/* Without what belongs to the sentence; a bracket closes one that it has. */
static size_t
trim(const char *at, size_t len)
{
	const bool has_open = memchr(at, '(', len) != NULL;

	while (len > 0 && strchr(".,;:!?'\")]*_", at[len - 1]) &&
	       !(has_open && at[len - 1] == ')'))
		len--;
	return len;
}

/* What ends an address in a page's source, written as a reference. */
static bool
ends_reference(const char *at, size_t left)
{
	static const char *const ends[] = {"&quot;", "&lt;", "&gt;", "&nbsp;"};

	for (size_t i = 0; *at == '&' && i < ARRAY_SIZE(ends); i++)
		if (left >= strlen(ends[i]) &&
		    strncasecmp(at, ends[i], strlen(ends[i])) == 0)
			return true;
	return false;
}

/* A pass over a text. */
struct pass {
	const char *end;
	bool entities;
	const char *run_end; /* of the last run */
	unsigned nested;     /* addresses that began within it */
	links_found *found;
	void *arg;
};

/*
 * The run that begins here, at most a little more than can be asked; 0: the
 * last one had enough of them in it (a redirector's argument is one).
 */
static size_t
run_of(struct pass *p, const char *at)
{
	const char *stop = at;

	if (at >= p->run_end)
		p->nested = 0;
	else if (++p->nested > NESTED_MAX)
		return 0;
	while (stop < p->end && (size_t)(stop - at) <= RUN_MAX &&
	       !ends_address((unsigned char)*stop) &&
	       !(p->entities && ends_reference(stop, (size_t)(p->end - stop))))
		stop++;
	if (p->nested == 0)
		p->run_end = stop;
	return trim(at, (size_t)(stop - at));
}

/* Where an address with "://" at this place begins; NULL: none does. */
static const char *
scheme_before(const char *at, const char *text)
{
	const size_t room = (size_t)(at - text);

	if (room >= 5 && strncasecmp(at - 5, "https", 5) == 0)
		at -= 5;
	else if (room >= 4 && strncasecmp(at - 4, "http", 4) == 0)
		at -= 4;
	else
		return NULL;
	return at > text && isalnum((unsigned char)at[-1]) ? NULL : at;
}

static void
find_schemes(struct span text, struct pass *p)
{
	const char *at = text.at;

	while ((at = links_seek(at, p->end, "://"))) {
		const char *start = scheme_before(at, text.at);
		const size_t len = start ? run_of(p, start) : 0;

		at += 3;
		if (len > 0)
			links_take(
			    NULL, start, len, p->entities, p->found, p->arg);
	}
}

static void
find_hosts(struct span text, struct pass *p)
{
	const char *at = text.at;
	char url[sizeof("http://") + RUN_MAX];
	size_t len;

	for (; (at = links_seek(at, p->end, "www.")); at += 4) {
		if (at > text.at &&
		    (isalnum((unsigned char)at[-1]) || strchr("/@.-_", at[-1])))
			continue;
		len = run_of(p, at);
		if (len <= 4 || len > RUN_MAX - 7)
			continue;
		memcpy(url, "http://", 7);
		memcpy(url + 7, at, len);
		links_take(NULL, url, len + 7, p->entities, p->found, p->arg);
	}
}

void
links_in_text(struct span text, bool entities, links_found *found, void *arg)
{
	struct pass pass = {.end = text.at + text.len,
	    .entities = entities,
	    .run_end = text.at,
	    .found = found,
	    .arg = arg};

	find_schemes(text, &pass);
	pass.run_end = text.at;
	find_hosts(text, &pass);
}

static void
keep(void *arg, const char *url)
{
	struct cell *c = arg;

	if (!url)
		writer_links_cut(c->w);
	else if (url_is_file(url) && !url_is_act(url))
		writer_link(c->w, url, c->limits->links);
}

void
links_look(
    struct cell *c, int32_t index, const struct source *src, struct span octets)
{
	const bool is_page = carve_is_page(writer_type(c->w, index)) ||
			     carve_is_page(src->declared);

	if (c->limits->links == 0 || src->view == VIEW_ARCHIVE ||
	    (!is_page && !types_is_text(writer_type(c->w, index))))
		return;
	if (octets.len > LINKS_LOOK_BYTES - c->links_bytes) {
		octets.len = LINKS_LOOK_BYTES - c->links_bytes;
		writer_links_cut(c->w);
	}
	c->links_bytes += octets.len;
	if (is_page)
		links_in_page(octets, keep, c);
	else
		links_in_text(octets, false, keep, c);
}
