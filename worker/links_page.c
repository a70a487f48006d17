/*
 * worker/links_page.c - links of a page: its tags, read as the HTML standard
 * tokenizes them (13.2.5), without making a tree.
 */
#include "worker/links_priv.h"

#include "common/cleanup.h"
#include "worker/url.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Where an element says what it leads to. */
static const struct {
	const char *tag, *attribute;
} leads[] = {
    {"a", "href"},
    {"a", "xlink:href"},
    {"area", "href"},
    {"base", "href"},
    {"iframe", "src"},
    {"frame", "src"},
    {"embed", "src"},
    {"object", "data"},
    {"script", "src"},
    {"meta", "content"},
};

/* Elements whose content has no tags. */
static const char *const raw_tags[] = {"script", "style", "textarea", "title",
    "xmp", "iframe", "noembed", "noframes"};

/* The references that anybody writes into an address, and those that hide
 * one.  The first ones count without their semicolon, too. */
static const struct {
	const char *name, *text;
} entities[] = {
    {"amp", "&"},
    {"AMP", "&"},
    {"quot", "\""},
    {"lt", "<"},
    {"gt", ">"},
    {"colon;", ":"},
    {"sol;", "/"},
    {"bsol;", "\\"},
    {"period;", "."},
    {"quest;", "?"},
    {"equals;", "="},
    {"num;", "#"},
    {"percnt;", "%"},
    {"commat;", "@"},
    {"lowbar;", "_"},
    {"UnderBar;", "_"},
    {"hyphen;", "-"},
    {"dash;", "-"},
    {"plus;", "+"},
    {"comma;", ","},
    {"semi;", ";"},
    {"excl;", "!"},
    {"dollar;", "$"},
    {"lpar;", "("},
    {"rpar;", ")"},
    {"apos;", "'"},
    {"ast;", "*"},
    {"Tab;", "\t"},
    {"NewLine;", "\n"},
};

struct page {
	const char *at, *end;
	char base[URL_MAX + 1]; /* "": none */
	links_found *found;
	void *arg;
};

static size_t
put_utf8(unsigned long code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code > 0xffff)
		code = 0xfffd;
	out[0] = (char)(0xe0 | code >> 12);
	out[1] = (char)(0x80 | (code >> 6 & 0x3f));
	out[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

/* A number behind "&#": octets of it read, 0: none. */
static size_t
number(const char *at, size_t len, unsigned long *ret_code)
{
	const bool is_hex = len > 0 && (at[0] == 'x' || at[0] == 'X');
	size_t n = is_hex;

	*ret_code = 0;
	for (; n < len; n++) {
		const int c = tolower((unsigned char)at[n]);
		const int digit = isdigit(c) ? c - '0' : c - 'a' + 10;

		if (!(is_hex ? isxdigit(c) : isdigit(c)))
			break;
		if (*ret_code < 0x110000)
			*ret_code = *ret_code * (is_hex ? 16 : 10) +
				    (unsigned long)digit;
	}
	if (n == (size_t)is_hex)
		return 0;
	return n + (n < len && at[n] == ';');
}

/* A name behind "&": octets of it read, 0: none. */
static size_t
named(const char *at, size_t len, const char **ret_text)
{
	for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
		const size_t n = strlen(entities[i].name);

		if (n > len || strncmp(at, entities[i].name, n) != 0)
			continue;
		*ret_text = entities[i].text;
		if (n < len && at[n] == ';')
			return n + 1;
		/* &ampere=1 is what it looks like. */
		if (entities[i].name[n - 1] != ';' && n < len &&
		    (at[n] == '=' || isalnum((unsigned char)at[n])))
			return 0;
		return n;
	}
	return 0;
}

size_t
links_entities(const char *raw, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len;) {
		const char *text = NULL;
		unsigned long code = 0;
		size_t n = 0;

		if (raw[i] == '&' && i + 1 < len && raw[i + 1] == '#') {
			n = number(raw + i + 2, len - i - 2, &code);
			if (n > 0) {
				used += put_utf8(code, out + used);
				i += n + 2;
				continue;
			}
		} else if (raw[i] == '&') {
			n = named(raw + i + 1, len - i - 1, &text);
		}
		if (n > 0) {
			out[used++] = *text;
			i += n + 1;
		} else {
			out[used++] = raw[i++];
		}
	}
	return used;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

static struct span
until(struct page *p, const char *stops)
{
	const char *start = p->at;

	while (p->at < p->end && !is_blank(*p->at) &&
	       (*p->at == '\0' || !strchr(stops, *p->at)))
		p->at++;
	return (struct span){start, (size_t)(p->at - start)};
}

static void
skip_blanks(struct page *p)
{
	while (p->at < p->end && is_blank(*p->at))
		p->at++;
}

static struct span
quoted(struct page *p)
{
	const char quote = *p->at++;
	const char *close = memchr(p->at, quote, (size_t)(p->end - p->at));
	struct span value = {p->at, (size_t)((close ? close : p->end) - p->at)};

	p->at = close ? close + 1 : p->end;
	return value;
}

static struct span
value_of(struct page *p)
{
	skip_blanks(p);
	if (p->at == p->end || *p->at != '=')
		return (struct span){p->at, 0};
	p->at++;
	skip_blanks(p);
	if (p->at < p->end && (*p->at == '"' || *p->at == '\''))
		return quoted(p);
	return until(p, ">");
}

/* "5; url=..." of a refresh. */
static struct span
refresh(struct span value)
{
	const char *at = value.at, *const end = value.at + value.len;

	for (; end - at > 4; at++)
		if (strncasecmp(at, "url=", 4) == 0)
			break;
	if (end - at <= 4)
		return (struct span){at, 0};
	at += 4;
	if (*at == '"' || *at == '\'')
		at++;
	value = (struct span){at, (size_t)(end - at)};
	if (value.len > 0 && (end[-1] == '"' || end[-1] == '\''))
		value.len--;
	return value;
}

static void
see_base(void *arg, const char *url)
{
	struct page *p = arg;

	if (url && !*p->base)
		(void)strcpy(p->base, url);
}

static void
see(struct page *p, struct span tag, struct span name, struct span value)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(leads) && !(is_word(tag, leads[i].tag) &&
					    is_word(name, leads[i].attribute)))
		i++;
	if (i == ARRAY_SIZE(leads))
		return;
	if (is_word(tag, "base")) {
		links_take(NULL, value.at, value.len, true, see_base, p);
		return;
	}
	if (is_word(tag, "meta"))
		value = refresh(value);
	links_take(*p->base ? p->base : NULL, value.at, value.len, true,
	    p->found, p->arg);
}

static void
attributes(struct page *p, struct span tag)
{
	while (p->at < p->end && *p->at != '>') {
		struct span name;

		if (is_blank(*p->at) || *p->at == '/') {
			p->at++;
			continue;
		}
		/* A "=" in front belongs to the name. */
		name = (struct span){p->at++, 0};
		(void)until(p, "/>=");
		name.len = (size_t)(p->at - name.at);
		see(p, tag, name, value_of(p));
	}
	if (p->at < p->end)
		p->at++;
}

/* On to the end tag of an element without tags in it. */
static void
skip_raw(struct page *p, struct span tag)
{
	while ((p->at = links_seek(p->at, p->end, "</"))) {
		const size_t left = (size_t)(p->end - p->at) - 2;

		if (left >= tag.len &&
		    strncasecmp(p->at + 2, tag.at, tag.len) == 0 &&
		    (left == tag.len ||
			!isalnum((unsigned char)p->at[2 + tag.len])))
			return;
		p->at += 2;
	}
	p->at = p->end;
}

static void
start_tag(struct page *p)
{
	struct span tag = until(p, "/>");

	attributes(p, tag);
	for (size_t i = 0; i < ARRAY_SIZE(raw_tags); i++)
		if (is_word(tag, raw_tags[i])) {
			skip_raw(p, tag);
			return;
		}
}

/* Behind this text, or the end. */
static void
skip_to(struct page *p, const char *text)
{
	const char *at = links_seek(p->at, p->end, text);

	p->at = at ? at + strlen(text) : p->end;
}

static bool
begins(const struct page *p, const char *text)
{
	const size_t n = strlen(text);

	return (size_t)(p->end - p->at) >= n && memcmp(p->at, text, n) == 0;
}

/* To the end of a comment: "-->" or "--!>"; one that is never closed hides
 * the rest. */
static void
comment(struct page *p)
{
	if (begins(p, ">") || begins(p, "->")) {
		skip_to(p, ">");
		return;
	}
	while ((p->at = links_seek(p->at, p->end, "--"))) {
		p->at += 2;
		if (begins(p, ">") || begins(p, "!>")) {
			skip_to(p, ">");
			return;
		}
		p->at--;
	}
	p->at = p->end;
}

/* At the octet behind a "<". */
static void
markup(struct page *p)
{
	if (isalpha((unsigned char)*p->at)) {
		start_tag(p);
	} else if (begins(p, "!--")) {
		p->at += 3;
		comment(p);
	} else if (*p->at == '/' && p->end - p->at > 1 &&
		   isalpha((unsigned char)p->at[1])) {
		p->at++;
		(void)until(p, "/>");
		attributes(p, (struct span){"", 0});
	} else if (*p->at == '!' || *p->at == '?' || *p->at == '/') {
		skip_to(p, ">");
	}
}

void
links_in_page(struct span page, links_found *found, void *arg)
{
	struct page p = {.at = page.at,
	    .end = page.at + page.len,
	    .found = found,
	    .arg = arg};

	while (p.at < p.end &&
	       (p.at = memchr(p.at, '<', (size_t)(p.end - p.at)))) {
		p.at++;
		if (p.at < p.end)
			markup(&p);
	}
	links_in_text(page, true, found, arg);
}
