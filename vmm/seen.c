/*
 * vmm/seen.c - the table of what was seen: open addressing, bounded.
 *
 * A guest that finds keys which meet makes one look-up walk over the table,
 * no more; keys that are equal make events equal that aren't, against it.
 */
#include "vmm/detector_priv.h"

#include "common/io.h"

#include <stdlib.h>

#define SLOTS_FIRST 256u

static struct seen *
find(struct seen *at, size_t slots, uint64_t key)
{
	size_t i = (size_t)(key ^ key >> 32) & (slots - 1);

	while (at[i].key != 0 && at[i].key != key)
		i = (i + 1) & (slots - 1);
	return &at[i];
}

static void
grow(struct seen_table *table)
{
	const size_t slots = table->slots ? 2 * table->slots : SLOTS_FIRST;
	struct seen *at = xcalloc(slots, sizeof(*at));

	for (size_t i = 0; i < table->slots; i++)
		if (table->at[i].key != 0)
			*find(at, slots, table->at[i].key) = table->at[i];
	free(table->at);
	table->at = at;
	table->slots = slots;
}

struct seen *
seen_at(struct seen_table *table, uint64_t key, bool make)
{
	struct seen *seen;

	key += key == 0;
	if (table->slots == 0 && !make)
		return NULL;
	if (make && 2 * (table->n + 1) > table->slots &&
	    2 * table->slots <= DETECTOR_SEEN_MAX)
		grow(table);
	seen = find(table->at, table->slots, key);
	if (seen->key == key)
		return seen;
	if (!make)
		return NULL;
	if (2 * (table->n + 1) > table->slots) {
		table->is_full = true;
		return NULL;
	}
	*seen = (struct seen){.key = key, .line = NO_LINE};
	table->n++;
	return seen;
}
