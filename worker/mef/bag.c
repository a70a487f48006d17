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

static void
insertion_sort(uint64_t *at, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		const uint64_t value = at[i];
		uint32_t k = i;

		for (; k > 0 && at[k - 1] > value; k--)
			at[k] = at[k - 1];
		at[k] = value;
	}
}

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

static void
sort_out(struct mef_features *f)
{
	uint32_t n = 0;

	if (f->n < FEW)
		insertion_sort(f->at, f->n);
	else
		radix_sort(f->at, f->n);
	for (uint32_t i = 0; i < f->n; i++)
		if (n == 0 || f->at[n - 1] != f->at[i])
			f->at[n++] = f->at[i];
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
mef_bag_finish(struct mef_bag *bag)
{
	for (int i = 0; i < MEF_FAMILIES; i++)
		sort_out(&bag->family[i]);
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
