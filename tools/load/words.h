/* tools/load/words.h - random but readable text. */
#ifndef LOAD_WORDS_H
#define LOAD_WORDS_H

#include "base.h"
#include "rng.h"

/* A word; the first of the list are met more often. */
const char *word_pick(struct rng *r);

/* count words with blanks between. */
void words_add(struct buf *b, struct rng *r, unsigned count);

/* At least bytes octets of sentences, in lines of at most 72 characters and
 * paragraphs; ends with a line end. */
void text_add(struct buf *b, struct rng *r, size_t bytes);

/* Base64 in lines of 76; quoted-printable in lines of at most 76. */
void base64_add(struct buf *b, const void *data, size_t len);
void quoted_add(struct buf *b, const char *data, size_t len);

#endif
