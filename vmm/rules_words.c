/*
 * vmm/rules_words.c - the words of a rule file's line.  A word may stand in
 * double quotes, in which \" is a quote; # begins a comment.
 */
#include "vmm/rules_parse_priv.h"

#include "common/io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
rules_wrong(struct rules_parser *p, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (p->err_size > 0)
		(void)snprintf(
		    p->err, p->err_size, "%s:%u: %s", p->name, p->line, text);
	return -EINVAL;
}

static int
next_word(struct rules_parser *p, char **at, struct rules_word *ret)
{
	char *from = *at, *to;

	ret->is_quoted = *from == '"';
	ret->text = from;
	if (!ret->is_quoted) {
		from += strcspn(from, " \t");
	} else {
		for (to = from++; *from && *from != '"'; from++) {
			if (*from == '\\' && from[1] == '"')
				from++;
			*to++ = *from;
		}
		if (!*from)
			return rules_wrong(
			    p, "a \" without its end: write the closing \"");
		*to = '\0';
		from++;
		if (*from && *from != ' ' && *from != '\t')
			return rules_wrong(
			    p, "write a blank behind the closing \"");
	}
	*at = *from ? from + 1 : from;
	*from = '\0';
	return 0;
}

int
rules_split(struct rules_parser *p, char *line)
{
	int r = 0;

	p->n_words = p->at = 0;
	while (r == 0) {
		line += strspn(line, " \t\r");
		if (!*line || *line == '#')
			return 0;
		if (p->n_words == RULES_WORDS_MAX)
			return rules_wrong(p,
			    "more than %u words: write two lines",
			    RULES_WORDS_MAX);
		r = next_word(p, &line, &p->words[p->n_words++]);
	}
	return r;
}

const char *
rules_peek(const struct rules_parser *p)
{
	return p->at < p->n_words ? p->words[p->at].text : NULL;
}

bool
rules_take(struct rules_parser *p, const char *word)
{
	if (p->at == p->n_words || p->words[p->at].is_quoted ||
	    strcmp(p->words[p->at].text, word) != 0)
		return false;
	p->at++;
	return true;
}

int
rules_number(struct rules_parser *p, const char *what, uint32_t least,
    uint32_t most, uint32_t *ret)
{
	const char *word = rules_peek(p);
	unsigned long value;

	if (!word || !*word || strlen(word) > 9 ||
	    word[strspn(word, "0123456789")])
		return rules_wrong(
		    p, "%s: write a number from %u to %u", what, least, most);
	value = strtoul(word, NULL, 10);
	if (value < least || value > most)
		return rules_wrong(p, "%s %s: write a number from %u to %u",
		    what, word, least, most);
	*ret = (uint32_t)value;
	p->at++;
	return 0;
}

/* Digits with a point, whatever the locale; weights are small. */
int
rules_real(struct rules_parser *p, const char *what, double *ret)
{
	const char *word = rules_peek(p), *at = word;
	double value = 0, unit = 1;
	size_t n = 0;

	if (at && (*at == '-' || *at == '+'))
		at++;
	for (; at && *at >= '0' && *at <= '9'; at++, n++)
		value = 10 * value + (*at - '0');
	if (at && n > 0 && *at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++)
			value += (unit /= 10) * (*at - '0');
	if (!at || n == 0 || n > 6 || *at)
		return rules_wrong(
		    p, "%s: write a number like 0.25 or -3", what);
	*ret = *word == '-' ? -value : value;
	p->at++;
	return 0;
}

int
rules_text(struct rules_parser *p, const char *what, char **ret)
{
	const char *word = rules_peek(p);

	if (!word || !*word)
		return rules_wrong(p, "%s is missing", what);
	if (strlen(word) > 200)
		return rules_wrong(
		    p, "%s is too long: write at most 200 octets", what);
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			return rules_wrong(p, "%s: write it in ASCII", what);
	*ret = xstrdup(word);
	p->at++;
	return 0;
}

int
rules_end(struct rules_parser *p)
{
	const char *word = rules_peek(p);

	return word ? rules_wrong(
			  p, "\"%s\" is one word too many: take it away", word)
		    : 0;
}

void *
rules_grow(void *list, size_t n, size_t size)
{
	char *grown = reallocarray(list, n + 1, size);

	if (!grown)
		abort();
	memset(grown + n * size, 0, size);
	return grown;
}
