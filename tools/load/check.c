/* tools/load/check.c - join the two logs and judge. */
#include "check.h"

#include "check_log.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 64

struct check_options {
	const char *sent[FILES_MAX];
	const char *sink[FILES_MAX];
	size_t sent_count, sink_count;
	const char *expect_out; /* classes with commas */
	uint64_t max_duplicates;
	bool excuse_cut;
	bool allow_foreign;
	bool allow_returned;
	bool same_body;
	bool json;
};

/* What the sink says of one id. */
struct arrivals_of {
	uint64_t messages;
	uint64_t cuts;
	uint64_t returns;
	uint64_t altered;
	double first;
};

static bool
is_listed(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *p = list; *p;) {
		const size_t n = strcspn(p, ",");

		if (n == len && memcmp(p, word, n) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static struct check_class *
class_of(struct check_report *r, const char *name)
{
	size_t i = 0;

	while (i < r->class_count && strcmp(r->classes[i].name, name) != 0)
		i++;
	if (i == CHECK_CLASSES_MAX)
		die(EXIT_USAGE, "more than %d classes", CHECK_CLASSES_MAX);
	if (i == r->class_count) {
		(void)snprintf(
		    r->classes[i].name, sizeof(r->classes[i].name), "%s", name);
		r->class_count++;
	}
	return &r->classes[i];
}

static bool
is_bad(const struct check_options *o, enum finding f)
{
	switch (f) {
	case FIND_ONCE:
	case FIND_STOPPED:
	case FIND_REFUSED:
	case FIND_BROKEN:
	case FIND_BROKEN_CAME:
	case FIND_EXCUSED:
	case FIND_COUNT:
		return false;
	case FIND_ALTERED:
		return o->same_body;
	case FIND_FOREIGN:
		return !o->allow_foreign;
	case FIND_RETURNED:
		return !o->allow_returned;
	case FIND_MISSING:
	case FIND_DUPLICATED:
	case FIND_LEAKED:
	case FIND_UNACCEPTED:
	case FIND_SENT_TWICE:
		return true;
	}
	return true;
}

/* Count; name it when it is a problem.  c is NULL for what has no class. */
static void
enter(const struct check_options *o, struct check_report *r,
    struct check_class *c, enum finding f, const char *id)
{
	if (c)
		c->count[f]++;
	r->total.count[f]++;
	if (is_bad(o, f) && r->problem_count < CHECK_PROBLEMS_MAX)
		r->problems[r->problem_count++] =
		    (struct check_problem){.finding = f, .id = id};
}

static enum finding
judge(const struct check_options *o, const struct sent_line *s,
    const struct arrivals_of *a)
{
	const bool wanted = is_listed(o->expect_out, s->class);
	const bool accepted = s->status == STATUS_ACCEPTED;
	/* Each broken try may have been taken besides the accepted one. */
	const uint64_t allowed =
	    s->broke + accepted + (o->excuse_cut ? a->cuts : 0);

	if (s->status == STATUS_REJECTED || s->status == STATUS_DEFERRED)
		return a->messages > 0 ? FIND_UNACCEPTED : FIND_REFUSED;
	/* A bounce carries the message, or enough of it. */
	if (!wanted && a->messages + a->returns > 0)
		return FIND_LEAKED;
	if (a->returns > 0)
		return FIND_RETURNED;
	if (!accepted && a->messages == 0)
		return FIND_BROKEN;
	if (!wanted)
		return FIND_STOPPED;
	if (a->messages == 0)
		return FIND_MISSING;
	if (a->messages > allowed)
		return FIND_DUPLICATED;
	if (a->messages > 1)
		return FIND_EXCUSED;
	return accepted ? FIND_ONCE : FIND_BROKEN_CAME;
}

static void
count_status(struct check_class *c, enum status status)
{
	c->sent++;
	c->accepted += status == STATUS_ACCEPTED;
	c->rejected += status == STATUS_REJECTED;
	c->deferred += status == STATUS_DEFERRED;
}

static void
check_one(const struct check_options *o, struct check_report *r,
    const struct sent_line *s, const struct arrivals_of *a, bool is_again)
{
	struct check_class *c = class_of(r, s->class);
	const enum finding f = judge(o, s, a);

	count_status(c, s->status);
	count_status(&r->total, s->status);
	if (is_again) {
		enter(o, r, c, FIND_SENT_TWICE, s->id);
		return;
	}
	enter(o, r, c, f, s->id);
	if (a->altered > 0)
		enter(o, r, c, FIND_ALTERED, s->id);
	if (f == FIND_ONCE || (f == FIND_EXCUSED && s->t_accepted > 0))
		r->latency[r->latency_count++] = a->first - s->t_accepted;
}

/* The sink's lines of one id begin at i. */
static size_t
gather(const struct check_log *l, size_t i, const struct sent_line *s,
    struct arrivals_of *ret_a)
{
	*ret_a = (struct arrivals_of){0};
	for (; i < l->sink_count && strcmp(l->sink[i].id, s->id) == 0; i++) {
		const struct sink_line *line = &l->sink[i];

		if (line->is_cut) {
			ret_a->cuts++;
			continue;
		}
		if (line->is_return) {
			ret_a->returns++;
			continue;
		}
		if (ret_a->messages++ == 0)
			ret_a->first = line->t;
		/* Either end may not have hashed it. */
		if (*line->sha256 && *s->sha256 &&
		    strcmp(line->sha256, s->sha256) != 0)
			ret_a->altered++;
	}
	return i;
}

static void
pass_foreign(const struct check_options *o, struct check_report *r,
    const struct sink_line *line)
{
	if (!line->is_cut)
		enter(o, r, NULL, FIND_FOREIGN, *line->id ? line->id : NULL);
}

/* Both lists are sorted: one walk through each. */
static void
join(const struct check_options *o, const struct check_log *l,
    struct check_report *r)
{
	size_t at = 0;

	for (size_t i = 0; i < l->sent_count; i++) {
		const struct sent_line *s = &l->sent[i];
		const bool is_again =
		    i > 0 && strcmp(l->sent[i - 1].id, s->id) == 0;
		struct arrivals_of a;

		while (at < l->sink_count && strcmp(l->sink[at].id, s->id) < 0)
			pass_foreign(o, r, &l->sink[at++]);
		at = gather(l, at, s, &a);
		check_one(o, r, s, &a, is_again);
	}
	while (at < l->sink_count)
		pass_foreign(o, r, &l->sink[at++]);
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
conclude(const struct check_options *o, struct check_report *r)
{
	/* Nothing sent, nothing proved. */
	r->is_ok = r->total.accepted > 0;
	for (int f = 0; f < FIND_COUNT; f++) {
		const uint64_t allowed =
		    f == FIND_DUPLICATED ? o->max_duplicates : 0;

		if (is_bad(o, (enum finding)f) && r->total.count[f] > allowed)
			r->is_ok = false;
	}
	if (r->latency_count > 1)
		qsort(r->latency, r->latency_count, sizeof(*r->latency),
		    by_value);
}

static void
load(const struct check_options *o, struct check_log *l)
{
	for (size_t i = 0; i < o->sent_count; i++) {
		const int r = check_log_add_sent(l, o->sent[i]);

		if (r < 0)
			die(EXIT_SYSTEM, "%s: %s", o->sent[i], strerror(-r));
	}
	for (size_t i = 0; i < o->sink_count; i++) {
		const int r = check_log_add_sink(l, o->sink[i]);

		if (r < 0)
			die(EXIT_SYSTEM, "%s: %s", o->sink[i], strerror(-r));
	}
	check_log_sort(l);
}

static int
check_run(const struct check_options *o)
{
	struct check_report *r = xcalloc(1, sizeof(*r));
	struct check_log l = {0};
	bool is_ok;

	load(o, &l);
	r->latency = xcalloc(l.sent_count + 1, sizeof(*r->latency));
	r->bad_lines = l.bad_lines;
	for (size_t i = 0; i < l.sink_count; i++)
		r->received += !l.sink[i].is_cut;
	join(o, &l, r);
	conclude(o, r);
	check_report_print(r, o->json);
	is_ok = r->is_ok;
	check_log_done(&l);
	free(r->latency);
	free(r);
	return is_ok ? EXIT_FINE : EXIT_BAD_NEWS;
}

enum option_key {
	OPT_SENT = 1000,
	OPT_SINK,
	OPT_EXPECT_OUT,
	OPT_MAX_DUPLICATES,
	OPT_EXCUSE_CUT,
	OPT_ALLOW_FOREIGN,
	OPT_ALLOW_RETURNED,
	OPT_SAME_BODY,
	OPT_JSON,
};

static const struct argp_option options[] = {
    {"sent", OPT_SENT, "FILE", 0, "log of a sender (may be given again)", 0},
    {"sink", OPT_SINK, "FILE", 0, "log of a sink (may be given again)", 0},
    {"expect-out", OPT_EXPECT_OUT, "CLASSES", 0,
	"classes that must arrive, with commas; no others may "
	"(ham,spam,attach,corpus)",
	0},
    {"max-duplicates", OPT_MAX_DUPLICATES, "N", 0,
	"bear so many messages that came twice (0)", 0},
    {"excuse-cut", OPT_EXCUSE_CUT, NULL, 0,
	"and those whose connection to the sink was cut right after the 250",
	0},
    {"allow-foreign", OPT_ALLOW_FOREIGN, NULL, 0,
	"bear mail at the sink that no sender logged", 0},
    {"allow-returned", OPT_ALLOW_RETURNED, NULL, 0,
	"bear bounces to the sender: lost they are not", 0},
    {"same-body", OPT_SAME_BODY, NULL, 0,
	"a body that changed on its way is bad news", 0},
    {"json", OPT_JSON, NULL, 0, "report as one JSON object", 0},
    {0},
};

static const char doc[] =
    "Compare what was accepted with what arrived."
    "\v"
    "Every accepted message of the expected classes must have arrived exactly "
    "once, and nothing else may have. A broken message (fate unknown to the "
    "sender) may have arrived or not. Latency is from the sender's 250 to the "
    "final dot at the sink.\n\n"
    "Example:\n"
    "  sluice-traffic check --sent sent.jsonl --sink got.jsonl \\\n"
    "      --expect-out ham,attach\n\n"
    "Exit status: 0 all is well; 1 it isn't; 100 wrong usage; 111 a log can't "
    "be read.";

static void
add_file(const char **files, size_t *count, const char *arg)
{
	if (*count == FILES_MAX)
		die(EXIT_USAGE, "more than %d files", FILES_MAX);
	files[(*count)++] = arg;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct check_options *o = state->input;

	switch (key) {
	case OPT_SENT:
		add_file(o->sent, &o->sent_count, arg);
		return 0;
	case OPT_SINK:
		add_file(o->sink, &o->sink_count, arg);
		return 0;
	case OPT_EXPECT_OUT:
		o->expect_out = arg;
		return 0;
	case OPT_MAX_DUPLICATES:
		o->max_duplicates = parse_count("--max-duplicates", arg);
		return 0;
	case OPT_EXCUSE_CUT:
		o->excuse_cut = true;
		return 0;
	case OPT_ALLOW_FOREIGN:
		o->allow_foreign = true;
		return 0;
	case OPT_ALLOW_RETURNED:
		o->allow_returned = true;
		return 0;
	case OPT_SAME_BODY:
		o->same_body = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case ARGP_KEY_END:
		if (o->sent_count == 0 || o->sink_count == 0)
			argp_error(state, "needs --sent and --sink");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int
check_main(int argc, char **argv)
{
	static const struct argp argp = {
	    options, parse, NULL, doc, NULL, NULL, NULL};
	struct check_options o = {.expect_out = "ham,spam,attach,corpus"};

	(void)argp_parse(&argp, argc, argv, 0, NULL, &o);
	return check_run(&o);
}
