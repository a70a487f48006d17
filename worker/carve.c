/*
 * worker/carve.c - the pass over lines.
 *
 * A line costs a table look-up or two unless its first octets are those of a
 * file, plain or encoded; only then is something decoded.
 */
#include "worker/carve.h"

#include "common/cleanup.h"
#include "worker/mime_codec.h"
#include "worker/types.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define GLANCE_IN  (size_t)32  /* octets of a run that must look promising */
#define PROBE_IN   (size_t)160 /* that are tried then */
#define PROBE_COST (size_t)640 /* as work: it goes octet by octet */
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

	/* Nearly always the first octet says no. */
	return p->len >= n && (p->at[0] | 32) == (*word | 32) &&
	       strncasecmp(p->at, word, n) == 0;
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

/* How far a probe of len octets reaches: not into an escape. */
static size_t
probe_len(const struct pass *p, size_t len)
{
	const size_t left = (size_t)(p->end - p->at);

	if (left <= len)
		return left;
	if (p->at[len - 1] == '=')
		return len - 1;
	return p->at[len - 2] == '=' ? len - 2 : len;
}

static size_t
decode_probe(const struct pass *p, enum codec codec, unsigned style, size_t len,
    char *out, uint32_t *ret_odd)
{
	const size_t n = probe_len(p, len);

	return codec == CODEC_QP
		   ? codec_qp(p->at, n, (enum qp_style)style, out, ret_odd)
		   : codec_base64(
			 p->at, n, (enum base64_style)style, out, ret_odd);
}

/*
 * Does a file begin here, in one of these styles?  A glance refuses almost
 * every line; what passes it is work that only strange mail causes.
 */
static bool
is_probe(struct pass *p, enum codec codec, const unsigned *styles, size_t n)
{
	char out[PROBE_OUT];
	uint32_t odd;

	for (size_t i = 0; i < n; i++) {
		size_t got =
		    decode_probe(p, codec, styles[i], GLANCE_IN, out, &odd);

		if (types_may_be_magic(out, got)) {
			if (!cell_may_work(p->c, PROBE_COST))
				return false;
			got = decode_probe(
			    p, codec, styles[i], PROBE_IN, out, &odd);
			if (types_magic(out, got))
				return true;
		}
		if (i == 0 && (odd & ~ODD_QUANTUM) == 0)
			return false; /* all styles agree */
	}
	return false;
}

/* Does base64 of a file begin in this line? */
static bool
try_base64(struct pass *p)
{
	static const unsigned styles[] = {
	    BASE64_RESTART, BASE64_IGNORE, BASE64_LINES};
	const unsigned bits =
	    codec_base64_peek(p->at, (size_t)(p->end - p->at), PROBE_PEEK);
	struct span run;

	if (bits > 4095 || !types_may_begin(bits) ||
	    !is_probe(p, CODEC_BASE64, styles, 3))
		return false;
	run = run_from(p);
	if (carve_base64(p->c, run, p->src) == 0)
		return false;
	skip_run(p, run);
	return true;
}

/* The '=' is behind the octets that tell a file, and they don't. */
static bool
is_qp_hopeless(const struct pass *p, const char *eq)
{
	const size_t left = (size_t)(p->end - p->at);
	const size_t look = left < GLANCE_IN ? left : GLANCE_IN;

	return eq - p->at >= 2 &&
	       !types_may_begin((unsigned)(unsigned char)p->at[0] << 4 |
				(unsigned)(unsigned char)p->at[1] >> 4) &&
	       /* nor may "-lh" or "**ACE**" follow */
	       !memchr(p->at, '-', look) && !memchr(p->at, '*', look) &&
	       !memmem(p->at, look, "=2", 2);
}

static bool
try_qp(struct pass *p)
{
	static const unsigned styles[] = {
	    QP_KEEP, QP_DROP, QP_ONE, QP_SKIP, QP_UPPER, QP_HALF, QP_WRAP};
	const size_t look = p->len < PROBE_QP ? p->len : PROBE_QP;
	const char *eq = look ? memchr(p->at, '=', look) : NULL;
	struct span run;

	_Static_assert(ARRAY_SIZE(styles) == QP_STYLES, "all of them");
	if (!eq || is_qp_hopeless(p, eq) ||
	    !is_probe(p, CODEC_QP, styles, QP_STYLES))
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

/* The line's length without the CR of its end. */
static size_t
line_len(const struct pass *p)
{
	return p->len > 0 && p->at[p->len - 1] == '\r' ? p->len - 1 : p->len;
}

static bool
try_named(struct pass *p)
{
	struct codec_name name;
	unsigned codec = CODEC_COUNT;

	/* The mode keeps out prose and programs: "begin 644 name". */
	if (begins(p, "begin"))
		codec = codec_uu_begin(p->at, line_len(p), &name);
	else if (begins(p, "=ybegin "))
		codec = CODEC_YENC;
	else if (begins(p, "(This file must be converted with BinHex"))
		codec = CODEC_BINHEX;
	return codec != CODEC_COUNT &&
	       carve_old(p->c, run_from(p), codec, p->src) > 0;
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
