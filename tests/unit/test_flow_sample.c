/*
 * tests/unit/test_flow_sample.c - features of connections as lines of JSON.
 */
#include "tests/support/flow_site.h"

#include <errno.h>
#include <jansson.h>

static int
read_text(const char *line, struct flow_sample *ret, char *err, size_t size)
{
	return flow_sample_read(line, strlen(line), ret, err, size);
}

static void
missing_features_and_nulls_are_null(void **state)
{
	struct flow_sample s;
	char err[200];

	(void)state;
	assert_int_equal(
	    read_text("{\"client\":\"192.0.2.7\",\"start\":1.5,"
		      "\"pkts_in\":12,\"rtt_init\":0.25,\"win_min\":null}",
		&s, err, sizeof(err)),
	    0);
	assert_true(s.x[FLOW_FEATURE_pkts_in] == 12 &&
		    s.x[FLOW_FEATURE_rtt_init] == 0.25);
	assert_true(isnan(s.x[FLOW_FEATURE_win_min]) &&
		    isnan(s.x[FLOW_FEATURE_win_zero]));
	assert_int_equal(s.peer, flow_peer("192.0.2.200"));
	assert_int_equal(s.client, flow_client("192.0.2.7"));
	assert_false(s.is_spam);
}

static void
wrong_lines_are_told(void **state)
{
	static const struct {
		const char *line, *says;
	} wrongs[] = {
	    {"", "no JSON object"},
	    {"{\"pkts_in\":1", "no JSON object"},
	    {"[1,2]", "no feature of a connection"},
	    {"{}", "no feature of a connection"},
	    {"{\"packets\":1}", "no feature of a connection"},
	    {"{\"pkts_in\":\"1\"}", "pkts_in: not a number from 0, nor null"},
	    {"{\"pkts_in\":-1}", "pkts_in: not a number from 0"},
	    {"{\"pkts_in\":true}", "pkts_in: not a number"},
	    {"{\"pkts_in\":1e999}", "no JSON object"},
	    {"{\"pkts_in\":1,\"pkts_in\":2}", "no JSON object"},
	    {"{\"pkts_in\":1,\"peer\":\"12\"}", "peer: not 16 hexadecimal"},
	    {"{\"pkts_in\":1,\"peer\":\"000000000000000G\"}", "peer: not 16"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct flow_sample s;
		char err[200] = "";

		assert_int_equal(
		    read_text(wrongs[i].line, &s, err, sizeof(err)), -EINVAL);
		if (!strstr(err, wrongs[i].says))
			fail_msg("%s -> %s", wrongs[i].line, err);
	}
}

static void
a_line_has_a_limit(void **state)
{
	char *line = xcalloc(1, FLOW_LINE_MAX + 2), err[200];
	struct flow_sample s;

	(void)state;
	memset(line, ' ', FLOW_LINE_MAX + 1);
	memcpy(line, "{\"pkts_in\":1}", 13);
	assert_int_equal(
	    flow_sample_read(line, FLOW_LINE_MAX, &s, err, sizeof(err)), 0);
	assert_int_equal(
	    flow_sample_read(line, FLOW_LINE_MAX + 1, &s, err, sizeof(err)),
	    -EINVAL);
	assert_non_null(strstr(err, "more than 65536 octets"));
	free(line);
}

static void
a_peer_is_a_network_and_a_client_an_address(void **state)
{
	(void)state;
	assert_int_equal(flow_peer("192.0.2.1"), flow_peer("192.0.2.255"));
	assert_int_not_equal(flow_peer("192.0.2.1"), flow_peer("192.0.3.1"));
	assert_int_equal(flow_peer("192.0.2.1"), flow_peer("::ffff:192.0.2.9"));
	assert_int_equal(
	    flow_peer("2001:db8:1:2::1"), flow_peer("2001:db8:1:2:ff::"));
	assert_int_not_equal(
	    flow_peer("2001:db8:1:2::1"), flow_peer("2001:db8:1:3::1"));
	assert_int_not_equal(
	    flow_client("192.0.2.1"), flow_client("192.0.2.2"));
	assert_int_equal(
	    flow_client("192.0.2.1"), flow_client("::ffff:192.0.2.1"));
	assert_int_equal(flow_peer("somewhere"), 0);
	assert_int_equal(flow_client(""), 0);
}

static void
what_is_written_is_read(void **state)
{
	uint64_t seed = 7;
	struct flow_sample s = site_sample(&seed, false, 0), back;
	json_t *json = flow_sample_json(&s);
	char *line = json_dumps(json, JSON_REAL_PRECISION(17)), err[200];

	(void)state;
	assert_int_equal(read_text(line, &back, err, sizeof(err)), 0);
	assert_int_equal(back.peer, s.peer);
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		assert_true(
		    isnan(s.x[f]) ? isnan(back.x[f]) : s.x[f] == back.x[f]);
	free(line);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(missing_features_and_nulls_are_null),
	    cmocka_unit_test(wrong_lines_are_told),
	    cmocka_unit_test(a_line_has_a_limit),
	    cmocka_unit_test(a_peer_is_a_network_and_a_client_an_address),
	    cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
