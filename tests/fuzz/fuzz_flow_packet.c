/*
 * tests/fuzz/fuzz_flow_packet.c - any octets as the frames of a capture, their
 * IP and TCP options, and the flows that they make.
 *
 * First octet: how frames begin; then frames, each behind two octets of its
 * length and two of milliseconds since the one before.
 */
#include "flow/table.h"

#include <assert.h>
#include <string.h>

#define BUDGET 4096
#define FLOWS  4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_end(void *arg, struct flow *flow, enum flow_end end)
{
	struct flow_features features;

	(void)end;
	follow_features(&flow->follow, &features);
	for (int i = 0; i < FLOW_FEATURES; i++) {
		char text[32];

		assert(flow_feature_text(&features, (enum flow_feature)i, text,
			   sizeof(text)) < (int)sizeof(text));
	}
	assert(features.value[FLOW_FEATURE_rxmt_in] <=
	       features.value[FLOW_FEATURE_pkts_in]);
	assert(features.value[FLOW_FEATURE_ooo_in] <=
	       features.value[FLOW_FEATURE_pkts_in]);
	++*(unsigned int *)arg;
}

static void
frame(struct flow_table *table, enum packet_link link, const uint8_t *at,
    size_t n, int64_t nsec)
{
	struct packet packet = {.nsec = nsec};
	bool is_in;

	if (packet_read(link, at, n, &packet) != PACKET_TCP)
		return;
	assert(packet.captured <= packet.length);
	assert(
	    packet.payload >= at && packet.payload + packet.captured <= at + n);
	assert(packet.scale <= 14 || packet.scale == PACKET_NO_SCALE);
	(void)flow_table_see(table, &packet, &is_in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct flow_limits limits = {.ports = {25, 587},
	    .n_ports = 2,
	    .proven_max = FLOWS,
	    .unproven_max = FLOWS,
	    .budget_bytes = BUDGET,
	    .idle_nsec = INT64_C(10000000000),
	    .closed_nsec = INT64_C(1000000000),
	    .unproven_nsec = INT64_C(1000000000)};
	unsigned int ended = 0;
	struct flow_table *table = flow_table_new(&limits, on_end, &ended);
	struct flow_table_stats stats;
	enum packet_link link = PACKET_ETHERNET;
	int64_t nsec = 0;

	if (size > 0)
		link = (enum packet_link)(data[0] % (PACKET_LOOP + 1));
	for (size_t at = 1; at + 4 <= size;) {
		size_t n = (size_t)(data[at] << 8 | data[at + 1]);

		nsec += (data[at + 2] << 8 | data[at + 3]) * INT64_C(1000000);
		at += 4;
		if (n > size - at)
			n = size - at;
		frame(table, link, data + at, n, nsec);
		at += n;
	}
	flow_table_end_all(table, FLOW_END_CUT);
	stats = flow_table_stats(table);
	assert(stats.flows == ended);
	assert(stats.budget_left_bytes == BUDGET);
	(void)flow_table_free(table);
	return 0;
}
