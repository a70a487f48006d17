/*
 * flow/key.h - what a message is known by: its queue id at our server, or its
 * Message-ID.  Kept as the first 128 bits of a SHA-256, so that keys have one
 * size and a sender can't make two of them meet.
 */
#ifndef SLUICE_FLOW_KEY_H
#define SLUICE_FLOW_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_KEY_BYTES 16
/* Longer Message-IDs are not kept (a line has 998 octets, RFC 5322 2.1.1, but
 * programs write some 80). */
#define FLOW_ID_MAX 400

struct flow_key {
	uint8_t bytes[FLOW_KEY_BYTES];
};

/*
 * From a field's value: its first "<...>", without what is around it.
 * false: there is none, or it is longer than FLOW_ID_MAX.
 */
bool flow_key_of_id(const char *text, size_t n, struct flow_key *ret_key);

/* From a queue id: 4 to 64 letters, digits, '-', '_'.  false: it is none. */
bool flow_key_of_queue(const char *text, size_t n, struct flow_key *ret_key);

bool flow_key_is_same(const struct flow_key *a, const struct flow_key *b);

#endif
