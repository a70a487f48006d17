/*
 * tools/sluice/repository_list.c - `sluice model repository list` and `label`.
 */
#include "tools/sluice/repository.h"

#include "common/clock.h"
#include "common/io.h"
#include "tools/sluice/repository_labels.h"

#include <ctype.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct list_options {
	struct repository_options repository; /* first */
	bool is_all;
};

static error_t
parse_list(int key, char *arg, struct argp_state *state)
{
	struct list_options *o = state->input;

	switch (key) {
	case 'a':
		o->is_all = true;
		return 0;
	default:
		return repository_option(key, arg, &o->repository);
	}
}

static const struct argp list_argp = {
    .options = (const struct argp_option[]){OPTION_DIRECTORY, OPTION_JSON,
	{"all", 'a', NULL, 0, "also what is labelled", 0}, {0}},
    .parser = parse_list,
    .doc = "The files that wait for a label, those that most parcels had "
	   "first."};

static uint64_t
reports_of(const struct sample *s)
{
	return json_array_size(json_object_get(s->about, "reports")) +
	       util_json_number(s->about, "more");
}

static int
by_reports(const void *a, const void *b)
{
	const struct sample *const *x = a, *const *y = b;
	const uint64_t n = reports_of(*x), m = reports_of(*y);

	return n != m
		   ? (n < m) - (n > m)
		   : memcmp(&(*x)->digest, &(*y)->digest, sizeof((*x)->digest));
}

static void
list_json(const struct sample *s)
{
	char hex[DIGEST_HEX];
	const double p = sample_p(s);

	util_json_line(
	    stdout, json_pack("{ss sI sI so ss so ss* ss*}", "sha256",
			digest_hex(&s->digest, hex), "bytes",
			(json_int_t)util_json_number(s->about, "bytes"),
			"reports", (json_int_t)reports_of(s), "p_malicious",
			isnan(p) ? json_null() : json_real(p), "label",
			sample_label_names[s->label], "name",
			util_json_text(sample_name(s)), "by", s->label_by,
			"note", s->note));
}

static void
list_row(struct table *table, const struct sample *s)
{
	char hex[DIGEST_HEX], bytes[32];
	const double p = sample_p(s);

	table_cell(table, "%.12s", digest_hex(&s->digest, hex));
	table_cell(table, "%s",
	    util_bytes(
		util_json_number(s->about, "bytes"), bytes, sizeof(bytes)));
	table_cell(table, "%ju", (uintmax_t)reports_of(s));
	if (isnan(p))
		table_cell(table, "-");
	else
		table_cell(table, "%.2f %%", 100 * p);
	table_cell(table, "%s", sample_label_names[s->label]);
	table_cell(table, "%.60s", sample_name(s));
}

static void
list(const struct samples *samples, const struct list_options *o)
{
	static const char *const titles[] = {
	    "SHA-256", ">SIZE", ">PARCELS", ">MALICIOUS", "LABEL", "NAME"};
	CLEANUP(free_ptr)
	const struct sample **rows = xcalloc(samples->n + 1, sizeof(*rows));
	struct table *table = table_new(ARRAY_SIZE(titles), titles);
	size_t n = 0;

	for (size_t i = 0; i < samples->n; i++)
		if (samples->at[i].about &&
		    (o->is_all || samples->at[i].label == SAMPLE_NONE))
			rows[n++] = &samples->at[i];
	if (n > 0)
		qsort(rows, n, sizeof(*rows), by_reports);
	for (size_t i = 0; i < n; i++)
		if (o->repository.common.json)
			list_json(rows[i]);
		else
			list_row(table, rows[i]);
	if (o->repository.common.json || n == 0)
		table_free(table);
	else
		table_print(table, stdout);
	if (!o->repository.common.json && n == 0)
		(void)printf("nothing waits for a label\n");
}

int
repository_list(int argc, char **argv)
{
	struct list_options o = {.is_all = false};
	struct repository repository;
	struct samples samples = {NULL, 0, 0};
	int status;

	util_parse(&list_argp, argc, argv, &o);
	status = repository_open(&o.repository, false, argv[0], &repository);
	if (status == STATUS_FINE)
		status = samples_read(&repository, &samples);
	if (status == STATUS_FINE)
		list(&samples, &o);
	samples_done(&samples);
	repository_done(&repository);
	return status;
}

struct label_options {
	struct repository_options repository; /* first */
	const char *by, *note;
	enum sample_label label;
	char **files;
	int n_files;
};

static void
parse_label(struct argp_state *state, struct label_options *o)
{
	const char *name = state->argv[state->next];
	int i = 0;

	while (i < SAMPLE_LABELS && strcmp(name, sample_label_names[i]) != 0)
		i++;
	if (i == SAMPLE_LABELS)
		argp_error(
		    state, "%s: write malicious, benign, unsure or none", name);
	o->label = (enum sample_label)i;
	o->files = state->argv + state->next + 1;
	o->n_files = state->argc - state->next - 1;
}

static error_t
parse_label_options(int key, char *arg, struct argp_state *state)
{
	struct label_options *o = state->input;

	switch (key) {
	case 'b':
		o->by = arg;
		return 0;
	case 'n':
		o->note = arg;
		return 0;
	case ARGP_KEY_ARGS:
		parse_label(state, o);
		return 0;
	case ARGP_KEY_END:
		if (o->n_files == 0)
			argp_error(state, "as what, and which files?");
		return 0;
	default:
		return repository_option(key, arg, &o->repository);
	}
}

static const struct argp label_argp = {
    .options = (const struct argp_option[]){OPTION_DIRECTORY,
	{"by", 'b', "NAME", 0, "who says so (default: your login)", 0},
	{"note", 'n', "TEXT", 0, "why", 0}, {0}},
    .parser = parse_label_options,
    .args_doc = "malicious|benign|unsure|none SHA256...",
    .doc = "Say what files are; the beginning of a SHA-256 is enough.\v"
	   "unsure: somebody looked at it, and it is not to be learned.  none: "
	   "take a label back.  Nothing is learned before `train`."};

/* Of a line: no line ends, no control characters; name: no blanks either. */
static bool
is_word(const char *text, bool is_name)
{
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c) || (is_name && *c == ' '))
			return false;
	return !is_name || *text;
}

static const char *
login(void)
{
	const struct passwd *who = getpwuid(getuid());

	return who ? who->pw_name : "unknown";
}

/* The lines of all the files, or NULL after saying what is wrong. */
static char *
make_lines(const struct repository *repository, const struct samples *samples,
    const struct label_options *o, size_t *ret_n)
{
	const char *by = o->by ? o->by : login(), *note = o->note;
	const time_t now = (time_t)(wall_now().usec / USEC_PER_SEC);
	char *lines = NULL, when[32], hex[DIGEST_HEX];
	FILE *out = open_memstream(&lines, ret_n);
	bool is_wrong = false;
	struct tm tm;

	if (!out || !gmtime_r(&now, &tm) ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		abort();
	for (int i = 0; i < o->n_files && !is_wrong; i++) {
		const struct sample *s =
		    samples_named(repository, samples, o->files[i]);

		is_wrong = !s;
		if (s)
			(void)fprintf(out, "%s %s %s %s%s%s\n", when,
			    digest_hex(&s->digest, hex),
			    sample_label_names[o->label], by, note ? " " : "",
			    note ? note : "");
	}
	if (fclose(out) != 0)
		abort();
	if (!is_wrong)
		return lines;
	free(lines);
	return NULL;
}

static int
label(const struct repository *repository, const struct label_options *o)
{
	CLEANUP(free_ptr) char *lines = NULL;
	struct samples samples;
	size_t n = 0;
	int r, status = samples_read(repository, &samples);

	if (status == STATUS_FINE) {
		lines = make_lines(repository, &samples, o, &n);
		status = lines ? STATUS_FINE : STATUS_USAGE;
	}
	samples_done(&samples);
	if (status != STATUS_FINE)
		return status;
	r = labels_append(repository, lines, n);
	return r == 0 ? STATUS_FINE
		      : util_fail(STATUS_SYSTEM, repository->command,
			    "%s/labels: %s", repository->path, strerror(-r));
}

int
repository_label(int argc, char **argv)
{
	struct label_options o = {.by = NULL};
	struct repository repository;
	int status;

	util_parse(&label_argp, argc, argv, &o);
	if ((o.by && (!is_word(o.by, true) || strlen(o.by) > 64)) ||
	    (o.note && (!is_word(o.note, false) ||
			   strlen(o.note) > LABEL_LINE_MAX / 2)))
		return util_fail(STATUS_USAGE, argv[0],
		    "a name is one word of at most 64 octets, a note one line "
		    "of at most %d",
		    LABEL_LINE_MAX / 2);
	status = repository_open(&o.repository, true, argv[0], &repository);
	if (status == STATUS_FINE)
		status = label(&repository, &o);
	repository_done(&repository);
	return status;
}
