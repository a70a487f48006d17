#include "feed/spell.h"

#include "feed/model.h"

#include <math.h>

#define BATCH_FIRST   8
#define BATCHES_LEAST 8

void
spell_begin(struct spell *spell, struct mono now)
{
	*spell = (struct spell){.since = now, .batch = BATCH_FIRST};
}

void
spell_end(struct spell *spell, struct mono now)
{
	spell->span_usec = mono_span(spell->since, now);
}

void
spell_arrived(struct spell *spell, uint64_t bytes)
{
	spell->arrived++;
	spell->bytes += bytes;
}

static void
join_pairs(struct spell *spell)
{
	for (size_t i = 0; i < SPELL_BATCHES / 2; i++)
		spell->sums[i] = spell->sums[2 * i] + spell->sums[2 * i + 1];
	spell->n_batches = SPELL_BATCHES / 2;
	spell->batch *= 2;
	spell->sums[spell->n_batches] = 0;
}

void
spell_waited(struct spell *spell, uint64_t wait_usec)
{
	spell->measured++;
	spell->sum += (double)wait_usec;
	spell->sums[spell->n_batches] += (double)wait_usec;
	if (spell->measured % spell->batch != 0)
		return;
	spell->sums[++spell->n_batches] = 0;
	if (spell->n_batches == SPELL_BATCHES)
		join_pairs(spell);
}

double
spell_mean(const struct spell *spell)
{
	return spell->measured > 0 ? spell->sum / (double)spell->measured : 0;
}

double
spell_error(const struct spell *spell)
{
	double n = (double)spell->n_batches, mean = 0, squares = 0;

	if (spell->n_batches < BATCHES_LEAST)
		return INFINITY;
	for (size_t i = 0; i < spell->n_batches; i++)
		mean += spell->sums[i] / n;
	for (size_t i = 0; i < spell->n_batches; i++) {
		double off = spell->sums[i] - mean;

		squares += off * off;
	}
	return sqrt(squares / (n - 1) / n) / (double)spell->batch;
}

double
spell_load(const struct spell *spell, const struct line *line, struct mono now)
{
	uint64_t span_usec = spell->span_usec > 0
				 ? spell->span_usec
				 : mono_span(spell->since, now);

	if (span_usec == 0)
		return 0;
	return (line->fixed_usec * (double)spell->arrived +
		   line->usec_per_byte * (double)spell->bytes) /
	       (double)span_usec;
}
