/*
 * tests/unit/test_flow_packet.c - frames of every kind, whole, cut and wrong;
 * and the hash that their flows are found by.
 */
#include "flow/packet.h"

#include "flow/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TCP_SYN_SCALE_9 \
	"\x10\x00\x00\x19\x00\x00\x00\x07\x00\x00\x00\x00\x70\x02\xfd\xe8" \
	"\x00\x00\x00\x00\x02\x04\x05\xb4\x01\x03\x03\x09"
#define TCP_DATA \
	"\x10\x00\x00\x19\x00\x00\x00\x08\x00\x00\x00\x05\x50\x18\xfd\xe8" \
	"\x00\x00\x00\x00QUIT"
#define V4(length, fragment) \
	"\x45\x00\x00" length "\x00\x01" fragment "\x40\x06\x00\x00" \
	"\xc0\x00\x02\x01\xc6\x33\x64\x01"
#define V6(length, next) \
	"\x60\x00\x00\x00\x00" length next "\x40" \
	"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" \
	"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
#define MACS  "\0\0\0\0\0\0\0\0\0\0\0\0"
#define WHOLE "\x40\x00" /* don't fragment */

#define FRAME(text) (const uint8_t *)(text), sizeof(text) - 1

static void
a_segment_is_found_behind_every_kind_of_header(void **state)
{
	static const struct {
		enum packet_link link;
		const uint8_t *frame;
		size_t size;
	} cases[] = {
	    {PACKET_ETHERNET,
		FRAME(MACS "\x08\x00" V4("\x30", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_ETHERNET, FRAME(MACS "\x81\x00\x00\x05\x08\x00" V4(
				  "\x30", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_ETHERNET,
		FRAME(MACS "\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00" V4(
		    "\x30", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_RAW, FRAME(V4("\x30", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_SLL, FRAME("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\x00" V4(
			     "\x30", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_SLL2,
		FRAME("\x08\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" V4(
		    "\x30", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_LOOP,
		FRAME("\x02\0\0\0" V4("\x30", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_RAW, FRAME(V6("\x1c", "\x06") TCP_SYN_SCALE_9)},
	    {PACKET_RAW, /* hop by hop, the first fragment, then TCP */
		FRAME(
		    V6("\x2c", "\x00") "\x2c\0\0\0\0\0\0\0"
				       "\x06\0\0\x01\0\0\0\0" TCP_SYN_SCALE_9)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p;

		assert_int_equal(packet_read(cases[i].link, cases[i].frame,
				     cases[i].size, &p),
		    PACKET_TCP);
		assert_int_equal(p.from.port, 4096);
		assert_int_equal(p.to.port, 25);
		assert_int_equal(p.seq, 7);
		assert_int_equal(p.flags, TCP_SYN);
		assert_int_equal(p.window, 65000);
		assert_int_equal(p.scale, 9);
		assert_int_equal(p.ttl, 64);
		assert_int_equal(p.length, 0);
	}
}

static void
the_headers_say_how_long_a_payload_is(void **state)
{
	struct packet p;

	(void)state;
	/* Filled up to Ethernet's least length. */
	assert_int_equal(
	    packet_read(PACKET_ETHERNET,
		FRAME(MACS "\x08\x00" V4("\x2c", WHOLE) TCP_DATA "\0\0"), &p),
	    PACKET_TCP);
	assert_int_equal(p.length, 4);
	assert_int_equal(p.captured, 4);
	assert_memory_equal(p.payload, "QUIT", 4);
	/* Cut by the capture. */
	assert_int_equal(
	    packet_read(PACKET_RAW, FRAME(V4("\xff", WHOLE) TCP_DATA), &p),
	    PACKET_TCP);
	assert_int_equal(p.length, 255 - 40);
	assert_int_equal(p.captured, 4);
	/* Left to the card. */
	assert_int_equal(
	    packet_read(PACKET_RAW, FRAME(V4("\x00", WHOLE) TCP_DATA), &p),
	    PACKET_TCP);
	assert_int_equal(p.length, 4);
}

static void
what_is_no_segment_is_told_apart(void **state)
{
	static const struct {
		enum packet_kind kind;
		const uint8_t *frame;
		size_t size;
	} cases[] = {
	    {PACKET_FRAGMENT, FRAME(V4("\x30", "\x00\x10") TCP_SYN_SCALE_9)},
	    {PACKET_FRAGMENT,
		FRAME(V6("\x24", "\x2c") "\x06\0\0\x10\0\0\0\0" TCP_DATA)},
	    {PACKET_OTHER, FRAME(V6("\x1c", "\x11") TCP_SYN_SCALE_9)},
	    {PACKET_BAD, FRAME(V4("\x10", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_BAD, FRAME(V4("\x20", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_BAD, /* options beyond the packet */
		FRAME(V4("\x2c", WHOLE) TCP_SYN_SCALE_9)},
	    {PACKET_CUT, FRAME(V4("\x30", WHOLE) "\x10\x00\x00\x19")},
	    {PACKET_CUT, FRAME("\x45\x00")},
	    {PACKET_CUT, FRAME(V6("\x2c", "\x00") "\x2c\0\0\0")},
	    {PACKET_CUT, FRAME("")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p;

		assert_int_equal(
		    packet_read(PACKET_RAW, cases[i].frame, cases[i].size, &p),
		    cases[i].kind);
	}
}

static void
a_segment_cut_anywhere_is_read_or_refused(void **state)
{
	static const char whole[] = V4("\x30", WHOLE) TCP_SYN_SCALE_9;
	uint8_t frame[sizeof(whole)];

	(void)state;
	memcpy(frame, whole, sizeof(whole));
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		struct packet p;
		const enum packet_kind kind =
		    packet_read(PACKET_RAW, frame, n, &p);

		assert_int_equal(kind, n < 40 ? PACKET_CUT : PACKET_TCP);
		if (kind == PACKET_TCP)
			assert_int_equal(p.scale, n < 48 ? PACKET_NO_SCALE : 9);
	}
}

static void
the_hash_is_siphash(void **state)
{
	/* The key and text of the authors' paper, appendix A. */
	const struct flow_hash_key key = {
	    UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t text[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof(text); i++)
		text[i] = i;
	assert_true(
	    flow_hash(key, text, sizeof(text)) == UINT64_C(0xa129ca6149be45e5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_segment_is_found_behind_every_kind_of_header),
	    cmocka_unit_test(the_headers_say_how_long_a_payload_is),
	    cmocka_unit_test(what_is_no_segment_is_told_apart),
	    cmocka_unit_test(a_segment_cut_anywhere_is_read_or_refused),
	    cmocka_unit_test(the_hash_is_siphash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
