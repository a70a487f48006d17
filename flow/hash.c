#include "flow/hash.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

struct flow_hash_key
flow_hash_key_new(void)
{
	struct flow_hash_key key;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		abort();
	return key;
}

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
rounds(struct state *s, int n)
{
	for (int i = 0; i < n; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static void
take(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

uint64_t
flow_hash(struct flow_hash_key key, const void *octets, size_t n)
{
	/* The four words spell "somepseudorandomlygeneratedbytes". */
	struct state s = {key.k0 ^ UINT64_C(0x736f6d6570736575),
	    key.k1 ^ UINT64_C(0x646f72616e646f6d),
	    key.k0 ^ UINT64_C(0x6c7967656e657261),
	    key.k1 ^ UINT64_C(0x7465646279746573)};
	const uint8_t *at = octets;
	const uint64_t length = n;
	uint64_t word;

	for (; n >= 8; n -= 8, at += 8) {
		memcpy(&word, at, 8);
		take(&s, le64toh(word));
	}
	word = 0;
	memcpy(&word, at, n);
	take(&s, le64toh(word) | length << 56);
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
