/*
 * tests/fuzz/fuzz_mef_extract.c - any octets as a program: PE, ELF, script, or
 * a list of features.  The first octet says as what; the same octets always
 * give the same features, and those survive packing.
 */
#include "worker/mef/extract.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mef_bag *
extract(uint8_t how, const uint8_t *data, size_t size)
{
	const enum mef_set set = how & 1 ? MEF_SET_2001 : MEF_SET_FULL;
	struct mef_bag *bag = mef_bag_new();

	if (how & 2)
		mef_extract_list(bag, set, (const char *)data, size);
	else
		mef_extract(bag, set, data, size);
	return bag;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mef_bag *bag, *again = NULL;
	void *packed, *packed_again;
	size_t n, m;

	if (size == 0)
		return 0;
	bag = extract(data[0], data + 1, size - 1);
	packed = mef_bag_pack(bag, &n);
	assert(mef_bag_unpack(packed, n, &again) == 0);
	(void)mef_bag_free(again);
	again = extract(data[0], data + 1, size - 1);
	packed_again = mef_bag_pack(again, &m);
	assert(n == m && memcmp(packed, packed_again, n) == 0);
	free(packed);
	free(packed_again);
	(void)mef_bag_free(bag);
	(void)mef_bag_free(again);
	/* What another process may have written is no bag, or is in order. */
	if (mef_bag_unpack(data, size, &again) == 0)
		(void)mef_bag_free(again);
	return 0;
}
