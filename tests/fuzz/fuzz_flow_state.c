/*
 * tests/fuzz/fuzz_flow_state.c - any octets as what the learner kept: a file of
 * samples, and behind a line "---" a model.
 *
 * What is taken is judged by, learned on from, and comes back the same after
 * it was written; what isn't has its file named.
 */
#include "flow/state.h"

#include "common/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge_all(const struct flow_learner *l, const struct flow_learner *back)
{
	const double values[] = {NAN, 0, 1, 0.05, 1e6};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct flow_sample s = {.client = i};
		struct flow_opinion a, b;
		double sum;

		for (size_t f = 0; f < FLOW_FEATURES; f++)
			s.x[f] = values[(i + f) % ARRAY_SIZE(values)];
		flow_learner_judge(l, &s, &a);
		flow_learner_judge(back, &s, &b);
		assert(memcmp(&a.score, &b.score, sizeof(a.score)) == 0);
		sum = a.bias;
		for (size_t f = 0; f < FLOW_FEATURES; f++)
			sum += a.contributions[f];
		assert(isnan(a.score) || sum == a.score);
		assert(strlen(a.why) < sizeof(a.why));
	}
}

static void
go_on(struct flow_learner *l)
{
	for (size_t i = 0; i < 60; i++) {
		struct flow_sample s = {.is_spam = i % 2, .client = i % 7};

		for (size_t f = 0; f < FLOW_FEATURES; f++)
			s.x[f] = (double)((i * (f + 3)) % 11);
		flow_learner_saw(l, &s, (double)i);
		(void)flow_learner_hear(l, &s, (double)i);
	}
	if (flow_learner_is_due(l))
		flow_learner_retrain(l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = memmem(data, size, "\n---\n", 5);
	const size_t n = mark ? (size_t)(mark - data) + 1 : size;
	const char *model = mark ? (const char *)mark + 5 : NULL;
	struct flow_rules rules = flow_rules_default;
	struct flow_learner *l = NULL, *back = NULL;
	CLEANUP(free_ptr) char *samples = NULL;
	CLEANUP(free_ptr) char *written = NULL;
	char err[400] = "";
	size_t length;

	rules.room = 50;
	rules.kind = FLOW_TREE;
	if (flow_state_of(&rules, (const char *)data, n, model,
		mark ? size - n - 4 : 0, &l, err, sizeof(err)) < 0) {
		assert(!l && (strncmp(err, "samples.jsonl:", 14) == 0 ||
				 strncmp(err, "model.json:", 11) == 0));
		return 0;
	}
	samples = flow_state_samples_text(l, &length);
	written = flow_state_model_text(l);
	if (flow_state_of(&rules, samples, length, written,
		written ? strlen(written) : 0, &back, err, sizeof(err)) < 0)
		abort();
	judge_all(l, back);
	go_on(l);
	(void)flow_learner_free(l);
	(void)flow_learner_free(back);
	return 0;
}
