/*
 * vmm/glob.h - globs over a hostile guest's text: * any octets, ? one, and
 * <> behind a slash the beginning of a path's last part: /a/<>.exe is each
 * .exe that lies in /a itself.
 *
 * Compiled into the pieces between the asterisks, which are looked for one
 * after the other and never again: no backtracking, so at most (pieces + 1)
 * walks over the text, each linear unless a piece has a ?.
 */
#ifndef SLUICE_VMM_GLOB_H
#define SLUICE_VMM_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GLOB_MAX 256u /* octets */

struct glob;

/* Pattern of length octets, at most GLOB_MAX, in the case of the texts.  <> is
 * special once, behind a slash and with none behind it. */
struct glob *glob_new(const char *pattern, size_t length);
struct glob *glob_free(struct glob *glob);

/* Does the whole of text fit? */
bool glob_fits(const struct glob *glob, const char *text, size_t length);

/* Does it begin and end with an asterisk?  Then what has a part that fits,
 * fits. */
bool glob_is_open(const struct glob *glob);

/* Which pairs of neighbouring octets a text has, by their hash: most globs
 * need one that it hasn't. */
struct glob_marks {
	uint64_t bits[4];
};

void glob_mark(const char *text, size_t length, struct glob_marks *ret);
/* False: a text with these marks doesn't fit.  True: look. */
bool glob_may_fit(const struct glob *glob, const struct glob_marks *marks);

#endif
