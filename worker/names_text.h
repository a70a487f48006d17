/*
 * worker/names_text.h - octets of a mail as clean UTF-8.
 */
#ifndef SLUICE_WORKER_NAMES_TEXT_H
#define SLUICE_WORKER_NAMES_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copy raw into buf as UTF-8 (what isn't is taken as Latin-1), controls as
 * \xNN, characters that turn or hide others as \u{NNNN}; cut to fit at a
 * character, always terminated.  Returns the length.
 */
size_t text_clean(char *buf, size_t size, const char *raw, size_t len);
/* The most octets that text_clean() makes of one character. */
#define TEXT_SHOWN_MAX 9

/* Leave out what text_clean() would escape, into out[len]; returns the
 * length. */
size_t text_visible(char *out, const char *raw, size_t len);

/* One character (below 0x110000) as UTF-8; returns its 1 to 4 octets. */
size_t text_put(char out[5], uint32_t value);

/* Decode %NN into out[len]; returns the length. */
size_t names_percent(const char *raw, size_t len, char *out);

/* Leave out comments (RFC 822 3.4.3) into out[len]; returns the length. */
size_t names_uncomment(const char *raw, size_t len, char *out);

/* Decode the encoded words (RFC 2047), wherever they stand, into out;
 * UTF-16 becomes UTF-8, other character sets stay as they are. */
size_t names_words(const char *raw, size_t len, char *out, size_t size);

/* To UTF-8 if charset is a UTF-16, else a copy; cut to size.  Of a character
 * set other than UTF-8 and ASCII, 0x80 to 0x9f are no controls: they become
 * "?", and the escapes of ISO-2022 go. */
size_t names_charset(const char *charset, size_t charset_len, const char *raw,
    size_t len, char *out, size_t size);

/*
 * Leave out what switches character sets (ISO 2022: ESC, intermediates, final
 * octet; SO and SI where there is any such) into out[len], which may be raw;
 * returns the length.  Other escapes stay.
 */
size_t names_unescape(const char *raw, size_t len, char *out);

#endif
