/*
 * tools/sim/trace_text.c - a trace as lines of numbers.
 */
#include "tools/sim/trace_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "tools/sim/options_value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Longer lines are no trace. */
#define LINE_BYTES 1024
#define FIELDS     5

#define FORM \
	"ARRIVED_SECONDS BYTES SERVICE_SECONDS [WAIT_SECONDS [LANE]], such " \
	"as \"1700000000.25 6800 1.54\""

static const struct {
	const char *name;
	double min, max;
	const char *write;
} fields[FIELDS] = {
    {"ARRIVED_SECONDS", 0, 1e11, "seconds since 1970"},
    {"BYTES", 1, 1e15, "the size in octets, whole"},
    {"SERVICE_SECONDS", 0, 1e9, "the seconds of the scan"},
    {"WAIT_SECONDS", 0, 1e9, "the seconds before the scan"},
    {"LANE", 1, FEED_MAX_LANES, "the number of the feed queue, from 1"},
};

struct place {
	const char *path;
	uintmax_t line;
};

static int
read_field(const struct place *at, int i, const char *word, double *ret,
    char *err, size_t err_size)
{
	char where[512];
	const struct value_rule rule = {
	    where, fields[i].min, fields[i].max, false, fields[i].write};
	uint64_t whole;
	int r;

	(void)snprintf(where, sizeof(where), "%s:%ju: %s", at->path, at->line,
	    fields[i].name);
	if (i != 1 && i != 4)
		return value_number(&rule, word, ret, err, err_size);
	r = value_count(&rule, word, &whole, err, err_size);
	if (r == 0)
		*ret = (double)whole;
	return r;
}

static uint64_t
usec_of(double sec)
{
	return (uint64_t)llround(sec * 1e6);
}

/* 1: a message, 0: none (empty, a comment), -EINVAL. */
static int
read_line(const struct place *at, char *line, struct trace_message *ret,
    char *err, size_t err_size)
{
	double x[FIELDS] = {0};
	char *rest = line, *word;
	int n = 0;

	while ((word = strsep(&rest, " \t\r\n"))) {
		int r;

		if (*word == '\0')
			continue;
		if (*word == '#' && n == 0)
			return 0;
		if (n == FIELDS) {
			(void)snprintf(err, err_size,
			    "%s:%ju: \"%.40s\" is one field too many: "
			    "write " FORM,
			    at->path, at->line, word);
			return -EINVAL;
		}
		r = read_field(at, n, word, &x[n], err, err_size);
		if (r < 0)
			return r;
		n++;
	}
	if (n > 0 && n < 3) {
		(void)snprintf(err, err_size,
		    "%s:%ju: only %d of its fields are there: write " FORM,
		    at->path, at->line, n);
		return -EINVAL;
	}
	ret->arrived_usec = usec_of(x[0]);
	ret->bytes = (uint64_t)x[1];
	ret->service_usec = usec_of(x[2]);
	ret->wait_usec = n > 3 ? usec_of(x[3]) : TRACE_NO_WAIT;
	ret->lane = n > 4 ? (uint32_t)x[4] - 1 : FEED_MAX_LANES;
	return n > 0;
}

static int
check_order(const struct place *at, uint64_t before_usec, uint64_t usec,
    char *err, size_t err_size)
{
	if (usec >= before_usec)
		return 0;
	(void)snprintf(err, err_size,
	    "%s:%ju: ARRIVED_SECONDS goes back, from %.6f to %.6f: write the "
	    "messages in the order in which they arrived (sort -n)",
	    at->path, at->line, (double)before_usec / 1e6, (double)usec / 1e6);
	return -EINVAL;
}

DEFINE_CLEANUP(FILE *, fclose);

int
trace_read_text(
    const char *path, struct trace_builder *builder, char *err, size_t err_size)
{
	CLEANUP(fclosep) FILE *in = fopen(path, "re");
	struct place at = {.path = path};
	uint64_t before_usec = 0;
	char line[LINE_BYTES];
	int r = 0;

	if (!in)
		return -errno;
	while (r >= 0 && fgets(line, sizeof(line), in)) {
		struct trace_message m;

		at.line++;
		if (strlen(line) == sizeof(line) - 1) {
			(void)snprintf(err, err_size,
			    "%s:%ju: a line of more than %d octets: "
			    "write " FORM,
			    path, at.line, LINE_BYTES - 2);
			return -EINVAL;
		}
		if (line[0] == '\0' || (!strchr(line, '\n') && !feof(in))) {
			(void)snprintf(err, err_size,
			    "%s:%ju: a NUL is in it: write " FORM, path,
			    at.line);
			return -EINVAL;
		}
		r = read_line(&at, line, &m, err, err_size);
		if (r <= 0)
			continue;
		r = check_order(
		    &at, before_usec, m.arrived_usec, err, err_size);
		if (r == 0)
			r = trace_add(builder, &m);
		before_usec = m.arrived_usec;
	}
	return r < 0 ? r : ferror(in) ? -EIO : 0;
}
