/*
 * worker/carve.h - files found without looking at structure: encoded runs
 * (base64 of any line length and with junk, quoted-printable, uuencode, yEnc,
 * BinHex) and archives or programs that stand in the open.
 */
#ifndef SLUICE_WORKER_CARVE_H
#define SLUICE_WORKER_CARVE_H

#include "worker/cell_priv.h"

/* What a pass over lines met, for those who decide about further views. */
struct carve_seen {
	uint32_t content_lines; /* look like Content-...: header fields */
	uint32_t delimiters;    /* begin with "--" and a character */
	uint32_t found;         /* parts that were carved */
};

/*
 * Look at every line of text for the beginning of a file; what is found
 * becomes a part with src's parent and depth, view VIEW_CARVED.  A run that
 * begins in text may go on behind it, as far as reach.  Linear in
 * the length of text, but for what cell_may_work() admits.
 */
void carve_text(struct cell *c, struct span text, const char *reach,
    const struct source *src, struct carve_seen *seen);

/*
 * Decode run by each style of base64 and quoted-printable; whatever has a
 * file's beginning becomes a part like src.  Returns how many there were.
 */
unsigned carve_base64(
    struct cell *c, struct span run, const struct source *src);
unsigned carve_qp(struct cell *c, struct span run, const struct source *src);
/* True when the octets begin like a file, or end like a zip. */
bool carve_is_file(const char *at, size_t len);

/* uuencode of either kind, yEnc or BinHex (enum codec); the part gets the name
 * in it. */
unsigned carve_old(
    struct cell *c, struct span run, unsigned codec, const struct source *src);

/*
 * Files in base64 that the part index, octets found at src, has in quotes or
 * in links, if it is a page (HTML, SVG) by its content or its declaration.
 */
void carve_page(struct cell *c, int32_t index, const struct source *src,
    struct span octets);

/* Is that the type of what browsers show as a page?  NULL is none. */
bool carve_is_page(const char *type);

#endif
