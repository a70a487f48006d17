#include "flow/packet.h"

#include <string.h>

#define ETHERTYPE_IPV4  0x0800
#define ETHERTYPE_IPV6  0x86dd
#define ETHERTYPE_VLAN  0x8100 /* IEEE 802.1Q */
#define ETHERTYPE_QINQ  0x88a8 /* IEEE 802.1ad */
#define ETHERTYPE_QINQ2 0x9100 /* before it had a number */

#define PROTOCOL_TCP 6

#define OPTION_END   0
#define OPTION_NOP   1
#define OPTION_SCALE 3
#define SCALE_MAX    14

/* What is left of the frame. */
struct rest {
	const uint8_t *at;
	size_t size;
};

static uint16_t
get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static bool
skip(struct rest *rest, size_t n)
{
	if (rest->size < n)
		return false;
	rest->at += n;
	rest->size -= n;
	return true;
}

/* The EtherType behind the link's header, or 0. */
static uint16_t
link_type(enum packet_link link, struct rest *rest)
{
	static const struct {
		uint8_t type_at, length;
	} headers[] = {
	    [PACKET_ETHERNET] = {12, 14},
	    [PACKET_SLL] = {14, 16},
	    [PACKET_SLL2] = {0, 20},
	    [PACKET_LOOP] = {0, 4},
	};
	uint16_t type;

	if (link == PACKET_RAW || link == PACKET_LOOP) {
		if (link == PACKET_LOOP && !skip(rest, headers[link].length))
			return 0;
		if (rest->size == 0)
			return 0;
		return rest->at[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
	}
	if (rest->size < headers[link].length)
		return 0;
	type = get16(rest->at + headers[link].type_at);
	(void)skip(rest, headers[link].length);
	return type;
}

static uint16_t
untagged(uint16_t type, struct rest *rest)
{
	for (int i = 0; i < PACKET_TAGS_MAX; i++) {
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ &&
		    type != ETHERTYPE_QINQ2)
			return type;
		if (rest->size < 4)
			return 0;
		type = get16(rest->at + 2);
		(void)skip(rest, 4);
	}
	return type;
}

/* The scale of a SYN's options, which may be cut or wrong anywhere. */
static uint8_t
scale_of(const uint8_t *at, size_t n)
{
	while (n > 0 && at[0] != OPTION_END) {
		size_t length = 1;

		if (at[0] != OPTION_NOP) {
			if (n < 2 || at[1] < 2 || at[1] > n)
				break;
			length = at[1];
			if (at[0] == OPTION_SCALE && length == 3)
				return at[2] < SCALE_MAX ? at[2] : SCALE_MAX;
		}
		at += length;
		n -= length;
	}
	return PACKET_NO_SCALE;
}

/* on_wire: octets of the IP packet from the TCP header on. */
static enum packet_kind
read_tcp(struct rest rest, size_t on_wire, struct packet *ret)
{
	const uint8_t *h = rest.at;
	size_t header;

	if (on_wire < 20)
		return PACKET_BAD;
	if (rest.size > on_wire)
		rest.size = on_wire; /* Ethernet fills up short frames */
	if (rest.size < 20)
		return PACKET_CUT;
	header = (size_t)(h[12] >> 4) * 4;
	if (header < 20 || header > on_wire)
		return PACKET_BAD;
	ret->from.port = get16(h);
	ret->to.port = get16(h + 2);
	ret->seq = get32(h + 4);
	ret->ack = get32(h + 8);
	ret->flags = h[13];
	ret->window = get16(h + 14);
	ret->length = (uint32_t)(on_wire - header);
	ret->scale = PACKET_NO_SCALE;
	if (header > rest.size)
		header = rest.size;
	if (ret->flags & TCP_SYN)
		ret->scale = scale_of(h + 20, header - 20);
	ret->payload = h + header;
	ret->captured = (uint32_t)(rest.size - header);
	if (ret->captured > ret->length)
		ret->captured = ret->length;
	return PACKET_TCP;
}

static void
map_v4(uint8_t *to, const uint8_t *from)
{
	memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	memcpy(to + 12, from, 4);
}

static enum packet_kind
read_v4(struct rest rest, struct packet *ret)
{
	const uint8_t *h = rest.at;
	size_t header, total;

	if (rest.size < 20)
		return PACKET_CUT;
	header = (size_t)(h[0] & 15) * 4;
	total = get16(h + 2);
	if (h[0] >> 4 != 4 || header < 20)
		return PACKET_BAD;
	/* The sender left the length to its card (segmentation offload). */
	if (total == 0)
		total = rest.size;
	if (total < header)
		return PACKET_BAD;
	if (h[9] != PROTOCOL_TCP)
		return PACKET_OTHER;
	if (get16(h + 6) & 0x1fff)
		return PACKET_FRAGMENT;
	map_v4(ret->from.address, h + 12);
	map_v4(ret->to.address, h + 16);
	ret->ttl = h[8];
	if (!skip(&rest, header))
		return PACKET_CUT;
	return read_tcp(rest, total - header, ret);
}

/* How long the extension header of this kind is, or 0: it is none. */
static size_t
extension_length(uint8_t kind, const uint8_t *h)
{
	switch (kind) {
	case 0:  /* hop by hop */
	case 43: /* routing */
	case 60: /* destination */
		return ((size_t)h[1] + 1) * 8;
	case 44: /* fragment */
		return 8;
	case 51: /* authentication, RFC 4302 2.2 */
		return ((size_t)h[1] + 2) * 4;
	default:
		return 0;
	}
}

static enum packet_kind
read_v6(struct rest rest, struct packet *ret)
{
	const uint8_t *h = rest.at;
	size_t left;
	uint8_t kind;

	if (rest.size < 40)
		return PACKET_CUT;
	if (h[0] >> 4 != 6)
		return PACKET_BAD;
	left = get16(h + 4);
	kind = h[6];
	ret->ttl = h[7];
	memcpy(ret->from.address, h + 8, 16);
	memcpy(ret->to.address, h + 24, 16);
	(void)skip(&rest, 40);
	if (left == 0)
		left = rest.size;
	for (int i = 0; i < PACKET_EXTENSIONS_MAX && kind != PROTOCOL_TCP;
	     i++) {
		size_t n;

		if (rest.size < 8)
			return PACKET_CUT;
		n = extension_length(kind, rest.at);
		if (n == 0)
			return PACKET_OTHER;
		if (kind == 44 && (get16(rest.at + 2) & 0xfff8))
			return PACKET_FRAGMENT;
		kind = rest.at[0];
		if (n > left)
			return PACKET_BAD;
		if (!skip(&rest, n))
			return PACKET_CUT;
		left -= n;
	}
	return kind == PROTOCOL_TCP ? read_tcp(rest, left, ret) : PACKET_OTHER;
}

enum packet_kind
packet_read(enum packet_link link, const uint8_t *frame, size_t size,
    struct packet *ret)
{
	struct rest rest = {frame, size};
	const uint16_t type = untagged(link_type(link, &rest), &rest);

	if (type == ETHERTYPE_IPV4)
		return read_v4(rest, ret);
	if (type == ETHERTYPE_IPV6)
		return read_v6(rest, ret);
	return size < 14 ? PACKET_CUT : PACKET_OTHER;
}
