/*
 * vmm/guest/wine_text.h - how Wine writes strings and numbers into its
 * lines.  Pure.
 */
#ifndef SLUICE_VMM_GUEST_WINE_TEXT_H
#define SLUICE_VMM_GUEST_WINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Read a string, "..." or L"...", from *at on, into ret as UTF-8, cut at
 * size - 1 octets, and move *at behind it.  False, *at untouched: no string
 * begins here (it may be (null), or a number).
 */
bool wine_text_string(const char **at, char *ret, size_t size);

/* As above, the next string anywhere in the rest of the line. */
bool wine_text_next(const char **at, char *ret, size_t size);

/* Read a hexadecimal number, with or without 0x, or (nil), and move behind
 * it.  False, *at untouched: there is none. */
bool wine_text_number(const char **at, uint64_t *ret);

/* If the line goes on with `word`, move behind it. */
bool wine_text_skip(const char **at, const char *word);

/* The nth (from 0) argument of a call, at being behind its "("; NULL: it has
 * fewer. */
const char *wine_text_argument(const char *at, unsigned int n);

/* Turn n octets of UTF-16LE into UTF-8, cut at size - 1 octets.  Ends at a
 * zero. */
void wine_text_utf16(const unsigned char *at, size_t n, char *ret, size_t size);

#endif
