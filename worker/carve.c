/*
 * worker/carve.c - the pass over lines.
 *
 * A line costs a table look-up or two unless its first octets are those of a
 * file, plain or encoded; only then is something decoded.
 */
#include "worker/carve.h"

#include "worker/mime_codec.h"
#include "worker/types.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define PROBE_IN   (size_t)160 /* octets of a run that are tried */
#define PROBE_OUT  (size_t)192
#define PROBE_PEEK (size_t)24 /* in which its first two letters must be */
#define PROBE_QP   (size_t)12 /* where the first '=' must be */
/* A run without a known beginning must be this long to be looked into. */
#define RUN_LINE  (size_t)40
#define RUN_LINES 4

struct pass {
	struct cell *c;
	const struct source *src;
	const char *at; /* of the line */
	const char *next;
	const char *end;
	const char *delimiter; /* where runs end, if known */
	size_t len;            /* of the line, without its end */
	unsigned run;          /* lines in a row that look like base64 */
	const char *run_at;
	bool armor; /* between PGP's -----BEGIN and -----END */
};

static bool
begins(const struct pass *p, const char *word)
{
	const size_t n = strlen(word);

	return p->len >= n && strncasecmp(p->at, word, n) == 0;
}

/* The end of a run that began in this line: the next delimiter line.  It is
 * looked for once, however many runs end there. */
static const char *
run_end(struct pass *p)
{
	const char *from = p->next - 1; /* the line's end */

	if (p->delimiter && p->delimiter > from)
		return p->delimiter;
	p->delimiter = memmem(from, (size_t)(p->end - from), "\n--", 3);
	p->delimiter = p->delimiter ? p->delimiter + 1 : p->end;
	return p->delimiter;
}

static struct span
run_from(struct pass *p)
{
	return (struct span){p->at, (size_t)(run_end(p) - p->at)};
}

/* After something was found: go on behind it. */
static void
skip_run(struct pass *p, struct span run)
{
	p->next = run.at + run.len;
}

static bool
is_probe(struct pass *p, enum base64_style style)
{
	const size_t left = (size_t)(p->end - p->at);
	char out[PROBE_OUT];
	const size_t n = codec_base64(
	    p->at, left < PROBE_IN ? left : PROBE_IN, style, out, NULL);

	return types_magic(out, n) != NULL;
}

/* Does base64 of a file begin in this line? */
static bool
try_base64(struct pass *p)
{
	static const enum base64_style styles[] = {
	    BASE64_RESTART, BASE64_IGNORE, BASE64_LINES};
	const unsigned bits =
	    codec_base64_peek(p->at, (size_t)(p->end - p->at), PROBE_PEEK);
	bool is_file = false;
	struct span run;

	if (bits > 4095 || !types_may_begin(bits))
		return false;
	for (size_t k = 0; k < 3 && !is_file; k++)
		is_file = is_probe(p, styles[k]);
	if (!is_file)
		return false;
	run = run_from(p);
	if (carve_base64(p->c, run, p->src) == 0)
		return false;
	skip_run(p, run);
	return true;
}

static bool
try_qp(struct pass *p)
{
	const size_t left = (size_t)(p->end - p->at);
	const size_t look = p->len < PROBE_QP ? p->len : PROBE_QP;
	bool is_file = false;
	char out[PROBE_OUT];
	struct span run;

	if (look == 0 || !memchr(p->at, '=', look))
		return false;
	for (unsigned style = 0; style < QP_STYLES && !is_file; style++)
		is_file = types_magic(out,
			      codec_qp(p->at, left < PROBE_IN ? left : PROBE_IN,
				  (enum qp_style)style, out, NULL)) != NULL;
	if (!is_file)
		return false;
	run = run_from(p);
	if (carve_qp(p->c, run, p->src) == 0)
		return false;
	skip_run(p, run);
	return true;
}

/* A uuencoded line without begin before it, with a file's first octets. */
static bool
try_uu(struct pass *p)
{
	const size_t n = p->len ? ((unsigned char)p->at[0] - 32u) & 63u : 0;
	struct codec_name name;
	char out[PROBE_OUT];
	uint32_t odd;
	size_t got;

	if (n < 8 || p->len > 62 || p->len < 1 + (n + 2) / 3 * 4)
		return false;
	got = codec_uu(p->at, p->len, out, &odd, &name);
	if (types_magic(out, got) == NULL)
		return false;
	return carve_old(p->c, run_from(p), CODEC_UU, p->src) > 0;
}

static bool
try_named(struct pass *p)
{
	unsigned codec;

	if (begins(p, "begin ") && p->len > 10)
		codec = CODEC_UU;
	else if (begins(p, "=ybegin "))
		codec = CODEC_YENC;
	else if (begins(p, "(This file must be converted with BinHex"))
		codec = CODEC_BINHEX;
	else
		return false;
	return carve_old(p->c, run_from(p), codec, p->src) > 0;
}

/* A file in the open, not at the very start (that is the part itself). */
static bool
try_plain(struct pass *p, const char *start)
{
	const size_t left = (size_t)(p->end - p->at);
	const struct source *src = p->src;
	struct source found = *src;
	const char *type;

	if (p->at == start)
		return false;
	type = types_magic(p->at, left);
	if (!type || types_is_text(type) || !cell_may_work(p->c, left))
		return false;
	found.names = NULL;
	if (writer_append(p->c->w, p->at, left) < 0)
		return false;
	(void)cell_part(p->c, &found);
	return true;
}

/* The whole line of base64's alphabet, as long as encoders make them. */
static bool
is_run_line(const struct pass *p)
{
	if (p->len < RUN_LINE)
		return false;
	for (size_t i = 0; i < p->len; i++)
		if (!isalnum((unsigned char)p->at[i]) && p->at[i] != '+' &&
		    p->at[i] != '/' && p->at[i] != '=')
			return false;
	return true;
}

static void
count_run(struct pass *p)
{
	struct span run;

	if (begins(p, "-----BEGIN PGP"))
		p->armor = true;
	else if (begins(p, "-----END PGP"))
		p->armor = false;
	if (p->armor || !is_run_line(p)) {
		p->run = 0;
		return;
	}
	if (p->run++ == 0)
		p->run_at = p->at;
	if (p->run != RUN_LINES)
		return;
	p->at = p->run_at;
	run = run_from(p);
	if (carve_base64(p->c, run, p->src) > 0)
		skip_run(p, run);
}

/* Content-Type: and its like, however it is indented or spelled. */
static bool
is_content_line(const struct pass *p)
{
	size_t i = 0;

	while (i < p->len && !isalpha((unsigned char)p->at[i]))
		i++;
	if (i == p->len || (p->at[i] | 32) != 'c')
		return false;
	return p->len - i > 12 && strncasecmp(p->at + i, "content-", 8) == 0 &&
	       strchr("tTdD", p->at[i + 8]);
}

static void
take_line(struct pass *p, const char *start, struct carve_seen *seen)
{
	const char first = p->len ? p->at[0] : '\n';

	if (first == '\n')
		return;
	if (first == '-' && p->len > 2 && p->at[1] == '-' && p->at[2] != '-')
		seen->delimiters++;
	else if (is_content_line(p))
		seen->content_lines++;
	if (try_named(p) || try_plain(p, start) || try_base64(p) || try_qp(p) ||
	    try_uu(p)) {
		seen->found++;
		p->run = 0;
		return;
	}
	count_run(p);
}

void
carve_text(struct cell *c, struct span text, const char *reach,
    const struct source *src, struct carve_seen *seen)
{
	struct source found = *src;
	struct pass p = {.c = c, .src = &found, .at = text.at, .end = reach};
	const char *const end = text.at + text.len;

	found.view = VIEW_CARVED;
	found.declared = NULL;
	found.type = NULL;
	found.names = NULL;
	found.flags = PART_ATTACHMENT;
	found.ambiguity = AMBIGUOUS_CARVED;
	while (p.at < end && c->status == READING_COMPLETE) {
		const char *nl = memchr(p.at, '\n', (size_t)(p.end - p.at));

		p.next = nl ? nl + 1 : p.end;
		p.len = (size_t)((nl ? nl : p.end) - p.at);
		take_line(&p, text.at, seen);
		p.at = p.next;
	}
}
