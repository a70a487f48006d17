/*
 * tests/unit/test_flow_learn.c - the learner: what labels mail, what weight is
 * earned by and lost by, and what the guards do when the network, the filter
 * or the path changes under it.
 */
#include "tests/support/flow_site.h"

#include "flow/learn_priv.h"

struct site {
	struct flow_learner *l;
	uint64_t seed;
};

static struct site
site_new(void)
{
	struct flow_rules rules = flow_rules_default;

	rules.room = 600;
	rules.kind = FLOW_BAYES; /* the quickest */
	return (struct site){flow_learner_new(&rules, 1), 9};
}

/* Mail that the filter labels; how many of them were taken? */
static size_t
hear(struct site *site, size_t n, double spam, double apart)
{
	size_t taken = 0;

	for (size_t i = 0; i < n; i++) {
		struct flow_sample s = site_sample(
		    &site->seed, site_share(&site->seed) < spam, apart);

		flow_learner_saw(site->l, &s, NAN);
		taken += flow_learner_hear(site->l, &s, s.is_spam ? 20 : -1);
		if (flow_learner_is_due(site->l))
			flow_learner_retrain(site->l);
	}
	return taken;
}

static double
points(struct site *site, const struct flow_sample *s, char *why)
{
	struct flow_opinion o;
	double sum;

	flow_learner_judge(site->l, s, &o);
	(void)snprintf(why, sizeof(o.why), "%s", o.why);
	sum = o.bias;
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		sum += o.contributions[f];
	assert_true(isnan(o.score) || sum == o.score);
	return o.points;
}

static struct flow_sample
typical(bool is_spam)
{
	struct flow_sample s = site_null(is_spam);

	s.x[FLOW_FEATURE_rtt_init] = is_spam ? 0.4 : 0.05;
	s.x[FLOW_FEATURE_rxmt_in] = is_spam ? 8 : 0;
	s.client = 7;
	return s;
}

static void
scores_that_are_sure_label(void **state)
{
	struct flow_rules rules = flow_rules_default;
	bool is_spam = false;

	(void)state;
	assert_true(flow_label_of(&rules, 12, &is_spam) && is_spam);
	assert_true(flow_label_of(&rules, 0.1, &is_spam) && !is_spam);
	assert_true(flow_label_of(&rules, -5, &is_spam) && !is_spam);
	assert_false(flow_label_of(&rules, 11.9, &is_spam));
	assert_false(flow_label_of(&rules, 0.2, &is_spam));
	assert_false(flow_label_of(&rules, NAN, &is_spam));
	rules.spam_score = 8;
	assert_true(flow_label_of(&rules, 9, &is_spam) && is_spam);
}

static void
weight_is_earned_and_is_for_spam_alone(void **state)
{
	struct site site = site_new();
	const struct flow_sample spam = typical(true), ham = typical(false);
	char why[200];

	(void)state;
	assert_true(points(&site, &spam, why) == 0);
	assert_non_null(strstr(why, "too few"));
	(void)hear(&site, 300, 0.5, 0.9);
	assert_non_null(flow_learner_model(site.l));
	assert_true(points(&site, &spam, why) == 0);
	assert_non_null(strstr(why, "hasn't earned"));
	(void)hear(&site, 500, 0.5, 0.9);
	assert_true(points(&site, &spam, why) == 3);
	assert_non_null(strstr(why, "rxmt_in (+"));
	assert_true(points(&site, &ham, why) == 0);
	assert_non_null(strstr(why, "not more like spam"));
	(void)flow_learner_free(site.l);
}

/*
 * 1000 ham from 0 to 0.999, each of a sender of its own, and 1000 spam from 0.5
 * to 1.499 of 500 others.  `wrong` of the ham are highest of all; is_known:
 * and of senders of spam.
 */
static double
earned_with(size_t wrong, bool is_known)
{
	struct flow_heard records[2000];

	for (size_t i = 0; i < 1000; i++) {
		records[i] =
		    (struct flow_heard){{(double)i / 1000, false}, NAN, 1 + i};
		records[1000 + i] = (struct flow_heard){
		    {0.5 + (double)i / 1000, true}, NAN, 2000 + i / 2};
	}
	for (size_t i = 0; i < wrong; i++) {
		records[i].judged.score = 1.5;
		if (is_known)
			records[i].peer = 2000 + i;
	}
	return flow_earned(records, 2000);
}

static void
one_ham_in_a_hundred_may_be_above_the_threshold(void **state)
{
	(void)state;
	assert_true(earned_with(0, false) == 0.989);
	assert_true(earned_with(6, false) == 0.995);
}

static void
ham_of_spammers_doesnt_move_the_threshold(void **state)
{
	(void)state;
	assert_true(earned_with(6, true) == 0.989);
	/* Eight in a thousand are passed over, and no more. */
	assert_true(earned_with(10, true) == 0.991);
	assert_true(earned_with(50, true) > 1.4);
}

static void
the_operator_has_the_last_word(void **state)
{
	struct site site = site_new();
	const struct flow_sample *samples[1200];
	struct flow_sample s = typical(false);
	uint64_t seen[2];

	(void)state;
	s.x[FLOW_FEATURE_rtt_var] = NAN;
	assert_true(flow_learner_hear(site.l, &s, -1));
	s.is_spam = true;
	flow_learner_teach(site.l, &s, -1);
	assert_int_equal(flow_learner_samples(site.l, samples), 1);
	assert_true(samples[0]->is_spam);
	flow_learner_seen(site.l, seen);
	assert_true(seen[0] == 1 && seen[1] == 1);
	(void)flow_learner_free(site.l);
}

static void
no_weight_is_earned_where_nothing_tells(void **state)
{
	struct site site = site_new();
	const struct flow_sample spam = typical(true);
	char why[200];

	(void)state;
	(void)hear(&site, 3000, 0.5, 0);
	assert_true(points(&site, &spam, why) == 0);
	assert_non_null(strstr(why, "hasn't earned"));
	(void)flow_learner_free(site.l);
}

static void
weight_is_lost_when_it_is_no_longer_so(void **state)
{
	struct site site = site_new();
	const struct flow_sample spam = typical(true);
	char why[200];

	(void)state;
	(void)hear(&site, 1500, 0.5, 0.9);
	assert_true(points(&site, &spam, why) == 3);
	/* Spam comes like ham from now on: a shift that is no sudden one for
	 * the guard would look the same to the record. */
	for (size_t i = 0; i < 2500; i++) {
		struct flow_sample s = site_sample(&site.seed, i % 2, 0);

		flow_learner_teach(site.l, &s, NAN);
	}
	assert_true(points(&site, &spam, why) == 0);
	assert_non_null(strstr(why, "hasn't earned"));
	(void)flow_learner_free(site.l);
}

/* A mail's record is by a model that hasn't seen it. */
static void
records_are_made_before_it_is_learned(void **state)
{
	struct site site = site_new();
	struct flow_heard records[FLOW_RECORDS];
	struct flow_sample s = typical(true);
	double before;

	(void)state;
	(void)hear(&site, 100, 0.5, 0.9);
	before = flow_model_score(flow_learner_model(site.l), s.x, NULL);
	flow_learner_teach(site.l, &s, 4.5);
	flow_learner_retrain(site.l);
	{
		const size_t n = flow_learner_records(site.l, records);

		assert_true(records[n - 1].judged.score == before);
		assert_true(records[n - 1].content == 4.5);
		assert_true(records[n - 1].judged.is_spam);
	}
	(void)flow_learner_free(site.l);
}

static size_t
kept(const struct site *site)
{
	return site->l->of[0].n + site->l->of[1].n;
}

static void
a_sudden_shift_of_features_freezes(void **state)
{
	struct site site = site_new();
	const struct flow_sample spam = typical(true);
	struct flow_sample s;
	char why[200];
	size_t before;

	(void)state;
	(void)hear(&site, 1000, 0.5, 0.9);
	assert_true(points(&site, &spam, why) == 3);
	before = kept(&site);
	/* A new line: all round trips a second longer. */
	for (size_t i = 0; i < 600; i++) {
		s = site_sample(&site.seed, i % 2, 0.9);
		s.x[FLOW_FEATURE_rtt_init] += 1;
		(void)flow_learner_hear(site.l, &s, NAN);
	}
	assert_true(points(&site, &spam, why) == 0);
	assert_non_null(strstr(why, "frozen: rtt_init of "));
	/* What it had learned of the shift is taken out again, but for what
	 * took the place of older ones. */
	assert_true(kept(&site) <= before + 60);
	for (size_t c = 0; c < 2; c++)
		for (size_t i = 0; i < site.l->of[c].n; i++)
			assert_true(site.l->of[c].kept[i].number <= 1000 + 60);
	/* And it thaws when all is as before. */
	assert_true(hear(&site, 700, 0.5, 0.9) > 200);
	assert_true(points(&site, &spam, why) == 3);
	(void)flow_learner_free(site.l);
}

static void
a_sudden_shift_of_labels_freezes(void **state)
{
	struct site site = site_new();
	const struct flow_sample spam = typical(true);
	char why[200];

	(void)state;
	(void)hear(&site, 1000, 0.5, 0.9);
	assert_int_equal(hear(&site, 400, 1, 0.9) < 300, 1);
	assert_true(points(&site, &spam, why) == 0);
	assert_non_null(strstr(why, "frozen: spam went from "));
	(void)hear(&site, 300, 0.5, 0.9);
	assert_true(points(&site, &spam, why) == 3);
	(void)flow_learner_free(site.l);
}

static void
a_shift_that_stays_is_learned_from_nothing(void **state)
{
	struct site site = site_new();
	bool was_frozen = false;
	struct flow_sample s;

	(void)state;
	(void)hear(&site, 1000, 0.5, 0.9);
	for (size_t i = 0; i < 4000; i++) {
		s = site_sample(&site.seed, i % 2, 0.9);
		s.x[FLOW_FEATURE_rtt_init] += 1;
		(void)flow_learner_hear(site.l, &s, NAN);
		if (flow_learner_is_due(site.l))
			flow_learner_retrain(site.l);
		was_frozen |= *site.l->frozen != '\0';
	}
	assert_true(was_frozen);
	assert_null(flow_learner_why(site.l));
	for (size_t i = 0; i < site.l->of[0].n; i++)
		assert_true(
		    site.l->of[0].kept[i].sample.x[FLOW_FEATURE_rtt_init] > 1);
	(void)flow_learner_free(site.l);
}

static void
mail_as_ever_does_not_freeze(void **state)
{
	struct site site = site_new();

	(void)state;
	/* From 40 to 80 % spam is a spam wave. */
	assert_int_equal(hear(&site, 3000, 0.4, 0.9), 3000);
	assert_int_equal(hear(&site, 3000, 0.8, 0.9), 3000);
	assert_null(flow_learner_why(site.l));
	(void)flow_learner_free(site.l);
}

/* Connections that come one way or another; what is said then? */
static const char *
path_says(struct site *site, double (*rtt)(uint64_t *),
    uint64_t (*who)(uint64_t *), double (*ttl)(uint64_t *))
{
	for (size_t i = 0; i < FLOW_PATHS; i++) {
		struct flow_sample s = site_sample(&site->seed, i % 2, 0.9);

		s.x[FLOW_FEATURE_rtt_init] = rtt(&site->seed);
		s.client = who(&site->seed);
		flow_learner_saw(site->l, &s, ttl(&site->seed));
	}
	return flow_learner_why(site->l);
}

static double
any_rtt(uint64_t *seed)
{
	return 0.01 + 0.3 * site_share(seed);
}

static double
balancers_rtt(uint64_t *seed)
{
	return 0.0004 + 0.00003 * site_share(seed);
}

static uint64_t
anyone(uint64_t *seed)
{
	return 1 + flow_draw(seed, 1000);
}

static uint64_t
mostly_one(uint64_t *seed)
{
	return flow_draw(seed, 10) < 6 ? 77 : anyone(seed);
}

static uint64_t
often_one(uint64_t *seed)
{
	return flow_draw(seed, 10) < 3 ? 77 : anyone(seed);
}

static double
any_ttl(uint64_t *seed)
{
	return 40.0 + (double)flow_draw(seed, 24);
}

static double
one_ttl(uint64_t *seed)
{
	(void)seed;
	return 63;
}

static double
no_ttl(uint64_t *seed)
{
	(void)seed;
	return NAN;
}

/* At first 60 %, then 45 %: it takes less to stay off than to turn off. */
static uint64_t
half_one(uint64_t *seed)
{
	return flow_draw(seed, 100) < 45 ? 77 : anyone(seed);
}

static void
it_does_not_go_to_and_fro(void **state)
{
	struct site site = site_new();

	(void)state;
	(void)hear(&site, 1000, 0.5, 0.9);
	assert_null(path_says(&site, any_rtt, half_one, no_ttl));
	assert_non_null(path_says(&site, any_rtt, mostly_one, no_ttl));
	assert_non_null(path_says(&site, any_rtt, half_one, no_ttl));
	assert_null(path_says(&site, any_rtt, often_one, no_ttl));
	(void)flow_learner_free(site.l);
}

static void
behind_nat_or_a_proxy_it_is_off_and_says_so(void **state)
{
	struct site site = site_new();
	struct flow_sample spam = typical(true);
	const size_t before = (hear(&site, 1000, 0.5, 0.9), kept(&site));
	char why[200];

	(void)state;
	assert_null(path_says(&site, any_rtt, anyone, any_ttl));
	assert_true(points(&site, &spam, why) == 3);
	assert_non_null(strstr(path_says(&site, balancers_rtt, anyone, any_ttl),
	    "of the round-trip times are 0.00041"));
	assert_true(points(&site, &spam, why) == 0);
	assert_non_null(strstr(why, "round-trip times"));
	assert_false(flow_learner_hear(site.l, &spam, 20));
	assert_int_equal(kept(&site), before);
	assert_non_null(strstr(path_says(&site, any_rtt, anyone, one_ttl),
	    "100 % of the packets have TTL 63"));
	assert_non_null(strstr(path_says(&site, any_rtt, mostly_one, no_ttl),
	    "one client carries "));
	assert_null(path_says(&site, any_rtt, anyone, no_ttl));
	assert_true(points(&site, &spam, why) == 3);
	(void)flow_learner_free(site.l);
}

static void
a_forwarder_gets_no_opinion_and_teaches_nothing(void **state)
{
	struct site site = site_new();
	struct flow_sample spam = typical(true), its = typical(true);
	char why[200];

	(void)state;
	(void)hear(&site, 1000, 0.5, 0.9);
	its.client = 77;
	assert_true(points(&site, &its, why) == 3);
	assert_null(path_says(&site, any_rtt, often_one, any_ttl));
	assert_true(points(&site, &its, why) == 0);
	assert_non_null(strstr(why, "a forwarder"));
	assert_false(flow_learner_hear(site.l, &its, 20));
	assert_true(points(&site, &spam, why) == 3);
	assert_true(flow_learner_hear(site.l, &spam, 20));
	(void)flow_learner_free(site.l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(scores_that_are_sure_label),
	    cmocka_unit_test(weight_is_earned_and_is_for_spam_alone),
	    cmocka_unit_test(one_ham_in_a_hundred_may_be_above_the_threshold),
	    cmocka_unit_test(ham_of_spammers_doesnt_move_the_threshold),
	    cmocka_unit_test(the_operator_has_the_last_word),
	    cmocka_unit_test(no_weight_is_earned_where_nothing_tells),
	    cmocka_unit_test(weight_is_lost_when_it_is_no_longer_so),
	    cmocka_unit_test(records_are_made_before_it_is_learned),
	    cmocka_unit_test(a_sudden_shift_of_features_freezes),
	    cmocka_unit_test(a_sudden_shift_of_labels_freezes),
	    cmocka_unit_test(a_shift_that_stays_is_learned_from_nothing),
	    cmocka_unit_test(mail_as_ever_does_not_freeze),
	    cmocka_unit_test(it_does_not_go_to_and_fro),
	    cmocka_unit_test(behind_nat_or_a_proxy_it_is_off_and_says_so),
	    cmocka_unit_test(a_forwarder_gets_no_opinion_and_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
