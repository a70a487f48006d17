/*
 * worker/url_priv.h - the lists behind worker/url.h (url_words.c).
 */
#ifndef SLUICE_WORKER_URL_PRIV_H
#define SLUICE_WORKER_URL_PRIV_H

#include <stdbool.h>
#include <stddef.h>

/* Is it in the list of extensions?  Any case, without its dot. */
bool url_ext_is_file(const char *ext, size_t len);

/* Does the text (lower case) have a word that means an act? */
bool url_has_act(const char *text);

/* Is one of its pieces what nobody would type: a key, a number of a
 * receiver?  Text of one component, percent-decoded. */
bool url_has_token(const char *text, size_t len);

/* Percent-decode into buf (len + 1 octets at least); returns the length. */
size_t url_decode(const char *at, size_t len, char *buf);

#endif
