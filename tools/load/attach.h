/*
 * tools/load/attach.h - the contents of attachments: real, well-formed files
 * of several types, made of words and noise, so that true types agree with
 * names and nothing but what was asked for is found in them.
 */
#ifndef LOAD_ATTACH_H
#define LOAD_ATTACH_H

#include "base.h"
#include "rng.h"

struct attachment {
	const char *type; /* Content-Type, static */
	char name[64];
	struct buf content;
};

/* About bytes octets of a harmless type, drawn at random. */
void attachment_draw(struct attachment *a, struct rng *r, size_t bytes);

/* The EICAR test file, plain or in a zip. */
void attachment_eicar(struct attachment *a, struct rng *r);

/* Harmless text under a name that every policy refuses (.exe, .scr …). */
void attachment_refused(struct attachment *a, struct rng *r, size_t bytes);

void attachment_done(struct attachment *a);

#endif
