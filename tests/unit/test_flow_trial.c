/*
 * tests/unit/test_flow_trial.c - figures of judged samples that are known by
 * hand, and that nobody is judged by a model which has seen its peer.
 */
#include "tests/support/flow_site.h"

#include "flow/trial.h"

#include <errno.h>

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void
figures_are_those_by_hand(void **state)
{
	struct flow_judged judged[] = {{3, true}, {-2, false}, {2, false},
	    {1, true}, {-1, true}, {-3, false}};
	const struct flow_figures f = flow_figures_of(judged, 6);

	(void)state;
	assert_true(f.n_ham == 3 && f.n_spam == 3);
	assert_true(near(f.accuracy, 4.0 / 6));
	assert_true(near(f.precision, 2.0 / 3));
	assert_true(near(f.recall, 2.0 / 3));
	assert_true(near(f.auc, 7.0 / 9)); /* pairs in the right order */
	/* No ham may be above: above 2 is one spam of three. */
	assert_true(near(f.tpr_01, 1.0 / 3) && near(f.tpr_001, 1.0 / 3));
	assert_true(near(f.threshold_01, 2));
}

static void
ties_count_half_and_stay_together(void **state)
{
	struct flow_judged judged[300];
	struct flow_figures f;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		judged[i] = (struct flow_judged){1, i < 100};
	f = flow_figures_of(judged, 300);
	assert_true(near(f.auc, 0.5) && f.tpr_01 == 0);
	assert_true(near(f.threshold_01, 1));
	/* Two of 200 ham may be above. */
	for (size_t i = 0; i < 300; i++)
		judged[i] = (struct flow_judged){i < 50                  ? 5
						 : (i < 100 || i >= 298) ? 4
									 : 0,
		    i < 100};
	f = flow_figures_of(judged, 300);
	assert_true(near(f.tpr_01, 1) && near(f.tpr_001, 0.5));
	assert_true(near(f.threshold_01, 0));
}

static void
what_is_not_there_is_no_figure(void **state)
{
	struct flow_judged judged[] = {{-3, true}, {-2, true}};
	struct flow_figures f = flow_figures_of(judged, 2);

	(void)state;
	assert_true(isnan(f.auc) && isnan(f.precision) && isnan(f.tpr_01));
	assert_true(f.recall == 0 && f.accuracy == 0);
	f = flow_figures_of(judged, 0);
	assert_true(isnan(f.accuracy) && isnan(f.recall) && isnan(f.auc));
}

/* Brown, Cai, DasGupta: Interval estimation, 2001: 0 of n, and by hand. */
static void
intervals_are_wilsons(void **state)
{
	(void)state;
	assert_true(fabs(flow_share_low(10, 100) - 0.05522914) < 1e-6);
	assert_true(fabs(flow_share_high(10, 100) - 0.17436566) < 1e-6);
	assert_true(flow_share_low(0, 20) < 1e-12);
	assert_true(fabs(flow_share_high(0, 20) - 0.16112516) < 1e-6);
	assert_true(flow_share_low(0, 0) == 0 && flow_share_high(0, 0) == 1);
}

#define PEERS 20

/*
 * Peers, each with a window of its own, and one label that isn't its
 * neighbours': who has seen a peer
 * knows, who hasn't can only guess.
 */
static double
accuracy_with_peers(bool are_known)
{
	struct flow_sample samples[800];
	const struct flow_sample *at[800];
	struct flow_judged judged[800];

	for (size_t i = 0; i < 800; i++) {
		samples[i] = site_null(i % PEERS % 2);
		samples[i].x[FLOW_FEATURE_win_init] = (double)(i % PEERS);
		samples[i].peer = are_known ? i % PEERS + 1 : 0;
		at[i] = &samples[i];
	}
	assert_int_equal(
	    flow_cross(FLOW_BOOSTED, NULL, at, 800, 0, 1, judged), 0);
	return flow_figures_of(judged, 800).accuracy;
}

static void
nobody_is_judged_by_who_has_seen_its_peer(void **state)
{
	(void)state;
	assert_true(accuracy_with_peers(false) > 0.95);
	assert_true(accuracy_with_peers(true) < 0.6);
}

static void
too_little_is_no_trial(void **state)
{
	uint64_t seed = 2;
	struct site_set set = site_set(&seed, 40, 1);
	struct flow_judged judged[40];

	(void)state;
	assert_int_equal(
	    flow_cross(FLOW_BAYES, NULL, set.at, 8, 0, 1, judged), -ENODATA);
	assert_int_equal(
	    flow_cross(FLOW_BAYES, NULL, set.at, 40, 0, 1, judged), 0);
	/* All ham of one peer: who is judged there has no ham to learn. */
	for (size_t i = 0; i < 40; i += 2)
		set.samples[i].peer = 1;
	assert_int_equal(
	    flow_cross(FLOW_BAYES, NULL, set.at, 40, 0, 1, judged), -ENODATA);
	site_set_done(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(figures_are_those_by_hand),
	    cmocka_unit_test(ties_count_half_and_stay_together),
	    cmocka_unit_test(what_is_not_there_is_no_figure),
	    cmocka_unit_test(intervals_are_wilsons),
	    cmocka_unit_test(nobody_is_judged_by_who_has_seen_its_peer),
	    cmocka_unit_test(too_little_is_no_trial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
