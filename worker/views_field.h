/*
 * worker/views_field.h - a header field as the most lenient reader takes it.
 */
#ifndef SLUICE_WORKER_VIEWS_FIELD_H
#define SLUICE_WORKER_VIEWS_FIELD_H

#include "worker/cell_priv.h"
#include "worker/mime_codec.h"

/* What the Content-... fields of one header block say. */
struct block {
	const char *body;        /* behind the blank line */
	const char *after_field; /* behind the last field */
	const char *no_field;    /* the first line that is none, or the end */
	const char *stop;        /* how far the block was read */
	struct names names;
	char declared[128]; /* first Content-Type, clean */
	unsigned n_types;
	unsigned n_codecs; /* encodings that are named, in order */
	enum codec first_codec;
	enum codec last_codec;
	bool is_odd;       /* an encoding that readers take differently */
	bool is_container; /* multipart or message: read by its parts */
	bool is_decoded;   /* some encoding gave a file */
	bool is_known;     /* the standard reader has this body */
};

/* True for lines that begin like Content-Type, -Transfer-Encoding or
 * -Disposition, with whatever junk in front. */
bool field_is_content(struct span line);

/* Take a field with its continuation lines; false: it is none. */
bool field_take(struct block *b, struct span field);

#endif
