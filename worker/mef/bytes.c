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

#include <string.h>

#define WINDOW    8u
#define PICK_BITS 6u
#define FACTOR    UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */

static uint64_t
window_at(const unsigned char *at)
{
	uint64_t window;

	memcpy(&window, at, sizeof(window)); /* hosts are little-endian */
	return window;
}

void
bytes_read(struct mef_bag *bag, struct octets part)
{
	uint64_t before = 0;

	for (size_t i = 0; i + WINDOW <= part.n; i++) {
		const uint64_t window = window_at(part.at + i);
		const uint64_t product = (window ^ window >> 29) * FACTOR;

		/* Padding would be picked or not as a whole. */
		if (product >> (64 - PICK_BITS) != 0 || window == before ||
		    window == (window >> 8 | window << 56))
			continue;
		before = window;
		mef_bag_add(bag, MEF_BYTES, (product ^ product >> 31) * FACTOR);
	}
}
