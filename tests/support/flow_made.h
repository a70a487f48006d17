/*
 * tests/support/flow_made.h - segments made in code, for the tests of flow/.
 */
#ifndef SLUICE_TESTS_FLOW_MADE_H
#define SLUICE_TESTS_FLOW_MADE_H

#include "flow/packet.h"

#include <string.h>

#define MADE_CLIENT_PORT 40000
#define MADE_SERVER_PORT 25
#define MADE_CLIENT_ISN  UINT32_C(1000)
#define MADE_SERVER_ISN  UINT32_C(5000)
#define MADE_MSEC        INT64_C(1000000)

/* Of 192.0.2.CLIENT and 198.51.100.1. */
static inline struct packet_end
made_client(uint8_t client)
{
	struct packet_end end = {
	    {[10] = 0xff, [11] = 0xff, 192, 0, 2, client}, MADE_CLIENT_PORT};

	return end;
}

static inline struct packet_end
made_server(void)
{
	struct packet_end end = {
	    {[10] = 0xff, [11] = 0xff, 198, 51, 100, 1}, MADE_SERVER_PORT};

	return end;
}

/*
 * A segment at msec; seq and ack count from the first octet of data of each
 * side, so that a SYN has -1.
 */
static inline struct packet
made(int64_t msec, uint8_t client, bool is_in, uint8_t flags, int32_t seq,
    int32_t ack, uint32_t length)
{
	static const uint8_t octets[65536];
	const uint32_t mine = is_in ? MADE_CLIENT_ISN : MADE_SERVER_ISN;
	const uint32_t theirs = is_in ? MADE_SERVER_ISN : MADE_CLIENT_ISN;
	struct packet p = {.nsec = msec * MADE_MSEC,
	    .from = is_in ? made_client(client) : made_server(),
	    .to = is_in ? made_server() : made_client(client),
	    .seq = mine + 1 + (uint32_t)seq,
	    .ack = flags & TCP_ACK ? theirs + 1 + (uint32_t)ack : 0,
	    .window = 1000,
	    .ttl = is_in ? 57 : 64,
	    .flags = flags,
	    .scale = PACKET_NO_SCALE,
	    .length = length,
	    .payload = octets,
	    .captured = length};

	return p;
}

#endif
