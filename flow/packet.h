/*
 * flow/packet.h - one captured frame, read as a TCP segment.
 *
 * Pure.  Nothing in a frame is trusted; whatever the octets are, reading them
 * ends with a segment or a reason why there is none.
 */
#ifndef SLUICE_FLOW_PACKET_H
#define SLUICE_FLOW_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How frames of the capture begin. */
enum packet_link {
	PACKET_ETHERNET,
	PACKET_RAW,  /* with the IP header */
	PACKET_SLL,  /* Linux "cooked", 16 octets */
	PACKET_SLL2, /* its second version, 20 octets */
	PACKET_LOOP, /* 4 octets of an address family, in either order */
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define PACKET_NO_SCALE 0xff

/* An address is IPv6, or IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct packet_end {
	uint8_t address[16];
	uint16_t port;
};

struct packet {
	int64_t nsec; /* since 1970; the capture's */
	struct packet_end from, to;
	uint32_t seq, ack;
	uint16_t window; /* the field, not scaled */
	uint8_t ttl;     /* or hop limit, as it arrived */
	uint8_t flags;
	uint8_t scale;   /* window scale of a SYN, at most 14 (RFC 7323 2.3), or
			    PACKET_NO_SCALE */
	uint32_t length; /* octets of payload by the headers' lengths */
	const uint8_t *payload; /* into the frame */
	uint32_t captured;      /* octets of it that were captured */
};

/* Of all frames: what they were. */
enum packet_kind {
	PACKET_TCP,
	PACKET_OTHER,    /* of another protocol */
	PACKET_FRAGMENT, /* not the first of a datagram, so without ports */
	PACKET_CUT,      /* ends before its TCP header does */
	PACKET_BAD,      /* lengths that contradict each other */
	PACKET_KINDS
};

/* VLAN tags, and IPv6 extension headers, that are looked through. */
#define PACKET_TAGS_MAX       4
#define PACKET_EXTENSIONS_MAX 8

/*
 * Read size captured octets.  With PACKET_TCP *ret is filled, all but nsec,
 * which stays; its payload points into frame.  Else *ret is undefined.
 */
enum packet_kind packet_read(enum packet_link link, const uint8_t *frame,
    size_t size, struct packet *ret);

#endif
