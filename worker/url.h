/*
 * worker/url.h - web addresses: in the form in which they are asked, whether
 * one leads to a file, whether it may be asked at all.  Pure.
 *
 * Used by the finder of links in a cell and again, hop by hop, by the process
 * that fetches: neither takes the other's word.
 */
#ifndef SLUICE_WORKER_URL_H
#define SLUICE_WORKER_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of an address without its NUL; longer ones are not asked. */
#define URL_MAX      1000
#define URL_HOST_MAX 255

/*
 * Read an address as browsers do: white space around and line breaks within
 * are nothing, "\" is "/", any number of "/" may follow the scheme, a host may
 * be a number; user, password and fragment are left out.
 *
 * base  an address from here that a relative one is joined to; NULL: none
 * out   URL_MAX + 1 octets, set on success: printable ASCII
 *
 * Returns 0; -EINVAL: no address of http or https, or its host is not ASCII;
 * -ENAMETOOLONG.
 */
int url_read(const char *base, const char *raw, size_t len, char *out);

/* The host (without brackets, at most URL_HOST_MAX octets and NUL) and the
 * port of an address from url_read(). */
void url_host(const char *url, char *host, uint16_t *ret_port);

/*
 * What a browser would call the file: the last component of its path,
 * percent-decoded, up to the first NUL; may be "".  Returns its length.
 */
size_t url_name(const char *url, char *buf, size_t size);

/* Does it look like a file's: a name with an extension of the list in
 * url_words.c? */
bool url_is_file(const char *url);

/*
 * Why asking it could do something for its receiver: a word that means an
 * act (unsubscribe, confirm, ...), a mail address, a token.  NULL: nothing.
 * The text is constant.
 */
const char *url_is_act(const char *url);

#endif
