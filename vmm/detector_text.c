/*
 * vmm/detector_text.c - the fields of the current event, each spelled once
 * and only when a rule asks for it; files that were made, programs that run.
 */
#include "vmm/detector_priv.h"

#include "vmm/spelling.h"

#include <assert.h>
#include <string.h>

#define SEED_NEW UINT64_C(0x6e65770000000000)

static enum spelling
spelling_of(unsigned int field)
{
	switch (field) {
	case FIELD_PATH:
	case FIELD_TO:
	case FIELD_PARENT:
	case FIELD_TARGET:
		return SPELL_PATH;
	case FIELD_KEY:
		return SPELL_KEY;
	case FIELD_ARGS:
	case FIELD_DATA:
		return SPELL_COMMAND;
	default:
		return SPELL_TEXT;
	}
}

static struct process *
process_slot(struct detector *d, uint32_t pid)
{
	/* Pids are given out one after the other: the newest stay. */
	return &d->processes[pid % DETECTOR_PROCESSES];
}

static struct text
image_of(struct detector *d, uint32_t pid)
{
	struct process *process = process_slot(d, pid);

	if (pid == 0 || process->pid != pid)
		return (struct text){"", 0};
	return (struct text){process->image, strlen(process->image)};
}

/* A parent that is told by its number. */
static bool
number_of(const struct text *text, uint32_t *ret)
{
	*ret = 0;
	if (text->length == 0 || text->length > 9)
		return false;
	for (size_t i = 0; i < text->length; i++) {
		if (text->at[i] < '0' || text->at[i] > '9')
			return false;
		*ret = 10 * *ret + (uint32_t)(text->at[i] - '0');
	}
	return true;
}

static struct text
derived(struct detector *d, unsigned int field)
{
	struct text path;
	const char *slash;
	size_t dir;

	if (field == FIELD_IMAGE)
		return image_of(d, d->event.pid);
	if (!detector_text(d, FIELD_PATH, &path))
		return (struct text){NULL, 0};
	slash = memrchr(path.at, '/', path.length);
	dir = slash ? (size_t)(slash - path.at) : 0;
	if (field == FIELD_DIR)
		return (struct text){path.at, dir};
	dir += slash != NULL;
	return (struct text){path.at + dir, path.length - dir};
}

static struct text
spelled(struct detector *d, unsigned int field)
{
	struct text text = {NULL, 0};
	uint32_t pid;

	if (field >= GUEST_FIELDS)
		return derived(d, field);
	if (!d->event.field[field])
		return text;
	text.length = spell(spelling_of(field), d->event.field[field],
	    d->event.length[field], d->spellings[field]);
	text.at = d->spellings[field];
	if (field == FIELD_PARENT && number_of(&text, &pid))
		return image_of(d, pid);
	return text;
}

bool
detector_text(struct detector *d, unsigned int field, struct text *ret)
{
	assert(field < RULES_FIELDS);
	if (d->spelled[field] != d->stamp) {
		d->texts[field] = spelled(d, field);
		d->spelled[field] = d->stamp;
	}
	*ret = d->texts[field];
	return ret->at != NULL;
}

/* Words are parted by blanks, quotes, commas, equal signs and what parts
 * commands; in quotes only by quotes.  The first is the whole. */
static size_t
split(const struct text *whole, struct text *words)
{
	const char *at = whole->at, *end = at + whole->length;
	size_t n = 1;

	words[0] = *whole;
	while (at < end && n < DETECTOR_WORDS) {
		const bool is_quoted = *at == '"' || *at == '\'';
		const char quote[] = {*at, '\0'};
		size_t length;

		at += is_quoted;
		length = strcspn(at, is_quoted ? quote : " \"',;=|&<>()");
		if (length > 0)
			words[n++] = (struct text){at, length};
		at += length + (at + length < end &&
				   (is_quoted || !strchr("\"'", at[length])));
	}
	return n;
}

size_t
detector_words(struct detector *d, unsigned int field, const struct text **ret)
{
	struct text whole;

	if (!detector_text(d, field, &whole))
		return 0;
	*ret = d->words[field];
	if (d->split[field] == d->stamp)
		return d->n_words[field];
	d->split[field] = d->stamp;
	if (field == FIELD_ARGS || field == FIELD_DATA) {
		d->n_words[field] = split(&whole, d->words[field]);
	} else {
		d->words[field][0] = whole;
		d->n_words[field] = 1;
	}
	return d->n_words[field];
}

const struct glob_marks *
detector_marks(struct detector *d, unsigned int field)
{
	struct text whole;

	if (d->marked[field] != d->stamp) {
		d->marked[field] = d->stamp;
		if (!detector_text(d, field, &whole))
			whole = (struct text){"", 0};
		glob_mark(whole.at, whole.length, &d->marks[field]);
	}
	return &d->marks[field];
}

/* FNV-1a with a finish that stirs all bits (as in MurmurHash3). */
uint64_t
text_hash(uint64_t seed, const struct text *text)
{
	uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text->length; i++)
		h = (h ^ (unsigned char)text->at[i]) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 33;
}

bool
detector_is_new(struct detector *d, const struct text *path)
{
	return seen_at(&d->seen, text_hash(SEED_NEW, path), false) != NULL;
}

static void
made(struct detector *d, unsigned int field)
{
	struct text path;

	if (detector_text(d, field, &path) && path.length > 0)
		(void)seen_at(&d->seen, text_hash(SEED_NEW, &path), true);
}

static void
started(struct detector *d)
{
	struct process *process = process_slot(d, d->event.pid);
	struct text path;

	if (!detector_text(d, FIELD_PATH, &path))
		return;
	if (path.length >= sizeof(process->image)) {
		path.at += path.length - sizeof(process->image) + 1;
		path.length = sizeof(process->image) - 1;
	}
	process->pid = d->event.pid;
	memcpy(process->image, path.at, path.length);
	process->image[path.length] = '\0';
}

void
detector_remember(struct detector *d)
{
	struct text path;

	if (d->event.kind == GUEST_FILE_CREATE)
		made(d, FIELD_PATH);
	else if (d->event.kind == GUEST_FILE_RENAME &&
		 detector_text(d, FIELD_PATH, &path) &&
		 detector_is_new(d, &path))
		made(d, FIELD_TO);
	else if (d->event.kind == GUEST_PROCESS_START)
		started(d);
}
