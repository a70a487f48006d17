#include "worker/mef/extract_priv.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_BYTES 4096u
#define LINE_BYTES 16u
#define LINE_MOST  4096u /* octets of a line of a list that are looked at */

/* What scripts begin with or hold, in lower case. */
static const char *const script_words[] = {"#!", "@echo off", "wscript.",
    "createobject(", "powershell", "<job", "<?php", "activexobject",
    "invoke-expression", "set-strictmode", "param("};

static bool
is_scripted(struct octets all)
{
	const size_t most = all.n < LOOK_BYTES ? all.n : LOOK_BYTES;
	char text[LOOK_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < most; i++) {
		const unsigned char c = all.at[i];

		if (c >= ' ' || c == '\t' || c == '\n' || c == '\r')
			text[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		else if (c != '\0')
			return false;
	}
	if (2 * n < most) /* more zeroes than UTF-16 has */
		return false;
	if (n >= 2 && memcmp(text, "#!", 2) == 0)
		return true;
	for (size_t i = 1; i < sizeof(script_words) / sizeof(*script_words);
	     i++)
		if (memmem(text, n, script_words[i], strlen(script_words[i])))
			return true;
	return false;
}

enum mef_kind
mef_kind_of(const void *octets, size_t n)
{
	const struct octets all = {octets, n};

	if (n >= 64 && memcmp(octets, "MZ", 2) == 0)
		return MEF_PE;
	if (n >= 20 && memcmp(octets, "\177ELF", 4) == 0)
		return MEF_ELF;
	return is_scripted(all) ? MEF_SCRIPTED : MEF_OTHER;
}

static void
read_lines(struct mef_bag *bag, struct octets all)
{
	for (size_t i = 0; i < all.n; i += LINE_BYTES)
		mef_bag_add(bag, MEF_LINES,
		    mef_hash(all.at + i,
			all.n - i < LINE_BYTES ? all.n - i : LINE_BYTES));
}

static int
by_place(const void *a, const void *b)
{
	const struct octets *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Sections may overlap: every octet is read once, or time is not linear. */
static void
join_parts(struct image *image)
{
	const unsigned char *done = NULL;

	qsort(image->parts, image->n, sizeof(image->parts[0]), by_place);
	for (size_t i = 0; i < image->n; i++) {
		struct octets *part = &image->parts[i];
		const unsigned char *end = part->at + part->n;

		if (done && part->at < done)
			part->at = end < done ? end : done;
		part->n = (size_t)(end - part->at);
		if (!done || end > done)
			done = end;
	}
}

static void
read_full(struct mef_bag *bag, struct octets all)
{
	struct image image = {.n = 0};

	if (!(bag->kind == MEF_PE && pe_read(bag, all, &image)) &&
	    !(bag->kind == MEF_ELF && elf_read(bag, all, &image)))
		image.n = 0;
	/* Not what its first octets promise: no loader takes parts of it. */
	if (image.n < 2)
		image = (struct image){.parts = {all}, .n = 1};
	join_parts(&image);
	for (size_t i = 0; i < image.n; i++) {
		bytes_read(bag, image.parts[i]);
		strings_read(bag, image.parts[i]);
	}
	if (bag->kind == MEF_SCRIPTED)
		script_read(bag, all);
}

void
mef_extract(struct mef_bag *bag, enum mef_set set, const void *octets, size_t n)
{
	const struct octets all = {
	    octets, n < MEF_DOCUMENT_MAX ? n : (size_t)MEF_DOCUMENT_MAX};

	bag->kind = mef_kind_of(octets, n);
	if (set == MEF_SET_2001)
		read_lines(bag, all);
	else
		read_full(bag, all);
	mef_bag_finish(bag);
}

static bool
has_family(const char *line, size_t n, const char *name, size_t *ret_skip)
{
	const size_t length = strlen(name);

	*ret_skip = length + 1;
	return n > length && memcmp(line, name, length) == 0 &&
	       line[length] == ':';
}

static void
read_feature(struct mef_bag *bag, const char *line, size_t n)
{
	size_t skip;

	if (has_family(line, n, "imports", &skip))
		imports_add(bag, line + skip, n - skip);
	else if (has_family(line, n, "header", &skip))
		facts_add(bag, line + skip, n - skip);
	else if (has_family(line, n, "bytes", &skip))
		mef_bag_add(bag, MEF_BYTES, mef_hash(line + skip, n - skip));
	else if (has_family(line, n, "script", &skip))
		script_read(
		    bag, (struct octets){
			     (const unsigned char *)line + skip, n - skip});
	else
		strings_one(bag, line, n);
}

void
mef_extract_list(
    struct mef_bag *bag, enum mef_set set, const char *text, size_t n)
{
	if (n > MEF_DOCUMENT_MAX)
		n = (size_t)MEF_DOCUMENT_MAX;
	bag->kind = MEF_LIST;
	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		const size_t length = end ? (size_t)(end - text) : n;
		const size_t most = length < LINE_MOST ? length : LINE_MOST;

		if (most > 0 && set == MEF_SET_2001)
			mef_bag_add(bag, MEF_LINES, mef_hash(text, most));
		else if (most > 0)
			read_feature(bag, text, most);
		text += length + (end != NULL);
		n -= length + (end != NULL);
	}
	mef_bag_finish(bag);
}
