/*
 * worker/names.h - every file name that some reader would show.
 */
#ifndef SLUICE_WORKER_NAMES_H
#define SLUICE_WORKER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n strings, each with its NUL, one after the other; no two are equal. */
struct names {
	char *buf;
	size_t used;
	size_t room;
	uint32_t n;
	bool is_cut; /* there are more, or parts of them, than were looked at */
};

/*
 * Add a name in every form in which it could be shown: as it is, its last
 * path component, without trailing dots and blanks, without comments,
 * percent-decoded, RFC 2047 decoded, up to its first NUL, with and without
 * the white space of a fold.  UTF-8 out
 * (anything else is taken as Latin-1); controls and bidirectional overrides
 * as \xNN or \u{NNNN}; at most 255 octets.
 */
void names_add(struct names *names, const char *raw, size_t len);

/* Add every name or filename parameter of a raw header value (Content-Type
 * or Content-Disposition): duplicates, RFC 2231 in any order, broken quotes. */
void names_header(struct names *names, const char *value, size_t len);

/* True when two of the names have different extensions. */
bool names_disagree(const struct names *names);

void names_done(struct names *names);

#endif
