#include "worker/mef/bag.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

const char *const mef_family_names[MEF_FAMILIES] = {
    "bytes", "strings", "words", "imports", "header", "script", "lines"};
const char *const mef_kind_names[MEF_KINDS] = {
    "other", "pe", "elf", "script", "list"};

#define FIRST_ROOM 1024u

/* The packed form: this, then the features of each family in turn. */
struct packed {
	char magic[8];
	uint32_t kind, n_lost;
	uint32_t n[MEF_FAMILIES];
	uint32_t reserved;
};

static const char magic[8] = {'M', 'E', 'F', 'B', 'A', 'G', '1', '\n'};

struct mef_bag *
mef_bag_new(void)
{
	return xcalloc(1, sizeof(struct mef_bag));
}

struct mef_bag *
mef_bag_free(struct mef_bag *bag)
{
	if (!bag)
		return NULL;
	for (int f = 0; f < MEF_FAMILIES; f++)
		free(bag->family[f].at);
	free(bag);
	return NULL;
}

void
mef_bag_clear(struct mef_bag *bag)
{
	for (int f = 0; f < MEF_FAMILIES; f++) {
		bag->family[f].n = 0;
		bag->family[f].is_full = false;
	}
	bag->kind = MEF_OTHER;
	bag->n_lost = 0;
}

#define DIGIT_BITS 11u
#define DIGITS     (1u << DIGIT_BITS)
#define FEW        64u

/* From the lowest digit on, six of them; linear, in n more words of memory. */
static void
radix_sort(uint64_t *at, uint32_t n)
{
	CLEANUP(free_ptr) uint64_t *other = xcalloc(n, sizeof(*other));
	uint64_t *from = at, *to = other;

	for (unsigned int shift = 0; shift < 64; shift += DIGIT_BITS) {
		uint32_t starts[DIGITS + 1] = {0};
		uint64_t *swap = from;

		for (uint32_t i = 0; i < n; i++)
			starts[(from[i] >> shift & (DIGITS - 1)) + 1]++;
		if (starts[(from[0] >> shift & (DIGITS - 1)) + 1] == n)
			continue; /* all alike: places have few digits */
		for (unsigned int i = 0; i < DIGITS; i++)
			starts[i + 1] += starts[i];
		for (uint32_t i = 0; i < n; i++)
			to[starts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != at)
		memcpy(at, from, n * sizeof(*at));
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
sort(uint64_t *at, uint32_t n)
{
	if (n < DIGITS)
		qsort(at, n, sizeof(*at), by_value);
	else
		radix_sort(at, n);
}

/* Values that are in order without those that are like the one before. */
static uint32_t
append_once(uint64_t *to, uint32_t n, const uint64_t *from, uint32_t n_from)
{
	for (uint32_t i = 0; i < n_from; i++)
		if (n == 0 || to[n - 1] != from[i])
			to[n++] = from[i];
	return n;
}

/* Put value into its place behind begin, unless it is there. */
static uint32_t
insert_once(uint64_t *to, uint32_t begin, uint32_t n, uint64_t value)
{
	uint32_t k = n;

	while (k > begin && to[k - 1] > value)
		k--;
	if (k > begin && to[k - 1] == value)
		return n;
	for (uint32_t i = n; i > k; i--)
		to[i] = to[i - 1];
	to[k] = value;
	return n + 1;
}

/* The values of a bucket, behind n others; most occur several times. */
static uint32_t
take_bucket(uint64_t *to, uint32_t n, uint64_t *bucket, uint32_t n_bucket)
{
	const uint32_t begin = n;

	for (uint32_t i = 0; i < n_bucket && n - begin < FEW; i++)
		n = insert_once(to, begin, n, bucket[i]);
	if (n - begin < FEW)
		return n;
	sort(bucket, n_bucket);
	return append_once(to, begin, bucket, n_bucket);
}

#define BUCKET_BITS_MOST 18u

/*
 * Hashes are spread evenly, so by their first bits they fall into buckets of
 * two to four each.  Where someone has made many that begin alike, theirs is a
 * large bucket and sorted as such.
 */
static uint32_t
bucket_sort(uint64_t *at, uint32_t n, uint64_t any)
{
	const unsigned int length = 64 - (unsigned int)__builtin_clzll(any | 1);
	const unsigned int wish = 30 - (unsigned int)__builtin_clz(n);
	const unsigned int most =
	    length < BUCKET_BITS_MOST ? length : BUCKET_BITS_MOST;
	const unsigned int bits = wish < most ? wish : most;
	const unsigned int shift = length - bits;
	CLEANUP(free_ptr)
	uint32_t *ends = xcalloc((size_t)1 << bits, sizeof(*ends));
	CLEANUP(free_ptr) uint64_t *other = xcalloc(n, sizeof(*other));
	uint32_t sum = 0, kept = 0;

	for (uint32_t i = 0; i < n; i++)
		ends[at[i] >> shift]++;
	for (size_t i = 0; i < (size_t)1 << bits; i++) {
		const uint32_t in_bucket = ends[i];

		ends[i] = sum; /* its beginning, until it is filled */
		sum += in_bucket;
	}
	for (uint32_t i = 0; i < n; i++)
		other[ends[at[i] >> shift]++] = at[i];
	for (size_t i = 0, begin = 0; i < (size_t)1 << bits; i++) {
		const uint32_t in_bucket = ends[i] - (uint32_t)begin;

		kept = take_bucket(at, kept, other + begin, in_bucket);
		begin = ends[i];
	}
	return kept;
}

static void
sort_out(struct mef_features *f)
{
	uint64_t any = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n; i++)
		any |= f->at[i];
	if (f->n >= FEW) {
		f->n = bucket_sort(f->at, f->n, any);
		return;
	}
	for (uint32_t i = 0; i < f->n; i++)
		n = insert_once(f->at, 0, n, f->at[i]);
	f->n = n;
}

void
mef_bag_add(struct mef_bag *bag, enum mef_family family, uint64_t hash)
{
	struct mef_features *f = &bag->family[family];

	if (f->n == MEF_BAG_MAX && !f->is_full) {
		/* Once for every quarter that is filled anew, or no more. */
		sort_out(f);
		f->is_full = f->n > MEF_BAG_MAX / 4 * 3;
	}
	if (f->is_full) {
		bag->n_lost += bag->n_lost < UINT32_MAX;
		return;
	}
	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : FIRST_ROOM;
		f->at = realloc(f->at, f->room * sizeof(*f->at));
		if (!f->at)
			abort();
	}
	f->at[f->n++] = hash;
}

void
mef_bag_finish_family(struct mef_bag *bag, enum mef_family family)
{
	sort_out(&bag->family[family]);
}

void
mef_bag_finish(struct mef_bag *bag)
{
	for (int i = 0; i < MEF_FAMILIES; i++)
		mef_bag_finish_family(bag, (enum mef_family)i);
}

void *
mef_bag_pack(const struct mef_bag *bag, size_t *ret_n)
{
	struct packed head = {.kind = bag->kind, .n_lost = bag->n_lost};
	size_t n = sizeof(head);
	unsigned char *all, *at;

	memcpy(head.magic, magic, sizeof(magic));
	for (int f = 0; f < MEF_FAMILIES; f++) {
		head.n[f] = bag->family[f].n;
		n += head.n[f] * sizeof(uint64_t);
	}
	all = at = xcalloc(1, n);
	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	for (int f = 0; f < MEF_FAMILIES; f++) {
		const size_t size = head.n[f] * sizeof(uint64_t);

		if (size > 0)
			memcpy(at, bag->family[f].at, size);
		at += size;
	}
	*ret_n = n;
	return all;
}

static int
check_packed(const struct packed *head, size_t n)
{
	uint64_t features = 0;

	if (memcmp(head->magic, magic, sizeof(magic)) != 0 ||
	    head->kind >= MEF_KINDS || head->reserved != 0)
		return -EBADMSG;
	for (int f = 0; f < MEF_FAMILIES; f++) {
		if (head->n[f] > MEF_BAG_MAX)
			return -EBADMSG;
		features += head->n[f];
	}
	return n - sizeof(*head) == features * sizeof(uint64_t) ? 0 : -EBADMSG;
}

int
mef_bag_unpack(const void *octets, size_t n, struct mef_bag **ret_bag)
{
	CLEANUP(mef_bag_freep) struct mef_bag *bag = NULL;
	const unsigned char *at = octets;
	struct packed head;

	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	if (check_packed(&head, n) < 0)
		return -EBADMSG;
	at += sizeof(head);
	bag = mef_bag_new();
	bag->kind = head.kind;
	bag->n_lost = head.n_lost;
	for (int i = 0; i < MEF_FAMILIES; i++) {
		struct mef_features *f = &bag->family[i];

		if (head.n[i] == 0)
			continue;
		f->n = f->room = head.n[i];
		f->at = xcalloc(f->n, sizeof(*f->at));
		memcpy(f->at, at, f->n * sizeof(*f->at));
		at += f->n * sizeof(*f->at);
		for (uint32_t k = 1; k < f->n; k++)
			if (f->at[k - 1] >= f->at[k])
				return -EBADMSG;
	}
	*ret_bag = TAKE_PTR(bag);
	return 0;
}
