/*
 * worker/mef/bytes.c - windows of 8 octets that their own content picks.
 *
 * A window is a feature when 6 bits of its hash are zero, wherever it lies: an
 * octet put in before it changes nothing, as it does for aligned blocks, and
 * of 64 windows one is counted (Manber's sampling, "Finding similar files in
 * a large file system", 1994).  The hash is a product with a large odd number,
 * whose upper bits depend on all octets of the window.
 */
#include "worker/mef/extract_priv.h"

#include "worker/mef/octets8.h"

#define WINDOW    8u
#define PICK_BITS 6u
#define FACTOR    UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */

static uint64_t
product_at(const unsigned char *at)
{
	const uint64_t window = octets8_at(at);

	return (window ^ window >> 29) * FACTOR;
}

static bool
is_picked(uint64_t product)
{
	return product >> (64 - PICK_BITS) == 0;
}

/* A window that is picked; *before is the last one that was added. */
static void
add_window(struct mef_bag *bag, const unsigned char *at, uint64_t *before)
{
	const uint64_t window = octets8_at(at);
	const uint64_t product = product_at(at);

	/* Padding would be picked or not as a whole. */
	if (window == *before || window == (window >> 8 | window << 56))
		return;
	*before = window;
	mef_bag_add(bag, MEF_BYTES, (product ^ product >> 31) * FACTOR);
}

/* Windows that are looked at before any is added. */
#define STRETCH 1024u

void
bytes_read(struct mef_bag *bag, struct octets part)
{
	const size_t n = part.n < WINDOW ? 0 : part.n - WINDOW + 1;
	uint64_t before = 0;

	for (size_t base = 0; base < n; base += STRETCH) {
		const unsigned char *at = part.at + base;
		const unsigned int most =
		    n - base < STRETCH ? (unsigned int)(n - base) : STRETCH;
		uint16_t picked[STRETCH];
		unsigned int n_picked = 0;

		/* No branch: it would be guessed wrong at each pick. */
		for (unsigned int i = 0; i < most; i++) {
			picked[n_picked] = (uint16_t)i;
			n_picked += is_picked(product_at(at + i));
		}
		for (unsigned int i = 0; i < n_picked; i++)
			add_window(bag, at + picked[i], &before);
	}
}
