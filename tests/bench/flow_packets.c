/*
 * flow_packets FLOWS ROUNDS SOURCES - a capture on standard output: FLOWS
 * connections to port 25 are opened, then SOURCES addresses send one SYN each,
 * which is answered, then each connection carries a segment of 100 octets and
 * its ACK ROUNDS times, in turns, and is closed.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIN 0x01
#define SYN 0x02
#define ACK 0x10

#define CLIENT_ISN UINT32_C(1000)
#define SERVER_ISN UINT32_C(9000)
#define SERVER     UINT32_C(0x0a000001)
#define STEP_USEC  10
#define PAYLOAD    100

static uint64_t now_usec = UINT64_C(1700000000) * 1000000;

static uint8_t *
put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *
put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

static void
write_frame(const uint8_t *frame, uint32_t length)
{
	const uint32_t header[4] = {(uint32_t)(now_usec / 1000000),
	    (uint32_t)(now_usec % 1000000), length, length};

	now_usec += STEP_USEC;
	if (fwrite(header, sizeof(header), 1, stdout) != 1 ||
	    fwrite(frame, length, 1, stdout) != 1) {
		perror("flow_packets");
		exit(111);
	}
}

struct side {
	uint32_t address;
	uint16_t port;
};

static void
segment(struct side from, struct side to, uint32_t seq, uint32_t ack,
    uint8_t flags, uint16_t length)
{
	uint8_t frame[14 + 40 + PAYLOAD] = {0};
	uint8_t *at = frame + 12;

	at = put16(at, 0x0800);
	at = put16(at, 0x4500);
	at = put16(at, (uint16_t)(40 + length));
	at = put32(at, 0x00004000);
	at = put32(at, 0x40060000);
	at = put32(at, from.address);
	at = put32(at, to.address);
	at = put16(at, from.port);
	at = put16(at, to.port);
	at = put32(at, seq);
	at = put32(at, ack);
	at = put16(at, (uint16_t)(0x5000 | flags));
	at = put16(at, 65000);
	at = put32(at, 0);
	memset(at, 'x', length);
	write_frame(frame, 54U + length);
}

static const struct side server = {SERVER, 25};

static struct side
client(unsigned long i)
{
	return (struct side){UINT32_C(0x0b000000) + (uint32_t)(i / 20000),
	    (uint16_t)(20000 + i % 20000)};
}

static void
open_flow(unsigned long i)
{
	segment(client(i), server, CLIENT_ISN, 0, SYN, 0);
	segment(server, client(i), SERVER_ISN, CLIENT_ISN + 1, SYN | ACK, 0);
	segment(client(i), server, CLIENT_ISN + 1, SERVER_ISN + 1, ACK, 0);
}

static void
flood(unsigned long sources)
{
	for (unsigned long i = 0; i < sources; i++) {
		const struct side source = {
		    UINT32_C(0x20000000) + (uint32_t)i, 1024};

		segment(source, server, (uint32_t)i, 0, SYN, 0);
		segment(
		    server, source, SERVER_ISN, (uint32_t)i + 1, SYN | ACK, 0);
	}
}

static void
carry(unsigned long flows, unsigned long rounds)
{
	for (unsigned long round = 0; round < rounds; round++)
		for (unsigned long i = 0; i < flows; i++) {
			const uint32_t seq =
			    CLIENT_ISN + 1 + (uint32_t)round * PAYLOAD;

			segment(client(i), server, seq, SERVER_ISN + 1, ACK,
			    PAYLOAD);
			segment(server, client(i), SERVER_ISN + 1,
			    seq + PAYLOAD, ACK, 0);
		}
}

static void
close_flow(unsigned long i, unsigned long rounds)
{
	const uint32_t seq = CLIENT_ISN + 1 + (uint32_t)rounds * PAYLOAD;

	segment(client(i), server, seq, SERVER_ISN + 1, FIN | ACK, 0);
	segment(server, client(i), SERVER_ISN + 1, seq + 1, FIN | ACK, 0);
}

int
main(int argc, char **argv)
{
	/* pcap, microseconds, in this machine's order: magic, version, zone,
	 * accuracy, longest frame, Ethernet */
	const uint32_t header[6] = {
	    UINT32_C(0xa1b2c3d4), 2 | 4U << 16, 0, 0, 262144, 1};
	unsigned long flows, rounds, sources;

	if (argc != 4) {
		(void)fprintf(
		    stderr, "usage: flow_packets FLOWS ROUNDS SOURCES\n");
		return 100;
	}
	flows = strtoul(argv[1], NULL, 10);
	rounds = strtoul(argv[2], NULL, 10);
	sources = strtoul(argv[3], NULL, 10);
	(void)fwrite(header, sizeof(header), 1, stdout);
	for (unsigned long i = 0; i < flows; i++)
		open_flow(i);
	flood(sources);
	carry(flows, rounds);
	for (unsigned long i = 0; i < flows; i++)
		close_flow(i, rounds);
	return fflush(stdout) == 0 ? 0 : 111;
}
