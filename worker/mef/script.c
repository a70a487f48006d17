/*
 * worker/mef/script.c - words of scripts, and pairs of neighbours.
 *
 * Without a grammar, so that one that is broken on purpose is read as well.
 */
#include "worker/mef/extract_priv.h"

#define WORD_MOST 64u

static bool
is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$';
}

void
script_read(struct mef_bag *bag, struct octets all)
{
	char word[WORD_MOST];
	uint64_t before = 0;
	size_t n = 0;

	for (size_t i = 0; i <= all.n; i++) {
		const unsigned char c = i < all.n ? all.at[i] : '\n';
		uint64_t hash;

		/* UTF-16 is read as if its zeroes were not there. */
		if (c == '\0')
			continue;
		if (is_word(c)) {
			if (n < sizeof(word))
				word[n++] =
				    (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
			continue;
		}
		if (n >= 2) {
			hash = mef_hash(word, n);
			mef_bag_add(bag, MEF_SCRIPT, hash);
			if (before != 0)
				mef_bag_add(bag, MEF_SCRIPT,
				    (before << 1 | before >> 63) ^ hash);
			before = hash;
		}
		n = 0;
	}
}
