/*
 * worker/reading_write.c - the cell's side of worker/reading.h.
 *
 * The whole arena is mapped once, at its greatest size, so that a blob never
 * moves while archives or embedded messages in it are being read; the file
 * behind it grows in steps.
 */
#include "worker/reading_write.h"

#include "worker/reading.h"

#include "common/cleanup.h"
#include "worker/reading_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_STEP  (UINT64_C(128) << 10) /* most mail: one ftruncate(2) */
#define LEAST_ARENA (UINT64_C(64) << 10)

struct item {
	struct reading_record rec;
	/* Of one content, where its names fill a record: the next one that
	 * goes on with them, and, of the first, the newest. */
	struct item *more, *newest;
	struct item_name {
		struct item_name *next;
		char text[];
	} * names, **names_end;
	char *declared;
	char *type;
};

struct reading_writer {
	int fd;
	char *map;
	uint64_t max_bytes;
	uint64_t size;  /* of the file */
	uint64_t start; /* of the current blob */
	uint64_t used;
	struct item **items; /* pointers, since records are handed out */
	size_t n_items;
	size_t room;
	char *links[READING_LINKS_MAX];
	uint32_t n_links;
	bool links_cut;
};

static char *
copy_cut(const char *s, size_t max)
{
	char *copy = strndup(s ? s : "", max);

	if (!copy)
		abort();
	return copy;
}

struct reading_writer *
writer_new(int fd, uint64_t max_bytes)
{
	struct reading_writer *w = calloc(1, sizeof(*w));
	void *map = MAP_FAILED;

	if (!w)
		return NULL;
	/* A budget of memory below that of output makes the output smaller. */
	for (; max_bytes >= LEAST_ARENA; max_bytes /= 2) {
		map = mmap(
		    NULL, max_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			break;
	}
	if (map == MAP_FAILED) {
		free(w);
		return NULL;
	}
	w->fd = fd;
	w->map = map;
	w->max_bytes = max_bytes;
	w->used = w->start = READING_HEAD_BYTES;
	return w;
}

void
writer_free(struct reading_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n_items; i++) {
		struct item_name *next;

		for (struct item_name *n = w->items[i]->names; n; n = next) {
			next = n->next;
			free(n);
		}
		free(w->items[i]->declared);
		free(w->items[i]->type);
		free(w->items[i]);
	}
	free(w->items);
	for (uint32_t i = 0; i < w->n_links; i++)
		free(w->links[i]);
	if (w->map)
		(void)munmap(w->map, w->max_bytes);
	free(w);
}

char *
writer_reserve(struct reading_writer *w, uint64_t len)
{
	uint64_t size = w->size ? w->size : FIRST_STEP;

	if (len > w->max_bytes - w->used)
		return NULL;
	while (size < w->used + len)
		size *= 2;
	if (size > w->max_bytes)
		size = w->max_bytes;
	if (size > w->size) {
		if (ftruncate(w->fd, (off_t)size) < 0)
			return NULL;
		w->size = size;
	}
	return w->map + w->used;
}

void
writer_advance(struct reading_writer *w, uint64_t len)
{
	assert(len <= w->size - w->used);
	w->used += len;
}

int
writer_append(struct reading_writer *w, const void *buf, size_t len)
{
	char *at;

	if (len == 0)
		return 0;
	at = writer_reserve(w, len);
	if (!at)
		return -EFBIG;
	memcpy(at, buf, len);
	w->used += len;
	return 0;
}

const char *
writer_blob(const struct reading_writer *w, uint64_t *ret_bytes)
{
	*ret_bytes = w->used - w->start;
	return w->map + w->start;
}

const char *
writer_at(const struct reading_writer *w, uint64_t off)
{
	return w->map + off;
}

void
writer_blob_end(
    struct reading_writer *w, uint64_t *ret_off, uint64_t *ret_bytes)
{
	*ret_off = w->start;
	*ret_bytes = w->used - w->start;
	w->start = w->used;
}

void
writer_blob_drop(struct reading_writer *w)
{
	w->used = w->start;
}

static struct item *
item_add(struct reading_writer *w)
{
	struct item *item = calloc(1, sizeof(*item));

	if (w->n_items == w->room) {
		w->room = w->room ? 2 * w->room : 32;
		w->items = realloc(w->items, w->room * sizeof(struct item *));
	}
	if (!item || !w->items)
		abort();
	item->names_end = &item->names;
	item->newest = item;
	w->items[w->n_items++] = item;
	return item;
}

int32_t
writer_part(struct reading_writer *w, const struct reading_part *part)
{
	struct item *item = item_add(w);
	const int32_t index = (int32_t)w->n_items - 1;
	const char *name = part->names;

	item->rec = (struct reading_record){
	    .off = part->bytes ? part->off : 0,
	    .bytes = part->bytes,
	    .parent = part->parent,
	    .depth = part->depth,
	    .view = part->view,
	    .flags = part->flags,
	};
	item->declared = copy_cut(part->declared, READING_NAME_MAX);
	item->type = copy_cut(part->type, READING_NAME_MAX);
	for (uint32_t i = 0; i < part->n_names; i++) {
		writer_name(w, index, name);
		name += strlen(name) + 1;
	}
	return index;
}

/* A record like first, for the names that it has no room for. */
static struct item *
item_more(struct reading_writer *w, struct item *first)
{
	struct item *item = item_add(w);

	item->rec = first->rec;
	item->rec.n_names = 0;
	item->declared = copy_cut(first->declared, READING_NAME_MAX);
	item->type = copy_cut(first->type, READING_NAME_MAX);
	first->newest->more = item;
	first->newest = item;
	return item;
}

void
writer_name(struct reading_writer *w, int32_t part, const char *name)
{
	const size_t len = strnlen(name, READING_NAME_MAX);
	struct item *item;
	struct item_name *n;

	assert(part >= 0 && (size_t)part < w->n_items);
	item = w->items[part]->newest;
	for (n = item->names; n; n = n->next)
		if (strncmp(n->text, name, READING_NAME_MAX) == 0)
			return;
	if (item->rec.n_names == READING_NAMES_MAX)
		item = item_more(w, w->items[part]);
	n = calloc(1, sizeof(*n) + len + 1);
	if (!n)
		abort();
	memcpy(n->text, name, len);
	*item->names_end = n;
	item->names_end = &n->next;
	item->rec.n_names++;
}

void
writer_each_name(const struct reading_writer *w, int32_t part,
    void (*call)(void *arg, const char *name), void *arg)
{
	assert(part >= 0 && (size_t)part < w->n_items);
	for (const struct item *item = w->items[part]; item; item = item->more)
		for (const struct item_name *n = item->names; n; n = n->next)
			call(arg, n->text);
}

uint32_t
writer_flags(struct reading_writer *w, int32_t part, uint32_t flags)
{
	assert(part >= 0 && (size_t)part < w->n_items);
	for (struct item *item = w->items[part]; item; item = item->more)
		item->rec.flags |= flags;
	return w->items[part]->rec.flags;
}

const char *
writer_type(const struct reading_writer *w, int32_t part)
{
	assert(part >= 0 && (size_t)part < w->n_items);
	return w->items[part]->type;
}

const char *
writer_declared(const struct reading_writer *w, int32_t part)
{
	assert(part >= 0 && (size_t)part < w->n_items);
	return w->items[part]->declared;
}

size_t
writer_parts(const struct reading_writer *w)
{
	return w->n_items;
}

void
writer_link(struct reading_writer *w, const char *url, uint32_t most)
{
	for (uint32_t i = 0; i < w->n_links; i++)
		if (strcmp(w->links[i], url) == 0)
			return;
	if (w->n_links >= most || w->n_links == READING_LINKS_MAX)
		w->links_cut = true;
	else
		w->links[w->n_links++] = copy_cut(url, READING_LINK_MAX);
}

void
writer_links_cut(struct reading_writer *w)
{
	w->links_cut = true;
}

static int
put_strings(struct reading_writer *w, const struct item *item)
{
	int r = 0;

	for (const struct item_name *n = item->names; r == 0 && n; n = n->next)
		r = writer_append(w, n->text, strlen(n->text) + 1);
	if (r == 0)
		r = writer_append(
		    w, item->declared, strlen(item->declared) + 1);
	if (r == 0)
		r = writer_append(w, item->type, strlen(item->type) + 1);
	return r;
}

int
writer_commit(struct reading_writer *w, enum reading_status status,
    uint32_t ambiguity, bool hold, const char *text)
{
	CLEANUP(free_ptr) char *words = copy_cut(text, READING_TEXT_MAX);
	struct reading_head head = {.magic = READING_MAGIC,
	    .parts_off = w->start,
	    .n_parts = (uint32_t)w->n_items,
	    .status = status,
	    .ambiguity = ambiguity,
	    .hold = hold,
	    .n_links = w->n_links,
	    .links_cut = w->links_cut};
	int r = 0;

	writer_blob_drop(w);
	for (size_t i = 0; r == 0 && i < w->n_items; i++)
		r = writer_append(
		    w, &w->items[i]->rec, sizeof(struct reading_record));
	head.strings_off = w->used;
	for (size_t i = 0; r == 0 && i < w->n_items; i++)
		r = put_strings(w, w->items[i]);
	if (r == 0)
		r = writer_append(w, words, strlen(words) + 1);
	for (uint32_t i = 0; r == 0 && i < w->n_links; i++)
		r = writer_append(w, w->links[i], strlen(w->links[i]) + 1);
	if (r < 0)
		return r;
	head.strings_bytes = w->used - head.strings_off;
	if (ftruncate(w->fd, (off_t)w->used) < 0)
		return -errno;
	w->size = w->used;
	memcpy(w->map, &head, sizeof(head));
	(void)munmap(w->map, w->max_bytes);
	w->map = NULL;
	return 0;
}
