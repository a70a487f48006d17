/*
 * tests/unit/test_behaviours.c - the rules that we ship, against what acting
 * and innocent programs make a guest report.
 */
#include "tests/support/behaviour_acts.h"
#include "tests/support/detector_site.h"
#include "vmm/rules_priv.h"

#define SHIPPED TEST_SOURCE_DIR "/../../etc/behaviours.conf"

static bool
has_id(const char *ids, const char *id)
{
	CLEANUP(free_ptr) char *copy = xasprintf(" %s ", ids);
	CLEANUP(free_ptr) char *word = xasprintf(" %s ", id);

	return strstr(copy, word) != NULL;
}

static void
every_actor_is_found(void **state)
{
	struct rules *rules = rules_from(SHIPPED);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++) {
		struct detector *d = detector_of(rules, actors[i].events);
		char ids[2000];

		(void)evidence_ids(d, ids, sizeof(ids));
		if (!has_id(ids, actors[i].id))
			fail_msg("%s: %s: \"%s\"", actors[i].id,
			    actors[i].events[0], ids);
		detector_free(d);
	}
	rules_free(rules);
}

static void
every_behaviour_has_an_actor(void **state)
{
	struct rules *rules = rules_from(SHIPPED);

	(void)state;
	for (size_t i = 0; i < rules->n_behaviours; i++) {
		bool has = rules->behaviours[i].is_scorer;

		for (size_t k = 0; k < ARRAY_SIZE(actors); k++)
			has |=
			    strcmp(actors[k].id, rules->behaviours[i].id) == 0;
		if (!has)
			fail_msg("%s", rules->behaviours[i].id);
	}
	rules_free(rules);
}

static void
no_innocent_twin_is_condemned(void **state)
{
	struct rules *rules = rules_from(SHIPPED);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++) {
		struct detector *d = detector_of(rules, twins[i].events);
		const char *why;
		char ids[2000];
		const uint32_t score = evidence_ids(d, ids, sizeof(ids));

		print_message("%3u %s: %s\n", score, twins[i].id, ids);
		if (detector_is_proven(d))
			fail_msg("%s: %u, %s", twins[i].id, score, ids);
		assert_true(detector_is_conclusive(d, true, &why));
		detector_free(d);
	}
	rules_free(rules);
}

/* Whole programs, of which no single act condemns. */
static void
acts_that_sum_up_condemn(void **state)
{
	static const struct act whole[] = {
	    {"a copy of itself that stays",
		{"file.create|path=" ROAMING "upd.exe",
		    "registry.set|key=" RUN_KEY "|name=u|data=" ROAMING
		    "upd.exe",
		    "process.start|path=" ROAMING "upd.exe"}},
	    {"a dropper", {"net.data|addr=10.0.0.2", "file.create|path=/tmp/.x",
			      "file.mode|path=/tmp/.x|mode=755",
			      "process.start|path=/tmp/.x",
			      "file.delete|path=/root/Downloads/sample.bin"}},
	    {"a thief", {"file.read|path=/root/.mozilla/firefox/a/logins.json",
			    "net.connect|addr=10.0.0.2|port=443",
			    "net.data|addr=10.0.0.2"}},
	    {"a keylogger",
		{"hook.set|name=WH_KEYBOARD_LL", "net.data|addr=10.0.0.2"}},
	    {"a bot that stays",
		{"process.start|args=crontab -|path=/usr/bin/crontab",
		    "5*net.connect|addr=10.0.0.2|port=443"}},
	    {"a wiper", {"9*file.delete|path=/root/Documents/#.doc",
			    "file.delete|path=/root/Downloads/sample.bin"}},
	    {"a cryptor by copies",
		{"9*file.create|path=/root/Documents/#.doc.x",
		    "9*file.delete|path=/root/Documents/#.doc"}},
	};
	struct rules *rules = rules_from(SHIPPED);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		struct detector *d = detector_of(rules, whole[i].events);
		char ids[2000];
		const uint32_t score = evidence_ids(d, ids, sizeof(ids));

		print_message("%3u %s: %s\n", score, whole[i].id, ids);
		if (!detector_is_proven(d))
			fail_msg("%s: %u, %s", whole[i].id, score, ids);
		detector_free(d);
	}
	rules_free(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_actor_is_found),
	    cmocka_unit_test(every_behaviour_has_an_actor),
	    cmocka_unit_test(no_innocent_twin_is_condemned),
	    cmocka_unit_test(acts_that_sum_up_condemn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
