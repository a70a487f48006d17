#include "tests/bench/flow_rows.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 26
#define ROWS    10000

/* The one that relays ham and spam alike: its distance in miles. */
#define FORWARDER 5751.9

enum { MILES = 1, HOUR, NEIGHBOURS, WINDOW, TTL, OS, SPAM = 20, FOLD = 22 };

static const struct {
	unsigned int column;
	enum flow_feature feature;
} ours[] =
    {
	{7, FLOW_FEATURE_pkts_out},
	{8, FLOW_FEATURE_rxmt_in},
	{9, FLOW_FEATURE_rxmt_out},
	{10, FLOW_FEATURE_rst_in},
	{11, FLOW_FEATURE_rst_out},
	{12, FLOW_FEATURE_fin_in},
	{13, FLOW_FEATURE_fin_out},
	{14, FLOW_FEATURE_idle_max},
	{15, FLOW_FEATURE_hs_time},
	{16, FLOW_FEATURE_jitter_var},
	{17, FLOW_FEATURE_rtt_var},
	{18, FLOW_FEATURE_bytes_in},
	{WINDOW, FLOW_FEATURE_win_init},
},
  others[] = {
      {MILES, FLOW_FEATURE_syn_rxmt}, {HOUR, FLOW_FEATURE_rtt_init},
      {NEIGHBOURS, FLOW_FEATURE_win_min}, {TTL, FLOW_FEATURE_ooo_in},
      {OS, FLOW_FEATURE_dupack_in},
      {19, FLOW_FEATURE_win_zero}, /* throughput */
};

/* An operating system's number: any, as long as it is always the same. */
static double
number_of(const char *column)
{
	char *end;
	const double value = strtod(column, &end);

	return *end ? (double)(unsigned char)column[0] : value;
}

static int
read_row(char *line, enum flow_rows_with with, struct flow_rows_table *t)
{
	struct flow_sample *s = &t->samples[t->n];
	char *column[COLUMNS];
	char place[32];

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < COLUMNS; i++)
		if (!(column[i] = strsep(&line, ",")))
			return -EBADMSG;
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		s->x[f] = NAN;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		s->x[ours[i].feature] = number_of(column[ours[i].column]);
	for (size_t i = 0; with == FLOW_ROWS_ALL && i < ARRAY_SIZE(others); i++)
		s->x[others[i].feature] = number_of(column[others[i].column]);
	/* Any hash of the place will do: that of an address with its number. */
	(void)snprintf(place, sizeof(place),
	    "%x::", (unsigned int)fmod(number_of(column[MILES]) * 10, 65536));
	s->peer = flow_peer(place);
	s->is_spam = number_of(column[SPAM]) > 0;
	t->folds[t->n] = (unsigned int)number_of(column[FOLD]);
	t->is_forwarder[t->n] =
	    fabs(number_of(column[MILES]) - FORWARDER) < 0.05;
	return t->folds[t->n++] < FLOW_ROWS_FOLDS ? 0 : -EBADMSG;
}

int
flow_rows_load(
    const char *path, enum flow_rows_with with, struct flow_rows_table *ret)
{
	CLEANUP(free_ptr) char *line = NULL;
	FILE *in = fopen(path, "re");
	size_t room = 0;
	int r = 0;

	if (!in)
		return -errno;
	ret->n = 0;
	ret->samples = xcalloc(ROWS, sizeof(*ret->samples));
	ret->folds = xcalloc(ROWS, sizeof(*ret->folds));
	ret->is_forwarder = xcalloc(ROWS, sizeof(*ret->is_forwarder));
	if (getline(&line, &room, in) < 0) /* the columns' names */
		r = -EBADMSG;
	while (r == 0 && ret->n < ROWS && getline(&line, &room, in) > 0)
		r = read_row(line, with, ret);
	(void)fclose(in);
	if (r < 0)
		flow_rows_done(ret);
	return r;
}

void
flow_rows_done(struct flow_rows_table *table)
{
	free(table->samples);
	free(table->folds);
	free(table->is_forwarder);
}
