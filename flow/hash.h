/*
 * flow/hash.h - SipHash-2-4 (Aumasson and Bernstein 2012): a hash whose
 * collisions nobody can choose who doesn't know the key.
 *
 * OpenSSL has it too, behind a context that costs more than the hash of the
 * 36 octets that are looked up for each packet.
 */
#ifndef SLUICE_FLOW_HASH_H
#define SLUICE_FLOW_HASH_H

#include <stddef.h>
#include <stdint.h>

struct flow_hash_key {
	uint64_t k0, k1;
};

/* From the kernel's random numbers; dies if there are none. */
struct flow_hash_key flow_hash_key_new(void);

uint64_t flow_hash(struct flow_hash_key key, const void *octets, size_t n);

#endif
